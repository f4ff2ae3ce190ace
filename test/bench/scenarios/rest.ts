import { fanOut, fanOutMetrics } from '../fan-out.ts'
import type { Scenario } from '../scenario.ts'
import { startSystem, type SystemName } from '../systems.ts'

const viewers = 1_000
const writers = 16
/** Of each writer, at the most. */
const outstanding = 4
const postsPerSecond = 20
const textBytes = 200
const seconds = 8
const warmUpSeconds = 2
const sampled = 20

export const rest: Scenario = {
  name: 'rest',
  title: 'One thread, at rest',
  about: `${viewers} viewers of one thread on one node; ${writers} writers offer ${postsPerSecond} posts/s of ${textBytes} bytes for ${seconds} s: the load of a lively discussion.`,
  variants: ['numinex', 'ws', 'socket.io', 'nchan'],
  metrics: fanOutMetrics,
  charts: ['cpu', 'latestP50'],
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
