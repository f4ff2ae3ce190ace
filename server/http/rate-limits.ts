import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import { Problem } from '../../shared/errors.ts'

/** How often one person, or one address where nobody is signed in, may do a thing: `points` in `seconds`. */
const rates = {
  read: { points: 600, seconds: 60 },
  write: { points: 60, seconds: 60 },
  react: { points: 120, seconds: 60 },
  preview: { points: 120, seconds: 60 },
  /** Whatever guests of one address change: a guest is quickly made anew. */
  guests: { points: 180, seconds: 60 },
  ask: { points: 30, seconds: 600 },
  /** AI replies that guests of one address ask for, all together. */
  'guest-asks': { points: 60, seconds: 86_400 },
  /** Pieces of text that an agent outside sends. */
  append: { points: 1_200, seconds: 60 },
  'create-thread': { points: 20, seconds: 3_600 },
  /** Threads of pages that somebody is the first to comment on. */
  'open-page': { points: 60, seconds: 3_600 },
  /** Requests for the counts of a list of pages. */
  counts: { points: 300, seconds: 60 },
  auth: { points: 60, seconds: 60 },
  'sign-in': { points: 20, seconds: 300 },
} as const

export type LimitName = keyof typeof rates

export interface RateLimits {
  /** Counts one use, or one that weighs as much as `points`. Throws rate-limited with the time until the next is granted. */
  take(name: LimitName, who: string, points?: number): Promise<void>
}

/** Makes the counter for one limit. A counter rejects with a `RateLimiterRes` when the limit is reached. */
export type CounterFactory = (name: string, rate: { points: number; seconds: number }) => Counter
export interface Counter {
  consume(key: string, points?: number): Promise<unknown>
}

/** Counts in this process: all that one node needs. */
export function memoryCounters(name: string, rate: { points: number; seconds: number }): RateLimiterMemory {
  return new RateLimiterMemory({ keyPrefix: name, points: rate.points, duration: rate.seconds })
}

export function createRateLimits(createCounter: CounterFactory): RateLimits {
  const counters = new Map<string, Counter>()
  for (const [name, rate] of Object.entries(rates)) counters.set(name, createCounter(name, rate))
  return {
    async take(name, who, points = 1) {
      try {
        await counters.get(name)!.consume(who, points)
      } catch (refusal) {
        if (!(refusal instanceof RateLimiterRes)) throw refusal
        throw new Problem('rate-limited', { retryMs: Math.max(1, refusal.msBeforeNext) })
      }
    },
  }
}

/** For load tests. */
export const unlimited: RateLimits = { take: () => Promise.resolve() }
