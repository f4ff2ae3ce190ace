import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { openRedisData } from '../../server/bus/redis-data.ts'
import { createRateLimits } from '../../server/http/rate-limits.ts'
import { createRedisCounters } from '../../server/http/redis-counters.ts'
import { startRedis, startRedisCluster } from '../helpers/redis.ts'
import { describeWith } from '../helpers/services.ts'

/** What `create-thread` grants in an hour. */
const granted = 20

describeWith('redis', 'rate limits over Redis', () => {
  describe.each(['one server', 'a Cluster'])('%s', (kind) => {
    let redis: { url: string; stop(): Promise<void> }
    beforeAll(async () => {
      redis = kind === 'one server' ? await startRedis() : await startRedisCluster({ nodes: 6 })
    })
    afterAll(() => redis.stop())

    test('two nodes share one count', async () => {
      const nodes = [0, 1].map(() => openRedisData(redis.url, () => undefined))
      const limits = nodes.map((node) => createRateLimits(createRedisCounters(node)))
      try {
        // Until both are connected each counts alone, for which every try takes another name.
        let tries = 0
        await vi.waitFor(
          async () => {
            const who = `ada-${tries++}`
            for (let i = 0; i < granted; i++) await limits[i % 2]!.take('create-thread', who)
            const refusals = await Promise.allSettled(limits.map((limit) => limit.take('create-thread', who)))
            expect(refusals.map((refusal) => refusal.status)).toEqual(['rejected', 'rejected'])
          },
          { timeout: 15_000 },
        )
      } finally {
        for (const node of nodes) node.close()
      }
    })
  })

  test('without Redis a node counts for itself, and refuses all the same', async () => {
    const redis = await startRedis()
    const node = openRedisData(redis.url, () => undefined)
    const limits = createRateLimits(createRedisCounters(node))
    try {
      await limits.take('create-thread', 'ada')
      await redis.kill('SIGKILL')
      for (let i = 0; i < granted; i++) await limits.take('create-thread', 'bob')
      await expect(limits.take('create-thread', 'bob')).rejects.toMatchObject({ code: 'rate-limited' })
    } finally {
      node.close()
      await redis.stop()
    }
  })
})
