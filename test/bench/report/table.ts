import { ratios, short, spread, type Spread } from '../stats.ts'
import { valuesOf, type ScenarioResults } from './results.ts'

/**
 * Rows of a scenario's table, the heads first: what each variant gave, then how the first compares with the others. An
 * arrow tells which way is better.
 */
export function tableRows(results: ScenarioResults): string[][] {
  const { variants, metrics } = results
  const [first, ...others] = variants as [string, ...string[]]
  const compared = metrics.some(({ better }) => better) ? others : []
  const head = ['', ...variants, ...compared.map((other) => `${first} : ${other}`)]
  const rows = metrics.map(({ key, label, better }) => [
    better ? `${label} ${better === 'higher' ? '↑' : '↓'}` : label,
    ...variants.map((variant) => spreadText(spread(valuesOf(results, variant, key)))),
    ...compared.map((other) =>
      better ? ratioText(ratios(valuesOf(results, first, key), valuesOf(results, other, key))) : '',
    ),
  ])
  return [head, ...rows.filter((row) => row.slice(1, variants.length + 1).some((cell) => cell !== '–'))]
}

/** The median, and between which values the rounds lay. */
function spreadText({ min, median, max }: Spread): string {
  const same = short(min) === short(max)
  return same ? short(median) : `${short(median)} (${short(min)} – ${short(max)})`
}

function ratioText({ min, median, max }: Spread): string {
  if (!Number.isFinite(median)) return ''
  const digits = (value: number) => (value < 10 ? value.toFixed(2) : value.toFixed(0))
  const same = digits(min) === digits(max)
  return same ? `${digits(median)}×` : `${digits(median)}× (${digits(min)} – ${digits(max)})`
}

export function printTable(results: ScenarioResults, print: (line: string) => void): void {
  const rows = tableRows(results)
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  print(`\n${results.title}\n${results.about}\n`)
  for (const row of rows) print(row.map((cell, column) => pad(cell, widths[column]!, column)).join('  '))
  print('')
}

const pad = (cell: string, width: number, column: number) =>
  column === 0 ? cell.padEnd(width) : cell.padStart(width)

export function markdownTable(results: ScenarioResults): string {
  const [head, ...rows] = tableRows(results) as [string[], ...string[][]]
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n')
}
