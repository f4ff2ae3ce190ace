import { execFile } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { bigThread } from '../../helpers/big-thread.ts'
import { cpuUs } from '../processes.ts'
import { busyLoad, type Bench, type Metric, type Scenario } from '../scenario.ts'
import { startNuminex } from '../systems.ts'

/** Posts of the threads that are read, and how deep their trees are. */
const sizes = [100, 1_000, 10_000]
const depth = 40
const connections = 8
/** Of each kind of request. */
const seconds = 3
const warmUpSeconds = 1

/** `again` by who has it already, `own` by somebody who is signed in. */
const kinds: readonly { key: string; label: string; path: string; again?: true; own?: true }[] = [
  { key: 'json', label: 'JSON', path: '/api/threads' },
  { key: 'json304', label: 'JSON, If-None-Match', path: '/api/threads', again: true },
  { key: 'page', label: 'page', path: '/t' },
  { key: 'own', label: 'page of somebody signed in', path: '/t', own: true },
]

export const reads: Scenario = {
  name: 'reads',
  title: 'Reading threads that do not change',
  about: `${connections} connections ask again as soon as they are answered, with \`accept-encoding: gzip\`, ${seconds} s for each kind of request, for threads of ${sizes.join(', ')} posts.`,
  variants: ['numinex'],
  metrics: [
    ...kinds.flatMap(({ key, label }) => sizes.flatMap((size) => metricsOf(key, label, size))),
    { key: 'readerCores', label: 'load: readers, cores at the most' },
  ],
  charts: [],
  async run(bench, variant) {
    const name = variant === 'before' ? 'before' : 'numinex'
    const system = await startNuminex(bench, name)
    const database = bench.services.databases[name]
    const numbers: Record<string, number> = {}
    const notes: string[] = []
    try {
      const [reader] = await system.writers(1)
      for (const size of sizes) {
        const thread = await threadOf(bench, name, size)
        for (const { key, path, again = false, own = false } of kinds) {
          const headers: Record<string, string> = { 'accept-encoding': 'gzip' }
          if (own) headers['authorization'] = reader!
          const at = { port: system.ports[0]!, path: `${path}/${thread}`, headers }
          const { etag } = await bench.writers.call('once', at)
          if (again) headers['if-none-match'] = etag!
          const order = { ...at, connections }
          await bench.writers.call('read', { ...order, seconds: bench.quick ? 0.2 : warmUpSeconds })
          const before = [cpuUs(system.pids), await bench.services.statements(database)] as const
          const read = await bench.writers.call('read', { ...order, seconds: bench.quick ? 0.5 : seconds })
          const cpu = cpuUs(system.pids) - before[0]
          const statements = (await bench.services.statements(database)) - before[1]
          const wanted = again ? 304 : 200
          if (read.statuses.some((status) => status !== wanted)) {
            notes.push(`${order.path} was answered ${read.statuses.join(' and ')} in place of ${wanted}`)
          }
          numbers['readerCores'] = Math.max(numbers['readerCores'] ?? 0, read.cores)
          numbers[`${key}-${size}`] = read.answered / (cpu / 1e6)
          numbers[`${key}-${size}-p50`] = read.ms.p50
          numbers[`${key}-${size}-sql`] = statements / read.answered
          numbers[`${key}-${size}-kb`] = read.bytes / 1e3
        }
      }
      return { numbers, notes: [...notes, ...busyLoad(numbers['readerCores']!)] }
    } finally {
      await system.stop()
    }
  },
}

function metricsOf(key: string, label: string, size: number): Metric[] {
  const name = `${label}, ${size.toLocaleString('en-US')} posts`
  return [
    { key: `${key}-${size}`, label: `${name}: requests a CPU second`, better: 'higher' },
    { key: `${key}-${size}-p50`, label: `${name}: p50, ms`, better: 'lower' },
    { key: `${key}-${size}-sql`, label: `${name}: SQL statements a request`, better: 'lower' },
    { key: `${key}-${size}-kb`, label: `${name}: kB a body` },
  ]
}

/** A thread like a long discussion, imported as an operator does it. */
async function threadOf(bench: Bench, name: 'numinex' | 'before', size: number): Promise<string> {
  const key = `reads ${name} ${size}`
  if (!bench.kept.has(key)) {
    const file = path.join(os.tmpdir(), `thread-${size}.jsonl`)
    fs.writeFileSync(file, [...bigThread(size, depth)].join(''))
    const root = name === 'before' ? bench.beforeRoot! : bench.root
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [path.join(root, 'dist/server/main.js'), 'import', file],
      { cwd: root, env: { ...process.env, LINKS: 'off', DATABASE_URL: bench.services.databases[name] } },
    )
    // Or they would be looked up while the thread is read, and each that is settled changes it.
    const settle = `UPDATE links SET state = 'missing', checked_at = now() WHERE state = 'pending'`
    await bench.services.query(bench.services.databases[name], settle)
    bench.kept.set(key, stdout.trim().split('\n').at(-1))
  }
  return bench.kept.get(key) as string
}
