import type { Timers } from './timers.ts'

const firstRetryMs = 500
const lastRetryMs = 30_000

/**
 * How long to wait before try number `attempt` (from 0), in milliseconds: it doubles up to half a minute. Half of
 * it is chance, so that everyone who lost the same server does not come back in the same moment.
 */
export function retryDelay(attempt: number, random: () => number): number {
  const longest = Math.min(lastRetryMs, firstRetryMs * 2 ** Math.min(attempt, 16))
  return Math.round(longest / 2 + (random() * longest) / 2)
}

/** Calls `onSilence` once when `heard` was not called for the agreed time. */
export interface Watchdog {
  /** Something came; from now on silence is counted anew. A new `ms` changes how much of it is borne. */
  heard(ms?: number): void
  stop(): void
}

export function createWatchdog(timers: Timers, onSilence: () => void): Watchdog {
  let timer: unknown
  let patience = 0
  let last = 0

  function check(): void {
    const left = last + patience - timers.now()
    if (left <= 0) {
      timer = undefined
      onSilence()
    } else timer = timers.set(check, left)
  }

  return {
    // Sets no timer for each message: the running one looks at the time of the last message when it fires.
    heard(ms = patience) {
      const sooner = ms < patience
      patience = ms
      last = timers.now()
      if (timer !== undefined && sooner) {
        timers.clear(timer)
        timer = undefined
      }
      timer ??= timers.set(check, patience)
    },
    stop() {
      timers.clear(timer)
      timer = undefined
    },
  }
}
