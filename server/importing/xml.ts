import { Problem } from '../../shared/errors.ts'
import { createBoundedParser } from './bounded-parser.ts'
import { importLimits } from './limits.ts'

/** An element of a record, with all text within it but that of its children. */
export interface XmlNode {
  readonly name: string
  readonly attributes: Readonly<Record<string, string>>
  readonly children: XmlNode[]
  text: string
}

export interface XmlRecord {
  /** The path of its element, `rss/channel/item`. */
  path: string
  /** Where it begins in the file. */
  line: number
  node: XmlNode
  /** The record that it stands in, with what came before it there. */
  outer: XmlNode | undefined
  /** What is wrong with it as a whole. */
  flaw: 'cut-off' | 'too-long' | undefined
}

export interface XmlShape {
  /** What the file is, for messages: `a Disqus export`. */
  what: string
  /** Paths of the elements that are records. */
  records: readonly string[]
  /** Paths of elements that are none, though they have the name of one. */
  others?: readonly string[]
  /** Paths of elements that nobody needs. */
  ignored?: readonly string[]
}

interface Open {
  path: string
  node: XmlNode | undefined
  record: { line: number; outer: XmlNode | undefined; size: number } | undefined
}

/**
 * The records of an XML file as they come, in memory for no more than one of them. What is wrong within a record stays
 * there: tags that are not closed end with it, and a record that begins where none may be ends the one before. Entities
 * that the file defines itself are not expanded.
 * Problems: invalid, for a file that is something else, or is not whole; after the records that were.
 */
export async function* readXml(
  text: AsyncIterable<string>,
  shape: XmlShape,
): AsyncGenerator<XmlRecord, void, void> {
  const records = new Set(shape.records)
  const ignored = new Set(shape.ignored)
  const root = shape.records[0]!.split('/')[0]!
  const lines = createLineCounter()
  let found: XmlRecord[] = []
  const stack: Open[] = []
  let rootSeen: 'no' | 'open' | 'closed' = 'no'

  const parser = createBoundedParser(
    {
      onopentag(name, attributes) {
        if (rootSeen === 'no') {
          if (name !== root) throw notThis(shape.what)
          rootSeen = 'open'
        }
        const path = restart(name, `${stack.at(-1)?.path ?? ''}/${name}`.replace(/^\//, ''))
        const above = innermostRecord()
        const isRecord = records.has(path)
        const kept = isRecord || (stack.at(-1)?.node !== undefined && !ignored.has(path))
        const node = kept ? { name, attributes, children: [], text: '' } : undefined
        if (node && !isRecord) stack.at(-1)!.node!.children.push(node)
        const line = isRecord ? lines.at(parser.startIndex) : 0
        stack.push({
          path,
          node,
          record: isRecord ? { line, outer: above?.node, size: 0 } : undefined,
        })
      },
      ontext(data) {
        const open = stack.at(-1)
        if (open?.node === undefined) return
        const { record } = innermostRecord()!
        record!.size += data.length
        if (record!.size <= importLimits.recordMax) open.node.text += data
      },
      onclosetag(name, implied) {
        // A tag that ends nothing that is open (any more).
        const at = stack.findLastIndex((open) => lastOf(open.path) === name)
        if (at < 0) return
        while (stack.length > at) {
          const open = stack.pop()!
          const whole = stack.length === at && !implied
          if (stack.length === 0) rootSeen = whole ? 'closed' : 'open'
          else if (open.record) emit(open, whole)
        }
      },
    },
    { xmlMode: true, decodeEntities: true },
    importLimits.xmlDepth,
  )

  function innermostRecord(): Open | undefined {
    return stack.findLast((open) => open.record !== undefined)
  }

  /** The path of an element: where it is a record that may not stand here, those that are open end before it. */
  function restart(name: string, path: string): string {
    // Elsewhere the same name may mean something else: a post of Disqus names its <thread/>.
    if (records.has(path) || shape.others?.includes(path)) return path
    const own = shape.records.find((record) => lastOf(record) === name)
    const inner = innermostRecord()
    if (own === undefined || inner === undefined) return path
    const depth = own.split('/').length - 1
    if (stack[depth - 1]?.path !== own.slice(0, own.lastIndexOf('/'))) return path
    while (stack.length > depth) {
      const open = stack.pop()!
      if (open.record) emit(open, false)
    }
    return own
  }

  function emit({ path, node, record }: Open, whole: boolean): void {
    const { line, outer, size } = record!
    const flaw = !whole ? 'cut-off' : size > importLimits.recordMax ? 'too-long' : undefined
    found.push({ path, line, node: node!, outer, flaw })
  }

  for await (const chunk of text) {
    lines.add(chunk)
    parser.write(chunk)
    yield* found
    found = []
  }
  parser.end()
  yield* found
  // Set from callbacks, which the compiler does not see.
  const end = rootSeen as string
  if (end === 'no') throw notThis(shape.what)
  if (end !== 'closed')
    throw new Problem('invalid', {
      detail: `line ${lines.total()}: the file ends before its end: it was cut off`,
    })
}

function notThis(what: string): Problem {
  return new Problem('invalid', { detail: `the file is not ${what}` })
}

function lastOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

/** Tells the lines of rising places in a text that comes in pieces. */
function createLineCounter() {
  let pieces: { from: number; text: string }[] = []
  let end = 0
  let counted = 0
  let line = 1
  const count = (until: number) => {
    for (const { from, text } of pieces) {
      const stop = Math.min(until - from, text.length)
      for (let at = text.indexOf('\n', Math.max(0, counted - from)); at >= 0 && at < stop;) {
        line++
        at = text.indexOf('\n', at + 1)
      }
    }
    counted = Math.max(counted, until)
    pieces = pieces.filter(({ from, text }) => from + text.length > counted)
  }
  return {
    add(text: string) {
      // What came long ago is no place that is asked for: a tag is short.
      if (pieces.length > 1) count(pieces.at(-1)!.from)
      pieces.push({ from: end, text })
      end += text.length
    },
    at(place: number): number {
      if (place > counted) count(place)
      return line
    },
    total(): number {
      count(end)
      return line
    },
  }
}

/** The text of an element's first child of that name, without white space around it. */
export function textAt(node: XmlNode | undefined, ...names: string[]): string {
  let at = node
  for (const name of names) at = at?.children.find((child) => child.name === name)
  return at?.text.trim() ?? ''
}
