import type { Timers } from '../../client/timers.ts'

/** A clock that stands still until it is told to go on. */
export interface ManualTimers extends Timers {
  /** Lets `ms` milliseconds pass; what falls due in them runs in order. */
  pass(ms: number): void
}

export function createManualTimers(): ManualTimers {
  let time = 1_000_000
  let next = 1
  const due = new Map<number, { at: number; run: () => void }>()
  return {
    now: () => time,
    set(run, ms) {
      due.set(next, { at: time + ms, run })
      return next++
    },
    clear: (timer) => void due.delete(timer as number),
    pass(ms) {
      const end = time + ms
      for (;;) {
        const [id, first] = [...due].toSorted((a, b) => a[1].at - b[1].at || a[0] - b[0])[0] ?? []
        if (id === undefined || first === undefined || first.at > end) break
        due.delete(id)
        time = Math.max(time, first.at)
        first.run()
      }
      time = end
    },
  }
}
