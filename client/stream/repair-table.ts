import { before, type End, type Step } from './repair-end.ts'

/** Longer lines with a bar in front are text. */
const longestHeader = 240

/** A table appears once the line below its header begins, and then grows by whole rows. */
export function repairTable(end: End): Step {
  const { leaf, lines, partial, table, text } = end
  const last = lines.length - 1
  if (table !== undefined) {
    const inBody = table.map[1] - table.map[0] > 2
    return partial !== '' && inBody ? before(end, last) : { text }
  }
  if (leaf?.type !== 'inline') return undefined
  const [row, header] = leaf.content.split('\n').toReversed()
  if (partial !== '' && header?.includes('|') && /^\|?[\s:-]*[|:][\s|:-]*$/.test(row!)) {
    const line = `|${' --- |'.repeat(columns(header))}`
    // The line without it is text again, so it is not mended twice.
    return { text: `${before(end, last)}${partial.slice(0, partial.length - row!.length)}${line}` }
  }
  return row!.startsWith('|') && row!.length <= longestHeader ? before(end, leaf.map[1] - 1) : undefined
}

function columns(header: string): number {
  return header
    .trim()
    .replace(/^\||(?<!\\)\|$/g, '')
    .split(/(?<!\\)\|/).length
}
