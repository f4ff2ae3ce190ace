import type { ThreadSnapshot } from '../../shared/http.ts'

/** A thread's changes up to its head, newest first in importance: `from` is the seq after which none is missing. */
export interface Difference extends Omit<ThreadSnapshot, 'thread'> {
  from: number
  /** Nothing where the thread is not there yet, which is at seq 0. */
  thread: ThreadSnapshot['thread'] | undefined
}

/**
 * Reads differences for many who ask at once: one query is under way at a time, and the next one serves all that
 * came meanwhile, from the oldest `after` among them. Ten thousand viewers who come back cost a few queries.
 */
export function createDifferenceReader(
  read: (after: number) => Promise<Difference>,
): (after: number) => Promise<Difference> {
  let waiting: { after: number; result: Promise<Difference> } | undefined
  let current: Promise<unknown> = Promise.resolve()

  return (after) => {
    if (waiting) {
      waiting.after = Math.min(waiting.after, after)
      return waiting.result
    }
    const batch = { after, result: undefined as unknown as Promise<Difference> }
    batch.result = current.then(() => {
      // From here on, whoever asks needs a newer read than this one.
      waiting = undefined
      return read(batch.after)
    })
    waiting = batch
    current = batch.result.catch(() => undefined)
    return batch.result
  }
}
