import type { Token } from 'markdown-it'
import { markdownLimits } from '../../shared/markdown-limits.ts'
import type { Definition, ReadOutline } from './outline.ts'

/** A block whose rendering no further text can change, but for definitions of links that it names. */
export interface Block {
  readonly source: string
  /** What it defines, by label. */
  readonly definitions: ReadonlyMap<string, Definition>
  /** Labels that it may refer to. */
  readonly labels: ReadonlySet<string>
  /** UTF-16 units of code in it that would be highlighted. */
  readonly code: number
}

/** A growing text, in blocks. */
export interface Blocks {
  /** Takes the text's next piece; returns the blocks that are settled by it, in order. */
  add(piece: string): Block[]
  /** The text behind the settled blocks, its lines ending in `\n`. */
  open(): string
  /** Takes what is open as one block: the text has come to its end. */
  end(): Block
}

/**
 * Open text longer than so many UTF-16 units is not read with every new line, but when it has grown by this part of it: what
 * is read of one block in all stays in proportion to its length.
 */
const rereading = { from: 2_000, share: 1 / 8 } as const

/** Reads a text as it grows. What is settled is not read again. */
export function createBlocks(outline: ReadOutline): Blocks {
  let open = ''
  /** UTF-16 units of the open text that were not read yet. */
  let unread = 0
  let endsInReturn = false

  /** One `\r\n` may come in two pieces. */
  function withLineFeeds(piece: string): string {
    const rest = endsInReturn && piece.startsWith('\n') ? piece.slice(1) : piece
    if (piece !== '') endsInReturn = piece.endsWith('\r')
    return rest.replace(/\r\n?/g, '\n')
  }

  /** Makes blocks of the first lines of the open text; `ends` are numbers of lines. */
  function settle(ends: readonly number[]): Block[] {
    const blocks: Block[] = []
    let [line, at, from] = [0, 0, 0]
    for (const end of ends) {
      for (; line < end; line++) at = open.indexOf('\n', at) + 1
      blocks.push(blockOf(open.slice(from, at), outline))
      from = at
    }
    open = open.slice(from)
    return blocks
  }

  return {
    add(piece) {
      const more = withLineFeeds(piece)
      open += more
      unread += more.length
      // A line that is not whole yet may still become anything.
      const lines = open.slice(0, open.lastIndexOf('\n') + 1)
      const isDue = open.length <= rereading.from || unread >= open.length * rereading.share
      if (!isDue || lines.length <= open.length - unread) return []
      unread = open.length - lines.length
      return settle(settledEnds(lines, outline(lines).tokens))
    },
    open: () => open,
    end() {
      const block = blockOf(open, outline)
      open = ''
      return block
    },
  }
}

/** The lines at which the blocks end that are settled: those that another one has followed. */
function settledEnds(lines: string, tokens: readonly Token[]): number[] {
  const sure = firstUnsureLine(lines)
  const ends: number[] = []
  let end: number | undefined
  let last: Token | undefined
  for (const token of tokens) {
    if (token.level === 0 && token.nesting >= 0 && token.map) {
      // The line below a definition may belong to it, as its title.
      if (end !== undefined && end <= sure && last?.type !== 'reference_definition') ends.push(end)
      end = token.map[1]
    }
    if (token.nesting >= 0) last = token
  }
  return ends
}

/**
 * Lines that look like blocks of their own become one formula when its closing `$$` comes. So the first line with `$$`
 * since the last empty one, and what follows it, is not sure.
 */
function firstUnsureLine(lines: string): number {
  const all = lines.split('\n').slice(0, -1)
  let sure = all.length
  for (let line = all.length - 1; line >= 0 && line >= all.length - markdownLimits.mathLines; line--) {
    if (all[line]!.trim() === '') break
    if (all[line]!.includes('$$')) sure = line
  }
  return sure
}

function blockOf(source: string, outline: ReadOutline): Block {
  const hasFences = /```|~~~/.test(source)
  const { tokens, definitions } =
    hasFences || source.includes(']:') ? outline(source) : { tokens: [], definitions: new Map() }
  const code = tokens
    .filter(({ type, info }) => type === 'fence' && info.trim().toLowerCase() !== 'math')
    .reduce((sum, { content }) => sum + content.length, 0)
  return { source, definitions, labels: labelsIn(source), code }
}

/** Whatever stands in brackets may be the label of a link; line breaks within are those of the text, marks of quotes left out. */
export function labelsIn(source: string): Set<string> {
  const labels = new Set<string>()
  let start = Infinity
  for (const { 0: sign, index } of source.matchAll(/\\[^]|[[\]]/g)) {
    if (sign === ']' && start < index)
      labels.add(labelOf(source.slice(start, index).replace(/\n[ \t>]*/g, ' ')))
    if (sign.length === 1) start = sign === '[' ? index + 1 : Infinity
  }
  return labels
}

/** A label as labels are compared. */
function labelOf(text: string): string {
  return text.trim().replace(/\s+/g, ' ').toLowerCase().toUpperCase()
}
