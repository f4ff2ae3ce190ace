import { RateLimiterRedis } from 'rate-limiter-flexible'
import type { RedisData } from '../bus/redis-data.ts'
import { memoryCounters, type Counter, type CounterFactory } from './rate-limits.ts'

/**
 * Counters that all nodes share. While Redis does not answer, each node counts for itself: limits become looser by the
 * number of nodes, and nobody is refused for it.
 */
export function createRedisCounters(redis: RedisData): CounterFactory {
  return (name, rate): Counter => {
    const insuranceLimiter = memoryCounters(name, rate)
    let counter: RateLimiterRedis | undefined
    return {
      consume(key, points) {
        if (redis.client === undefined) return insuranceLimiter.consume(key, points)
        counter ??= new RateLimiterRedis({
          storeClient: redis.client,
          keyPrefix: `numinex:limit:${name}`,
          points: rate.points,
          duration: rate.seconds,
          insuranceLimiter,
        })
        return counter.consume(key, points)
      },
    }
  }
}
