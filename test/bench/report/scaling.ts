import { spread } from '../stats.ts'
import { valuesOf, type Results } from './results.ts'

/** What one machine was measured to need; CPU in microseconds. */
export interface Costs {
  /** A write to a socket, with its share of everything that happens at rest. */
  write: number
  /** One more message in a write that happens anyway. */
  message: number
  /** Taking a post: HTTP, rules, Markdown, its share of a transaction and of the bus. */
  post: number
  /** What a node does with a post that comes by the bus, whoever views its thread there. */
  hear: number
  /** Of Postgres, a post in a busy thread. */
  postgres: number
  /** Of Redis, a post and node that hears it. */
  redis: number
  /** Of memory, a viewer, in bytes. */
  memory: number
  /** Of a post on the bus and on the wire, in bytes. */
  bytes: number
}

/** What is asked of an installation. */
export interface Workload {
  readonly name: string
  readonly threads: number
  readonly viewersPerThread: number
  /** In each thread. */
  readonly postsPerSecond: number
}

/** What one node may be used for, so that it bears the next burst. */
export const nodeLimits = { cores: 0.6, memoryBytes: 2 * 2 ** 30, restShare: 3, restSeconds: 0.025 } as const

/** Not measured by a scenario of its own: decoding a message of the bus and finding that nobody views its thread. */
const hearUs = 3

/** Scenarios that the costs come from. */
const sources = ['rest', 'saturated', 'hot', 'crowd']

/** Reads the costs from results; undefined where a scenario that they come from was not run yet. */
export function costsOf(results: Results): Costs | undefined {
  const byName = new Map(results.scenarios.map((each) => [each.name, each]))
  if (!sources.every((name) => byName.has(name))) return undefined
  const median = (scenario: string, variant: string, key: string) =>
    spread(valuesOf(byName.get(scenario)!, variant, key)).median
  const write = median('rest', 'numinex', 'cpu') * median('rest', 'numinex', 'perFrame')
  const saturated = median('saturated', 'numinex', 'cpu')
  return {
    write,
    message: Math.max(0.05, saturated - write / median('saturated', 'numinex', 'perFrame')),
    post: median('hot', 'numinex', 'cpu'),
    hear: hearUs,
    postgres: median('hot', 'numinex', 'postgres'),
    redis: median('saturated', 'numinex', 'redis'),
    memory: median('crowd', 'numinex', 'memory') * 1e3,
    bytes: median('saturated', 'numinex', 'bytes'),
  }
}

export interface Need {
  /** What decides how many nodes it takes. */
  readonly nodesFor: { cpu: number; memory: number }
  readonly nodes: number
  readonly viewersPerNode: number
  /** Writes a second to a viewer's socket. */
  readonly writesPerSecond: number
  readonly deliveriesPerSecond: number
  readonly postsPerSecond: number
  readonly postgresCores: number
  /** Out of all Redis servers together. */
  readonly redisBytesPerSecond: number
  readonly redisCores: number
  /** To viewers, out of each node. */
  readonly nodeBytesPerSecond: number
}

/**
 * How many nodes a workload takes, and what else. Viewers are spread without regard to their threads, so a thread's posts go
 * to as many nodes as it has viewers, or to all; with 256 channels, all of them come to every node in any case.
 */
