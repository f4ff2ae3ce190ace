import { setTimeout as wait } from 'node:timers/promises'
import type { ModelLimits } from './limits.ts'
import { inWords } from './model-errors.ts'
import { ModelError } from './model.ts'

/** The clock of one generation. */
export interface Deadlines {
  /** Aborted when the caller's signal is, or with a ModelError when time is up. */
  readonly signal: AbortSignal
  /** A request goes out: the first part is waited for. */
  start(): void
  /** A part has come, and its reader takes the time that it needs. */
  suspend(): void
  /** The next part is waited for. */
  resume(): void
  /** The reply is done, and only what is said about it is waited for. Calls `end` when that took long enough. */
  tail(end: () => void): void
  /** Waits before another request. Throws the signal's reason. */
  pause(ms: number): Promise<void>
  clear(): void
}

export function createDeadlines(
  limits: Pick<ModelLimits, 'firstPartMs' | 'silenceMs' | 'wholeMs' | 'tailMs'>,
  given: AbortSignal,
): Deadlines {
  const controller = new AbortController()
  const { signal } = controller
  let timer: NodeJS.Timeout | undefined
  let isDone = false
  const stall = (message: string) => controller.abort(new ModelError('stalled', message))
  const arm = (ms: number, ring: () => void) => {
    clearTimeout(timer)
    timer = setTimeout(ring, ms)
  }
  const stop = () => controller.abort(given.reason)
  if (given.aborted) stop()
  given.addEventListener('abort', stop, { once: true })
  const whole = setTimeout(
    () => stall(`The model was stopped, because its reply took longer than ${inWords(limits.wholeMs)}.`),
    limits.wholeMs,
  )
  return {
    signal,
    start: () =>
      arm(limits.firstPartMs, () =>
        stall(`The model did not begin to reply within ${inWords(limits.firstPartMs)}.`),
      ),
    suspend: () => isDone || clearTimeout(timer),
    resume: () =>
      isDone || arm(limits.silenceMs, () => stall(`The model fell silent for ${inWords(limits.silenceMs)}.`)),
    tail: (end) => {
      isDone = true
      arm(limits.tailMs, end)
    },
    pause: async (ms) => {
      clearTimeout(timer)
      await wait(ms, undefined, { signal }).catch(() => signal.throwIfAborted())
    },
    clear: () => {
      clearTimeout(timer)
      clearTimeout(whole)
      given.removeEventListener('abort', stop)
    },
  }
}
