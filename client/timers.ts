/** The clock and its timers, as parts so that tests can hold them. Times are in milliseconds. */
export interface Timers {
  set(run: () => void, ms: number): unknown
  clear(timer: unknown): void
  now(): number
}

export const systemTimers: Timers = {
  set: (run, ms) => setTimeout(run, ms),
  clear: (timer) => clearTimeout(timer as ReturnType<typeof setTimeout>),
  now: () => Date.now(),
}
