import { fanOut, fanOutMetrics } from '../fan-out.ts'
import type { Scenario } from '../scenario.ts'
import { startSystem, type SystemName } from '../systems.ts'

/** What the scenarios of one thread with a thousand viewers have in common. */
export const oneThreadLoad = {
  viewers: 1_000,
  writers: 16,
  /** Of each writer: with fewer, the slower answers of a system would lower what it is offered. */
  outstanding: 4,
  textBytes: 200,
  seconds: 8,
} as const

const warmUpSeconds = 2
const sampled = 20

/** One thread, to which `rate` posts a second are offered. */
export function oneThread(
  scenario: Pick<Scenario, 'name' | 'title' | 'about' | 'variants' | 'charts'>,
  rate: number,
): Scenario {
  const { viewers, writers, outstanding, textBytes, seconds } = oneThreadLoad
  return {
    ...scenario,
    metrics: fanOutMetrics,
    async run(bench, variant) {
      const system = await startSystem(bench, variant as SystemName)
      try {
        const target = { port: system.ports[0]!, thread: await system.newThread() }
        return await fanOut(bench, system, {
          groups: [{ ...target, viewers, sampled }],
          targets: [target],
          writers,
          outstanding,
          rate,
          bytes: textBytes,
          warmUpSeconds: bench.quick ? 1 : warmUpSeconds,
          seconds: bench.quick ? 2 : seconds,
        })
      } finally {
        await system.stop()
      }
    },
  }
}
