import { setTimeout as sleep } from 'node:timers/promises'
import { readThread } from '../../helpers/postings.ts'
import { cpuUs } from '../processes.ts'
import { busyLoad, type Scenario } from '../scenario.ts'
import { startSystem, type SystemName } from '../systems.ts'

const viewers = 10_000
/** Posts of the thread, all of which the viewers have. */
const posts = 50
const textBytes = 200
/** How they come the first time; then all at once. */
const atOnce = 200
const calmMs = 3_000

export const joins: Scenario = {
  name: 'joins',
  title: 'Everyone comes back at once',
  about: `${viewers} viewers of one thread of ${posts} posts on one node lose their connections in the same moment, and all connect and join again at once. Those of Numinex say up to where they know the thread, and are told what changed since, which is nothing; the others only get back into their room.`,
  variants: ['numinex', 'ws', 'socket.io', 'nchan'],
  metrics: [
    { key: 'ms', label: 'until all have joined, ms', better: 'lower' },
    { key: 'cpu', label: 'CPU a join, µs', better: 'lower' },
    { key: 'p50', label: 'of one viewer, p50, ms', better: 'lower' },
    { key: 'p99', label: 'of one viewer, p99, ms', better: 'lower' },
    { key: 'statements', label: 'SQL statements meanwhile, of all viewers' },
    { key: 'cores', label: 'server, cores' },
    { key: 'crowdCores', label: 'load: viewers, cores' },
  ],
  charts: ['ms', 'cpu'],
  async run(bench, variant) {
    const system = await startSystem(bench, variant as SystemName)
    try {
      const target = { port: system.ports[0]!, thread: await system.newThread() }
      const order = { wire: system.wire, targets: [target], writers: await system.writers(1), outstanding: 1 }
      await bench.writers.call('write', { ...order, rate: posts, seconds: 1, bytes: textBytes })
      const numinex = system.wire === 'numinex'
      const after = numinex ? (await readThread(`http://127.0.0.1:${target.port}`, target.thread)).seq : 0
      const groups = [{ ...target, viewers, sampled: 20, after }]
      await bench.crowd.call('open', { wire: system.wire, groups, atOnce })
      await sleep(calmMs)
      await bench.crowd.call('drop', undefined)
      // Until the server has noticed, too: what it does about it belongs to no storm.
      await sleep(calmMs)
      const { statements, databases } = bench.services
      const database = numinex ? databases[variant as 'numinex' | 'before'] : databases.peers
      const before = [cpuUs(system.pids), await statements(database)] as const
      const stormed = await bench.crowd.call('again', { atOnce: viewers })
      const cpu = cpuUs(system.pids) - before[0]
      const crowdCores = stormed.cpuUs / 1e3 / stormed.ms
      return {
        numbers: {
          ms: stormed.ms,
          cpu: cpu / viewers,
          p50: stormed.each.p50,
          p99: stormed.each.p99,
          statements: (await statements(database)) - before[1],
          cores: cpu / 1e3 / stormed.ms,
          crowdCores,
        },
        notes: busyLoad(crowdCores),
      }
    } finally {
      await bench.crowd.call('drop', undefined)
      await system.stop()
    }
  },
}
