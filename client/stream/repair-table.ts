import { before, type End, type Step } from './repair-end.ts'

/** Longer lines with a bar in front are text, and so are more of them than this, one below the other. */
const longestHeader = 240
const mostHeaders = 4
/** Columns of a table whose second line has only begun. */
const mostColumns = 100

/** A table appears once the line below its header begins, and then grows by whole rows. */
export function repairTable(end: End): Step {
  const { leaf, lines, partial, table, text } = end
  const last = lines.length - 1
  if (table !== undefined) {
    const inBody = table.map[1] - table.map[0] > 2
    return { text: partial !== '' && inBody ? before(end, last) : text }
  }
  if (leaf?.type !== 'inline') return undefined
  const rows = leaf.content.split('\n')
  const [row, header] = [rows.at(-1)!, rows.at(-2)]
  if (partial !== '' && header?.includes('|') && /^[\s|:-]+$/.test(row) && /[|:]/.test(row)) {
    const line = `|${' --- |'.repeat(columns(header))}`
    // The line without it is text again, so it is not mended twice.
    return { text: `${before(end, last)}${partial.slice(0, partial.length - row.length)}${line}` }
  }
  const headers = rows.length - 1 - rows.findLastIndex((one) => !isHeader(one))
  return headers > 0 && headers <= mostHeaders ? before(end, leaf.map[1] - headers) : undefined
}

function isHeader(row: string): boolean {
  return row.startsWith('|') && row.length <= longestHeader
}

function columns(header: string): number {
  const cells = header
    .trim()
    .replace(/^\||(?<!\\)\|$/g, '')
    .split(/(?<!\\)\|/)
  return Math.min(cells.length, mostColumns)
}
