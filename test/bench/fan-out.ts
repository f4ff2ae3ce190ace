import { setTimeout as sleep } from 'node:timers/promises'
import type { Group } from './load/crowd.ts'
import { cpuUs } from './processes.ts'
import { busyLoad, type Bench, type Measurement, type Metric } from './scenario.ts'
import type { System } from './systems.ts'

export interface FanOut {
  /** Who reads what, where. */
  groups: Group[]
  /** Where posts are sent, in turn. */
  targets: { port: number; thread: string }[]
  writers: number
  /** Requests under way at the most, of each writer. */
  outstanding: number
  /** Posts a second of all writers together. */
  rate: number
  /** Before counting begins, at the same rate. */
  warmUpSeconds: number
  seconds: number
  /** Of a post's text. */
  bytes: number
  /** Of the Redis that the system uses, where it is another one than all share. */
  redisPids?: readonly number[]
}

export const fanOutMetrics: readonly Metric[] = [
  { key: 'deliveries', label: 'deliveries/s', better: 'higher' },
  { key: 'cpu', label: 'CPU a delivery, µs', better: 'lower' },
  { key: 'cpuMost', label: 'CPU a delivery of the busiest node, µs', better: 'lower' },
  { key: 'p50', label: 'POST sent to receipt, p50, ms', better: 'lower' },
  { key: 'p99', label: 'POST sent to receipt, p99, ms', better: 'lower' },
  { key: 'latestP50', label: 'POST sent to the last of the sampled viewers, p50, ms', better: 'lower' },
  { key: 'acknowledged', label: 'acknowledged posts/s', better: 'higher' },
  { key: 'answerP50', label: 'POST sent to its answer, p50, ms', better: 'lower' },
  { key: 'answerP99', label: 'POST sent to its answer, p99, ms', better: 'lower' },
  { key: 'perFrame', label: 'posts a frame' },
  { key: 'bytes', label: 'payload bytes a delivery' },
  { key: 'serverCores', label: 'server, cores' },
  { key: 'postgres', label: 'Postgres a post, µs of CPU' },
  { key: 'redis', label: 'Redis a post, µs of CPU' },
  { key: 'crowdCores', label: 'load: viewers, cores' },
  { key: 'writerCores', label: 'load: writers, cores' },
  { key: 'missing', label: 'deliveries missing' },
]

/** How long a crowd is left alone before anything is counted: until the count of viewers has been told to everyone. */
const calmMs = 1_500
/** After so long without a byte, what is missing does not come any more. */
const quietMs = 3_000

/** Everyone joins, writers write, and all is counted until the last delivery has come. */
export async function fanOut(bench: Bench, system: System, load: FanOut): Promise<Measurement> {
  const { crowd, writers, services } = bench
  await crowd.call('open', { wire: system.wire, groups: load.groups, atOnce: 200 })
  const { targets, outstanding, rate, bytes } = load
  const order = {
    wire: system.wire,
    targets,
    writers: await system.writers(load.writers),
    outstanding,
    rate,
    bytes,
  }
  const acknowledged = (byTarget: readonly number[]) =>
    load.groups.map(({ thread }) =>
      targets.reduce((sum, target, i) => sum + (target.thread === thread ? byTarget[i]! : 0), 0),
    )
  await sleep(calmMs)
  await crowd.call('mark', undefined)
  const warm = await writers.call('write', { ...order, seconds: load.warmUpSeconds })
  await crowd.call('settle', { expected: acknowledged(warm.byTarget), quietMs })

  const servers = [
    ...system.pids.map((pid) => [pid]),
    [services.postgres.pid],
    load.redisPids ?? [services.redis.pid],
  ]
  await crowd.call('mark', undefined)
  const before = servers.map(cpuUs)
  const written = await writers.call('write', { ...order, seconds: load.seconds })
  const heard = await crowd.call('settle', { expected: acknowledged(written.byTarget), quietMs })
  const used = servers.map((pids, i) => cpuUs(pids) - before[i]!)
  const [postgres, redis] = used.splice(-2) as [number, number]
  const cpu = used.reduce((sum, each) => sum + each, 0)
  await crowd.call('drop', undefined)

  const deliveringUs = heard.lastUs - written.firstUs
  const crowdCores = heard.cpuUs / deliveringUs
  const writerCores = written.cpuUs / (written.lastUs - written.firstUs)
  const notes = [...heard.notes, ...written.failures, ...busyLoad(crowdCores, writerCores)]
  if (heard.repeated > 0) notes.push(`${heard.repeated} posts came twice`)
  if (written.failed > 0) notes.push(`${written.failed} requests failed`)
  return {
    numbers: {
      deliveries: heard.deliveries / (deliveringUs / 1e6),
      cpu: cpu / heard.deliveries,
      cpuMost: system.ports.length > 1 ? busiest(load.groups, system, used) / heard.deliveries : NaN,
      p50: heard.receipts.p50,
      p99: heard.receipts.p99,
      latestP50: heard.latest.p50,
      latestP99: heard.latest.p99,
      acknowledged: written.acknowledged / ((written.lastUs - written.firstUs) / 1e6),
      answerP50: written.answers.p50,
      answerP99: written.answers.p99,
      perFrame: heard.deliveries / heard.frames,
      bytes: heard.bytes / heard.deliveries,
      serverCores: cpu / deliveringUs,
      postgres: postgres / written.acknowledged,
      redis: redis / written.acknowledged,
      crowdCores,
      writerCores,
      offered: written.offered,
      sent: written.sent,
      missing: heard.missing,
      viewersMissing: heard.viewersMissing,
      seconds: deliveringUs / 1e6,
    },
    notes,
  }
}

/** CPU of the node that used most for its share of the viewers, as if all nodes had used as much for theirs. */
function busiest(groups: readonly Group[], { ports }: System, used: readonly number[]): number {
  const all = groups.reduce((sum, { viewers }) => sum + viewers, 0)
  const shares = ports.map((port) =>
    groups.reduce((sum, group) => sum + (group.port === port ? group.viewers : 0), 0),
  )
  return Math.max(...used.map((cpu, node) => (cpu * all) / shares[node]!))
}
