import { markdownLimits } from '../../shared/markdown-limits.ts'
import type { ReadOutline } from './outline.ts'
import {
  before,
  leafWithin,
  readEnd,
  withoutEnd,
  withoutMarks,
  type End,
  type Repaired,
  type Step,
} from './repair-end.ts'
import { repairInline } from './repair-inline.ts'
import { repairTable } from './repair-table.ts'

/**
 * Bounds on one repair, as the text may be made to need any number of turns: how many there are, how many UTF-16 units they
 * read of the whole text in all (the first is always whole), and how many at its end are read once those are used up.
 */
export const repairLimits = { turns: 16, whole: 40_000, tail: 2_000 } as const

/**
 * Completes the markup at the end of a text, or keeps it back while it may still become one thing or another, so that
 * no marker shows itself only to vanish. `text` is the last block of a growing text, its lines ending in `\n`.
 */
export function repair(text: string, outline: ReadOutline): Repaired {
  let [head, rest, unread] = ['', text, repairLimits.whole as number]
  const read: ReadOutline = (source) => {
    unread -= source.length
    return outline(source)
  }
  // Each turn takes something away, until nothing is left that has to be, or nobody would wait for more.
  for (let turn = 0; turn < repairLimits.turns; turn++) {
    const blocks = read(rest)
    const end = readEnd(rest, blocks)
    const next =
      openFence(end) ?? openLine(end) ?? repairTable(end) ?? openFormula(end, read) ?? openInline(end)
    if (next === undefined) break
    if (typeof next !== 'string') return { ...next, text: head + next.text }
    if (next.length <= unread) rest = next
    else {
      const { from, tail } = tailOf(next, leafWithin(repairLimits.tail, end, blocks))
      ;[head, rest, unread] = [head + next.slice(0, from), tail, Infinity]
    }
  }
  return { text: head + rest }
}

/** From a place on, as a text of its own: how far in its first line stands means nothing there. */
function tailOf(text: string, start = text.length): { from: number; tail: string } {
  const tail = text.slice(start).trimStart()
  return { from: text.length - tail.length, tail }
}

function openFence(end: End): Step {
  const { leaf, lines, partial, text } = end
  if (leaf?.type !== 'fence') return undefined
  const [first, last] = [leaf.map[0], lines.length - 1]
  // What language it is in is not known before the line's end.
  if (first === last) return before(end, first)
  const mark = leaf.markup[0]!
  const [, run = ''] = new RegExp(`^[\\s>]*(${mark}+)\\s*$`).exec(lines[leaf.map[1] - 1]!) ?? []
  if (leaf.map[1] - 1 > first && run.length >= leaf.markup.length) return { text }
  const closing = partial !== '' && run !== ''
  const code = closing ? leaf.content.slice(0, leaf.content.lastIndexOf('\n') + 1) : leaf.content
  if (code.trim() === '') return before(end, first)
  const source = leaf.info.trim().toLowerCase() === 'math' ? { tex: code.trim() } : {}
  return { text: closing ? before(end, last) : text, code, ...source }
}

/** Lines of nothing but marks: of an item, a heading, a rule, or of what would make a heading of the lines above. */
const onlyMarks = /^(?:#{1,6}|=+|\+|([-*_])(?:\s*\1)*|\d{1,3}[.)]?)\s*$/
/** What may become a definition, which shows nothing. */
const definition = /^\[[^\]]+\]:\s*(?:\S*|\S+\s+["'(].*)$/

function openLine(end: End): Step {
  const { leaf, partial, lines } = end
  if (partial === '' || leaf?.type === 'code_block' || leaf?.type === 'math_block') return undefined
  const { rest, marked, item } = withoutMarks(partial)
  const kept =
    (rest === '' && marked) ||
    onlyMarks.test(rest) ||
    (item && /^\[(?:[ xX]\]?)?\s*$/.test(rest)) ||
    (definition.test(rest) && (leaf === undefined || leaf.map[0] === lines.length - 1))
  return kept ? before(end, lines.length - 1) : undefined
}

/** A block between `$$`, of which only the first mark is there. */
function openFormula(end: End, outline: ReadOutline): Step {
  const { lines, leaf, text } = end
  if (leaf?.type !== 'inline') return undefined
  let opener: number | undefined
  for (let line = lastRun(lines); line < lines.length; line++) {
    const content = withoutMarks(lines[line]!).rest.trimEnd()
    const opens = content.startsWith('$$')
    if (opener === undefined && opens && !content.includes('$$', 2)) opener = line
    else if (content.includes('$$')) opener = undefined
  }
  if (opener === undefined || lines.length - opener > markdownLimits.mathLines) return undefined
  const start = before(end, opener)
  const from = start.length + lines[opener]!.indexOf('$$') + 2
  const tex = withoutEnd(text.slice(from), /[\s$\\]/)
  if (tex.trim() === '') return start
  const closed = `${text.slice(0, from)}${tex}$$`
  const formula = readEnd(closed, outline(closed)).leaf
  return formula?.type === 'math_block' ? { text: closed, tex: formula.content.trim() } : undefined
}

/** Where the lines begin that follow the last empty one. */
function lastRun(lines: readonly string[]): number {
  const last = lines.at(-1)!.trim() === '' ? lines.length - 2 : lines.length - 1
  return lines.findLastIndex((line, at) => at <= last && line.trim() === '') + 1
}

function openInline({ leaf, text }: End): Step {
  if (leaf?.type !== 'inline') return undefined
  const { content } = leaf
  const lineStart = content.lastIndexOf('\n') + 1
  const whole = text.trimEnd()
  const toText = (at: number) => whole.length - content.length + at
  // Only the last line is sure to stand in the text as it does in its block.
  if (!whole.endsWith(content.slice(lineStart))) return undefined
  const { end, dropped, close, tex } = repairInline(content)
  const changed = end < content.length || dropped.length > 0
  if (!changed) return close === '' ? undefined : { text: whole + close, ...(tex !== undefined && { tex }) }
  if (end < lineStart || dropped.some(([from]) => from < lineStart)) return undefined
  let [rest, at] = ['', 0]
  for (const [from, to] of dropped) {
    rest += whole.slice(at, toText(from))
    at = toText(to)
  }
  return rest + whole.slice(at, toText(end))
}
