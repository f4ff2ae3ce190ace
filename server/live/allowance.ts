import { Problem } from '../../shared/errors.ts'
import { liveLimits } from './limits.ts'

/** Something that is used up and comes back with time: holds `burst` at the most, and regains `perSecond`. */
export class Bucket {
  // A class, since sockets have one or two each: closures would cost several times what they hold.
  private readonly now: () => number
  private readonly burst: number
  private readonly perSecond: number
  private level: number
  private at: number

  /** `now` is in milliseconds. */
  constructor(now: () => number, burst: number, perSecond: number) {
    this.now = now
    this.burst = burst
    this.perSecond = perSecond
    this.level = burst
    this.at = now()
  }

  /** How much is left; less than nothing where more was taken. */
  left(): number {
    const passed = this.now() - this.at
    this.at += passed
    this.level = Math.min(this.burst, this.level + (passed / 1000) * this.perSecond)
    return this.level
  }

  take(amount: number): void {
    this.level -= amount
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
  return new AnswerBytes(now)
}

class AnswerBytes implements Allowance {
  private readonly bucket: Bucket

  constructor(now: () => number) {
    this.bucket = new Bucket(now, liveLimits.answerBytes, liveLimits.answerBytesPerSecond)
  }

  check(): void {
    const left = this.bucket.left()
    if (left > 0) return
    const { answerBytesPerSecond, answerRetryMs } = liveLimits
    const retryMs = Math.max(answerRetryMs, Math.ceil((-left / answerBytesPerSecond) * 1000))
    throw new Problem('rate-limited', { detail: 'more was asked for than may be sent at a time', retryMs })
  }

  spend(bytes: number): void {
    this.bucket.take(bytes)
  }
}