export function needOf(costs: Costs, work: Workload): Need {
  const viewers = work.threads * work.viewersPerThread
  const posts = work.threads * work.postsPerSecond
  // Nodes change how many viewers of a thread one of them has, and so how often it writes: a few turns settle that.
  let nodes = 1
  let nodesFor = { cpu: 1, memory: 1 }
  let writes = 0
  for (let turn = 0; turn < 50; turn++) {
    const roomViewers = Math.max(1, work.viewersPerThread / nodes)
    const round = (roomViewers * costs.write) / 1e6
    const rest = Math.min(nodeLimits.restShare * round, nodeLimits.restSeconds)
    writes = Math.min(work.postsPerSecond, 1 / (round + rest))
    const perViewer = (writes * costs.write + work.postsPerSecond * costs.message) / 1e6
    const taken = (posts * costs.post) / 1e6
    const heard = (posts * costs.hear) / 1e6
    const forOthers = nodeLimits.cores - heard
    nodesFor = {
      cpu: forOthers > 0 ? Math.ceil((viewers * perViewer + taken) / forOthers) : Infinity,
      memory: Math.ceil((viewers * costs.memory) / nodeLimits.memoryBytes),
    }
    const next = Math.max(nodesFor.cpu, nodesFor.memory)
    if (next === nodes || !Number.isFinite(next)) break
    nodes = next
  }
  return {
    nodesFor,
    nodes,
    viewersPerNode: Math.ceil(viewers / nodes),
    writesPerSecond: writes,
    deliveriesPerSecond: viewers * work.postsPerSecond,
    postsPerSecond: posts,
    postgresCores: (posts * costs.postgres) / 1e6,
    redisBytesPerSecond: posts * costs.bytes * nodes,
    redisCores: (posts * nodes * costs.redis) / 1e6,
    nodeBytesPerSecond: (viewers * work.postsPerSecond * costs.bytes) / nodes,
  }
}

/** A million viewers, in three ways. */
export const workloads: readonly Workload[] = [
  { name: 'one thread, 5 posts/s', threads: 1, viewersPerThread: 1_000_000, postsPerSecond: 5 },
  {
    name: '1,000 threads of 1,000, 1 post/s each',
    threads: 1_000,
    viewersPerThread: 1_000,
    postsPerSecond: 1,
  },
  {
    name: '200,000 threads of 5, a post in 50 s each',
    threads: 200_000,
    viewersPerThread: 5,
    postsPerSecond: 0.02,
  },
]

const cell = (value: number, digits = 0) =>
  Number.isFinite(value) ? value.toLocaleString('en', { maximumFractionDigits: digits }) : 'none is enough'

/** The costs and what the workloads need, as Markdown. */
export function scalingTables(costs: Costs): string {
  const measured: [string, string][] = [
    ['a write to a socket', `${cell(costs.write, 2)} µs`],
    ['one more message in a write', `${cell(costs.message, 2)} µs`],
    ['taking a post over HTTP', `${cell(costs.post)} µs`],
    ['Postgres, a post in a busy thread', `${cell(costs.postgres)} µs`],
    ['Redis, a post and node', `${cell(costs.redis, 1)} µs`],
    ['memory, a viewer', `${cell(costs.memory / 1024, 1)} KiB`],
    ['a post on the wire', `${cell(costs.bytes)} bytes`],
  ]
  const needs = workloads.map((work) => [work, needOf(costs, work)] as const)
  const row = (label: string, of: (need: Need) => string) =>
    `| ${label} | ${needs.map(([, need]) => of(need)).join(' | ')} |`
  return [
    '| Measured | |\n| --- | --- |\n' + measured.map((each) => `| ${each.join(' | ')} |`).join('\n'),
    [
      `| A million viewers | ${needs.map(([{ name }]) => name).join(' | ')} |`,
      `| --- |${needs.map(() => ' --- |').join('')}`,
      row('nodes of one core', ({ nodes }) => cell(nodes)),
      row('… for CPU alone', ({ nodesFor }) => cell(nodesFor.cpu)),
      row('… for memory alone', ({ nodesFor }) => cell(nodesFor.memory)),
      row('viewers a node', ({ viewersPerNode }) => cell(viewersPerNode)),
      row('writes a second and viewer', ({ writesPerSecond }) => cell(writesPerSecond, 2)),
      row('deliveries/s', ({ deliveriesPerSecond }) => cell(deliveriesPerSecond)),
      row('posts/s', ({ postsPerSecond }) => cell(postsPerSecond)),
      row('Postgres, cores', ({ postgresCores }) => cell(postgresCores, 2)),
      row('Redis, cores', ({ redisCores }) => cell(redisCores, 2)),
      row('Redis, out, MB/s', ({ redisBytesPerSecond }) => cell(redisBytesPerSecond / 1e6, 1)),
      row('a node, out, MB/s', ({ nodeBytesPerSecond }) => cell(nodeBytesPerSecond / 1e6, 1)),
    ].join('\n'),
  ].join('\n\n')
}
