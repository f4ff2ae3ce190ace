/**
 * Measures Numinex beside others, on this machine:
 *
 *     npm run bench                                   everything: about an hour
 *     npm run bench -- saturated rest                 these scenarios
 *     npm run bench -- saturated --rounds 3 --only numinex,ws
 *     npm run bench -- rest --before ../numinex-old   beside another checkout, which is built
 *     npm run bench -- --quick                        to see that all of it works
 *
 * `--no-build` measures what was built last. `--write` puts the results into docs/performance.md and docs/performance/;
 * `--json FILE` puts them there. Both take what is finished after each scenario.
 * docs/performance.md says what is measured.
 */
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { installMissing } from '../helpers/programs.ts'
import type { CrowdMethods } from './load/crowd.ts'
import { startWorker } from './load/rpc.ts'
import type { WriterMethods } from './load/writers.ts'
import { whyNoNchan } from './peers/nchan.ts'
import { toJson, writeReport } from './report/files.ts'
import { machine, type Results } from './report/results.ts'
import { printTable } from './report/table.ts'
import type { Bench, Measurement, Scenario } from './scenario.ts'
import { scenarios } from './scenarios/all.ts'
import { startServices } from './services.ts'
import { rotated } from './stats.ts'

const root = path.resolve(import.meta.dirname, '../..')
const say = (line: string) => console.log(`bench: ${line}`)

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string' },
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    before: { type: 'string' },
    'no-build': { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    json: { type: 'string' },
  },
})

async function main(): Promise<void> {
  const chosen = choose(positionals)
  const rounds = Number(options.rounds ?? (options.quick ? 1 : 5))
  installMissing(say, ['postgres', 'redis', 'nchan'])
  if (!options['no-build']) build()
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'numinex-bench-'))
  // Postgres runs as another user than root, and has to reach its own directory in there.
  fs.chmodSync(directory, 0o711)
  process.env['TMPDIR'] = directory
  const removeFiles = () => fs.rmSync(directory, { recursive: true, force: true, maxRetries: 5 })
  process.once('exit', removeFiles)
  const services = await startServices()
  const bench: Bench = {
    services,
    root,
    beforeRoot: options.before && path.resolve(options.before),
    crowd: startWorker<CrowdMethods>(path.join(import.meta.dirname, 'load/crowd.ts')),
    writers: startWorker<WriterMethods>(path.join(import.meta.dirname, 'load/writers.ts')),
    quick: options.quick,
    kept: new Map(),
  }
  const results: Results = { machine: machine(), quick: options.quick, scenarios: [] }
  try {
    for (const scenario of chosen) {
      const began = { at: new Date().toISOString(), load: os.loadavg()[0]! }
      const measured = await measure(bench, scenario, rounds)
      const { run: _, ...described } = scenario
      results.scenarios.push({ ...described, ...began, ...measured })
      printTable(results.scenarios.at(-1)!, console.log)
      if (options.json !== undefined) fs.writeFileSync(options.json, toJson(results))
      if (options.write) writeReport(results, root)
    }
  } finally {
    await Promise.all([bench.crowd.stop(), bench.writers.stop()])
    await services.stop()
  }
}

/** All variants in turn, as often as there are rounds, each time with another one first. */
async function measure(bench: Bench, scenario: Scenario, rounds: number) {
  const variants = variantsOf(scenario)
  say(`${scenario.name}: ${variants.join(', ')}; ${rounds} round(s)`)
  const measured: Record<string, Measurement[]> = Object.fromEntries(variants.map((each) => [each, []]))
  for (let round = 0; round < rounds; round++) {
    for (const variant of rotated(variants, round)) {
      const measurement = await scenario.run(bench, variant)
      measured[variant]!.push(measurement)
      const key = scenario.metrics[0]!.key
      say(
        `${scenario.name} ${round + 1}/${rounds} ${variant}: ${key} ${measurement.numbers[key]?.toPrecision(4)}`,
      )
      for (const note of measurement.notes) say(`  ATTENTION ${variant}: ${note}`)
    }
  }
  return { variants, measured }
}

function variantsOf({ variants }: Scenario): string[] {
  const all = [...variants]
  if (options.before !== undefined && all[0] === 'numinex') all.splice(1, 0, 'before')
  const only = options.only?.split(',')
  const chosen = only ? all.filter((variant) => only.includes(variant) || variant === 'before') : all
  // Scenarios that know none of these names have variants of another kind.
  const wanted = chosen.length > 0 ? chosen : all
  const missing = whyNoNchan()
  if (missing !== undefined && wanted.includes('nchan')) say(`SKIPPING nchan: ${missing}`)
  return missing === undefined ? wanted : wanted.filter((variant) => variant !== 'nchan')
}

function choose(names: string[]): Scenario[] {
  const unknown = names.filter((name) => !scenarios.some((scenario) => scenario.name === name))
  if (unknown.length > 0) {
    throw new Error(
      `no scenario ${unknown.join(', ')}; there are ${scenarios.map(({ name }) => name).join(', ')}`,
    )
  }
  return names.length === 0
    ? [...scenarios]
    : names.map((name) => scenarios.find((each) => each.name === name)!)
}

function build(): void {
  const { before } = options
  if (before !== undefined && !fs.existsSync(path.join(before, 'dist/server/main.js')))
    throw new Error(`${before} is not built`)
  say('building')
  execFileSync('npm', ['run', 'build', '--silent'], { cwd: root, stdio: 'inherit' })
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1))
await main()
