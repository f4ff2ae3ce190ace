import { setTimeout as sleep } from 'node:timers/promises'
import { cpuUs, memoryBytes } from '../processes.ts'
import type { Scenario } from '../scenario.ts'
import { startSystem, type SystemName } from '../systems.ts'

const viewers = 10_000
/** Who join and leave before anything is measured, so that code is loaded and compiled. */
const warmUpViewers = 500
/** Connections on the way at a time: a crowd that comes in the course of seconds, not a storm. */
const atOnce = 100
const sampled = 200
const posts = 10
const textBytes = 200
/** Before memory is read, and the posts are sent. */
const settleMs = 6_000

export const crowd: Scenario = {
  name: 'crowd',
  title: 'A crowd in one thread',
  about: `${viewers} viewers join one thread on one node, ${atOnce} at a time; then ${posts} posts of ${textBytes} bytes, one a second.`,
  variants: ['numinex', 'ws', 'socket.io', 'nchan'],
  metrics: [
    { key: 'memory', label: 'memory a viewer, kB', better: 'lower' },
    { key: 'latestP50', label: 'POST sent to the last of the sampled viewers, p50, ms', better: 'lower' },
    { key: 'p99', label: 'POST sent to receipt, p99, ms', better: 'lower' },
    { key: 'joinedMs', label: 'until all have joined, ms', better: 'lower' },
    { key: 'joinCpu', label: 'CPU a join, µs', better: 'lower' },
    { key: 'cpu', label: 'CPU a delivery, µs', better: 'lower' },
    { key: 'joinCores', label: 'load: viewers, cores while they join' },
    { key: 'crowdCores', label: 'load: viewers, cores while posts are sent' },
    { key: 'missing', label: 'deliveries missing' },
  ],
  charts: ['memory', 'latestP50'],
  async run(bench, variant) {
    const system = await startSystem(bench, variant as SystemName)
    try {
      const target = { port: system.ports[0]!, thread: await system.newThread() }
      const writers = await system.writers(1)
      const open = (viewers: number) =>
        bench.crowd.call('open', {
          wire: system.wire,
          groups: [{ ...target, viewers, sampled: Math.min(sampled, viewers) }],
          atOnce,
        })
      await open(warmUpViewers)
      await bench.crowd.call('drop', undefined)
      await sleep(bench.quick ? 2_000 : settleMs)

      const memory = memoryBytes(system.pids)
      const cpuBefore = cpuUs(system.pids)
      const joined = await open(viewers)
      const joinCpu = cpuUs(system.pids) - cpuBefore
      await sleep(bench.quick ? 2_000 : settleMs)
      const grown = memoryBytes(system.pids) - memory

      await bench.crowd.call('mark', undefined)
      const before = cpuUs(system.pids)
      const beganAt = performance.now()
      const written = await bench.writers.call('write', {
        wire: system.wire,
        targets: [target],
        writers,
        outstanding: 1,
        rate: 1,
        seconds: bench.quick ? 3 : posts,
        bytes: textBytes,
      })
      const heard = await bench.crowd.call('settle', { expected: written.byTarget, quietMs: 3_000 })
      const cpu = cpuUs(system.pids) - before
      return {
        numbers: {
          memory: grown / 1e3 / viewers,
          latestP50: heard.latest.p50,
          latestMax: heard.latest.max,
          p99: heard.receipts.p99,
          joinedMs: joined.ms,
          joinP99: joined.each.p99,
          joinCpu: joinCpu / viewers,
          joinCores: joined.cpuUs / 1e3 / joined.ms,
          cpu: cpu / heard.deliveries,
          crowdCores: heard.cpuUs / 1e3 / (performance.now() - beganAt),
          missing: heard.missing,
        },
        notes: [...heard.notes, ...written.failures],
      }
    } finally {
      await bench.crowd.call('drop', undefined)
      await system.stop()
    }
  },
}
