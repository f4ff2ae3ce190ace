import { fanOut, fanOutMetrics } from '../fan-out.ts'
import type { Scenario } from '../scenario.ts'
import { startNuminex } from '../systems.ts'

const viewers = 1_000
const writers = 16
const outstanding = 4
/** Far below what one node takes: with more nodes than cores, they would be measured waiting for each other. */
const postsPerSecond = 20
const textBytes = 200
const seconds = 8
const warmUpSeconds = 2
const sampled = 24

const layouts: Record<string, { nodes: number; cluster: boolean }> = {
  '1 node': { nodes: 1, cluster: false },
  '2 nodes': { nodes: 2, cluster: false },
  '3 nodes': { nodes: 3, cluster: false },
  '4 nodes': { nodes: 4, cluster: false },
  '2 nodes, Redis Cluster': { nodes: 2, cluster: true },
}

export const nodes: Scenario = {
  name: 'nodes',
  title: 'Several nodes',
  about: `${viewers} viewers of one thread, spread over the nodes; ${writers} writers offer ${postsPerSecond} posts/s of ${textBytes} bytes to the nodes in turn, for ${seconds} s. All nodes share this machine, so what counts is CPU, not time. The CPU is that of all nodes together; a node has its share of the deliveries.`,
  variants: Object.keys(layouts),
  metrics: fanOutMetrics.filter(({ key }) => key !== 'deliveries'),
  charts: ['cpu'],
  async run(bench, variant) {
    const { nodes, cluster } = layouts[variant]!
    const { services } = bench
    const redis = cluster ? await services.cluster() : undefined
    const redisUrl = redis?.url ?? services.redis.url
    const system = await startNuminex(bench, 'numinex', { nodes, redisUrl })
    try {
      const thread = await system.newThread()
      const targets = system.ports.map((port) => ({ port, thread }))
      return await fanOut(bench, system, {
        groups: targets.map((target, i) => ({
          ...target,
          viewers: Math.floor((viewers * (i + 1)) / nodes) - Math.floor((viewers * i) / nodes),
          sampled: sampled / nodes,
        })),
        targets,
        writers,
        outstanding,
        rate: postsPerSecond,
        bytes: textBytes,
        warmUpSeconds: bench.quick ? 1 : warmUpSeconds,
        seconds: bench.quick ? 2 : seconds,
        ...(redis && { redisPids: redis.nodes.map(({ pid }) => pid) }),
      })
    } finally {
      await system.stop()
    }
  },
}
