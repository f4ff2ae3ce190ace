import { Problem } from '../../shared/errors.ts'
import { liveLimits } from './limits.ts'

/** Something that is used up and comes back with time. */
export interface Bucket {
  /** How much is left; less than nothing where more was taken. */
  left(): number
  take(amount: number): void
}

/** Holds `burst` at the most, and regains `perSecond`. `now` is in milliseconds. */
export function createBucket(now: () => number, burst: number, perSecond: number): Bucket {
  let level = burst
  let at = now()
  return {
    left() {
      const passed = now() - at
      at += passed
      level = Math.min(burst, level + (passed / 1000) * perSecond)
      return level
    },
    take(amount) {
      level -= amount
    },
  }
}

/** Bytes of answers that one socket may still draw: a small frame may ask for much. */
export interface Allowance {
  /** Throws rate-limited while nothing is left, with the time after which there is. */
  check(): void
  /** What an answer weighs is known when it is made: the last one may exceed what is left. */
  spend(bytes: number): void
}

export function createAllowance(now: () => number): Allowance {
  const { answerBytes, answerBytesPerSecond, answerRetryMs } = liveLimits
  const bucket = createBucket(now, answerBytes, answerBytesPerSecond)
  return {
    check() {
      const left = bucket.left()
      if (left > 0) return
      const retryMs = Math.max(answerRetryMs, Math.ceil((-left / answerBytesPerSecond) * 1000))
      throw new Problem('rate-limited', { detail: 'more was asked for than may be sent at a time', retryMs })
    },
    spend: bucket.take,
  }
}
