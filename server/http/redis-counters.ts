import { Cluster, Redis } from 'ioredis'
import type { Logger } from 'pino'
import { RateLimiterRedis } from 'rate-limiter-flexible'
import { parseRedisUrl, type RedisAddresses } from '../bus/redis-address.ts'
import { memoryCounters, type Counter, type CounterFactory } from './rate-limits.ts'

/** Pause between tries to find out what kind of Redis there is, in milliseconds. */
const retryMs = 1_000

/**
 * Counters that all nodes share. While Redis does not answer, each node counts for itself: limits become looser by the
 * number of nodes, and nobody is refused for it.
 */
export function createRedisCounters(
  url: string,
  log: Pick<Logger, 'warn'>,
): { create: CounterFactory; close(): void } {
  const addresses = parseRedisUrl(url)
  let client: Redis | Cluster | undefined
  let retry: NodeJS.Timeout | undefined
  let closed = false
  find()

  function find(): void {
    connect(addresses).then(
      (found) => {
        if (closed) return found.disconnect()
        client = found
        // It reconnects by itself; what it cannot count meanwhile is counted in memory.
        found.on('error', () => undefined)
      },
      () => {
        if (closed) return
        log.warn('limits are counted by this node alone until Redis answers')
        retry = setTimeout(find, retryMs)
        retry.unref()
      },
    )
  }

  return {
    create(name, rate): Counter {
      const insuranceLimiter = memoryCounters(name, rate)
      let counter: RateLimiterRedis | undefined
      return {
        consume(key, points) {
          if (client === undefined) return insuranceLimiter.consume(key, points)
          counter ??= new RateLimiterRedis({
            storeClient: client,
            keyPrefix: `numinex:limit:${name}`,
            points: rate.points,
            duration: rate.seconds,
            insuranceLimiter,
          })
          return counter.consume(key, points)
        },
      }
    },
    close() {
      closed = true
      clearTimeout(retry)
      client?.disconnect()
    },
  }
}

/** Connects to one server, or to a Cluster where that server is part of one. */
async function connect({ seeds, credentials }: RedisAddresses): Promise<Redis | Cluster> {
  const options = {
    ...credentials,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 1,
    commandTimeout: 1_000,
  }
  const single = new Redis({
    ...seeds[0]!,
    ...options,
    lazyConnect: true,
    retryStrategy: (n) => Math.min(50 * n, 1_000),
  })
  single.on('error', () => undefined)
  try {
    await single.connect()
    if (!/cluster_enabled:1/.test(await single.info('cluster'))) return single
  } catch (error) {
    single.disconnect()
    throw error
  }
  single.disconnect()
  return new Cluster([...seeds], {
    redisOptions: options,
    enableOfflineQueue: false,
    slotsRefreshInterval: 2_000,
  })
}
