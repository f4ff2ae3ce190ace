import type { ReadOutline } from './outline.ts'
import { before, readEnd, withoutMarks, type End, type Repaired, type Step } from './repair-end.ts'
import { repairInline } from './repair-inline.ts'
import { repairTable } from './repair-table.ts'

/**
 * Completes the markup at the end of a text, or keeps it back while it may still become one thing or another, so that
 * no marker shows itself only to vanish. `text` is the last block of a growing text, its lines ending in `\n`.
 */
export function repair(text: string, outline: ReadOutline): Repaired {
  // Each turn takes something away, until nothing is left that has to be.
  for (let rest = text; ;) {
    const end = readEnd(rest, outline(rest))
    const next =
      openFence(end) ?? openLine(end) ?? repairTable(end) ?? openFormula(end, outline) ?? openInline(end)
    if (next === undefined) return { text: rest }
    if (typeof next !== 'string') return next
    rest = next
  }
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
  if (partial !== '' && run !== '') return before(end, last)
  if (leaf.content.trim() === '') return before(end, first)
  const source = leaf.info.trim().toLowerCase() === 'math' ? { tex: leaf.content.trim() } : {}
  return { text, code: leaf.content, ...source }
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
  if (opener === undefined) return undefined
  const start = before(end, opener)
  const from = start.length + lines[opener]!.indexOf('$$') + 2
  const tex = text.slice(from).replace(/[\s$\\]+$/, '')
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
  // Only the last line is sure to stand in the text as it does in its block.
  if (!whole.endsWith(content.slice(lineStart))) return undefined
  const { end, dropped, close, tex } = repairInline(content)
  const toText = (at: number) => whole.length - content.length + at
  const changed = end < content.length || dropped.length > 0
  if (!changed) return close === '' ? undefined : { text: whole + close, ...(tex !== undefined && { tex }) }
  if (end < lineStart || dropped.some(([from]) => from < lineStart)) return undefined
  let rest = whole.slice(0, toText(end))
  for (const [from, to] of dropped.toReversed()) rest = rest.slice(0, toText(from)) + rest.slice(toText(to))
  return rest
}
