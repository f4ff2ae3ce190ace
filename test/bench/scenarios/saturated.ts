import { fanOut, fanOutMetrics } from '../fan-out.ts'
import type { Scenario } from '../scenario.ts'
import { startSystem, type SystemName } from '../systems.ts'

const viewers = 1_000
const writers = 16
/** Of each writer: with fewer, the slower answers of a system would lower what it is offered. */
const outstanding = 4
const postsPerSecond = 1_000
const textBytes = 200
const seconds = 8
const warmUpSeconds = 2
const sampled = 20

export const saturated: Scenario = {
  name: 'saturated',
  title: 'One thread, more than anyone can take',
  about: `${viewers} viewers of one thread on one node; ${writers} writers offer ${postsPerSecond} posts/s of ${textBytes} bytes for ${seconds} s, each with at most ${outstanding} requests under way.`,
  variants: ['numinex', 'socket.io', 'ws', 'nchan'],
  metrics: fanOutMetrics,
  charts: ['deliveries', 'cpu'],
  async run(bench, variant) {
    const system = await startSystem(bench, variant as SystemName)
    try {
      const target = { port: system.ports[0]!, thread: await system.newThread() }
      return await fanOut(bench, system, {
        groups: [{ ...target, viewers, sampled }],
        targets: [target],
        writers,
        outstanding,
        rate: postsPerSecond,
        bytes: textBytes,
        warmUpSeconds: bench.quick ? 1 : warmUpSeconds,
        seconds: bench.quick ? 2 : seconds,
      })
    } finally {
      await system.stop()
    }
  },
}
