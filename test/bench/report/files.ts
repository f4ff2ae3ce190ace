import fs from 'node:fs'
import path from 'node:path'
import { barChart } from './chart.ts'
import type { Machine, Results, ScenarioResults } from './results.ts'
import { costsOf, scalingTables } from './scaling.ts'
import { markdownTable } from './table.ts'

const begin = '<!-- results: begin (written by npm run bench) -->'
const end = '<!-- results: end -->'

/** Writes results.json, the charts, and the marked parts of docs/performance.md and docs/scaling.md. */
export function writeReport(results: Results, root: string): void {
  const directory = path.join(root, 'docs/performance')
  fs.mkdirSync(directory, { recursive: true })
  const file = path.join(directory, 'results.json')
  const all = merge(
    fs.existsSync(file) ? (JSON.parse(fs.readFileSync(file, 'utf8')) as Results) : undefined,
    results,
  )
  fs.writeFileSync(file, toJson(all))
  for (const scenario of all.scenarios) {
    for (const key of chartKeys(scenario)) {
      fs.writeFileSync(path.join(directory, chartName(scenario, key)), barChart(scenario, key))
    }
  }
  rewrite(path.join(root, 'docs/performance.md'), sections(all))
  const costs = costsOf(all)
  if (costs) rewrite(path.join(root, 'docs/scaling.md'), scalingTables(costs))
}

function rewrite(page: string, middle: string): void {
  fs.writeFileSync(page, replaceMarked(fs.readFileSync(page, 'utf8'), middle))
}

/** Scenarios that were not run this time keep what they had. */
function merge(known: Results | undefined, now: Results): Results {
  const older = (known?.scenarios ?? []).filter((each) =>
    now.scenarios.every(({ name }) => name !== each.name),
  )
  return { ...now, scenarios: [...now.scenarios, ...older] }
}

/** The text with what stands between the marks replaced. */
export function replaceMarked(text: string, middle: string): string {
  const from = text.indexOf(begin)
  const to = text.indexOf(end)
  if (from < 0 || to < from) throw new Error('the page has no marked part for the results')
  return `${text.slice(0, from + begin.length)}\n\n${middle}\n\n${text.slice(to)}`
}

function sections(results: Results): string {
  return [where(results.machine), ...results.scenarios.map(section)].join('\n\n')
}

function where({ cpu, cores, memoryGiB, kernel, node }: Machine): string {
  return `${cpu}, ${cores} cores, ${memoryGiB} GiB, Linux ${kernel}, Node ${node}. Each cell is the median of the rounds, with the least and the most in brackets; a ratio is taken within each round.`
}

function section(scenario: ScenarioResults): string {
  const charts = chartKeys(scenario).map(
    (key) => `![${scenario.title}: ${labelOf(scenario, key)}](performance/${chartName(scenario, key)})`,
  )
  const noted = Object.entries(scenario.measured).flatMap(([variant, rounds]) =>
    [...new Set(rounds.flatMap(({ notes }) => notes))].map((note) => `- ${variant}: ${note}`),
  )
  const parts = [
    `### ${scenario.title}`,
    scenario.about,
    ...charts,
    markdownTable(scenario),
    noted.join('\n'),
  ]
  return parts.filter((part) => part !== '').join('\n\n')
}

/** A single bar would show nothing. */
const chartKeys = ({ charts, variants }: ScenarioResults): readonly string[] =>
  variants.length > 1 ? charts : []

const chartName = ({ name }: ScenarioResults, key: string) => `${name}-${key.replace(/\W/g, '-')}.svg`

const labelOf = ({ metrics }: ScenarioResults, key: string) => metrics.find((each) => each.key === key)!.label

export const toJson = (results: Results) => `${JSON.stringify(results, rounded, 2)}\n`

/** Five digits are more than any of this is worth. */
function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Number(value.toPrecision(5)) : value
}
