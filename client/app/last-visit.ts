import { readJson, type Remembered } from './storage.ts'

/** What a browser remembers of a thread. Numbers are those of posts, `at` is in milliseconds since 1970. */
interface Kept {
  last: number
  at: number
  since: number | null
}

/** How far the reader knows the thread from an earlier visit. */
export interface LastVisit {
  /** The last post that was there then; nothing on a first visit. */
  readonly since: number | undefined
  /** The reader looks at the thread, which goes up to the post `last`. */
  saw(last: number): void
}

// Who reloads the page, or comes back after a cup of tea, is still on the same visit.
const pauseMs = 30 * 60_000

export function createLastVisit(store: Remembered, now: () => number = Date.now): LastVisit {
  const kept = readJson<Kept>(store)
  const same = kept !== undefined && now() - kept.at < pauseMs
  const since = (same ? kept.since : kept?.last) ?? undefined
  return {
    since,
    saw: (last) => store.set(JSON.stringify({ last, at: now(), since: since ?? null } satisfies Kept)),
  }
}
