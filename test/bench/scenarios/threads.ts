import { fanOut, fanOutMetrics } from '../fan-out.ts'
import type { Bench, Scenario } from '../scenario.ts'
import { startSystem, type System, type SystemName } from '../systems.ts'

const threads = 2_000
const viewersEach = 5
const writers = 16
const outstanding = 4
const postsPerSecond = 200
const textBytes = 200
const seconds = 8
const warmUpSeconds = 3

export const manyThreads: Scenario = {
  name: 'threads',
  title: 'Many small threads',
  about: `${threads} threads with ${viewersEach} viewers each on one node; ${writers} writers offer ${postsPerSecond} posts/s of ${textBytes} bytes, to one thread after the other, for ${seconds} s.`,
  variants: ['numinex', 'ws', 'socket.io', 'nchan'],
  metrics: fanOutMetrics,
  charts: ['cpu', 'p50'],
  async run(bench, variant) {
    const system = await startSystem(bench, variant as SystemName)
    try {
      const port = system.ports[0]!
      const targets = (await threadsOf(bench, system, variant)).map((thread) => ({ port, thread }))
      return await fanOut(bench, system, {
        groups: targets.map((target) => ({ ...target, viewers: viewersEach, sampled: 1 })),
        targets,
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

/** Made in the first round, sixteen at a time. */
async function threadsOf(bench: Bench, system: System, variant: string): Promise<string[]> {
  const key = `threads ${variant}`
  const known = bench.kept.get(key) as string[] | undefined
  if (known) return known
  const made: string[] = []
  const make = async () => {
    while (made.length < threads) made.push(await system.newThread())
  }
  await Promise.all(Array.from({ length: 16 }, make))
  made.length = threads
  bench.kept.set(key, made)
  return made
}
