import { LRUCache } from 'lru-cache'
import type { ThreadSnapshot } from '../../shared/http.ts'
import type { Db } from '../store/database.ts'
import { getChanges } from '../threads/threads.ts'

/** Threads as JSON, ready to send. */
export interface Snapshots {
  /**
   * What changed in a thread since `after`. `head` is where the thread stands now: many who ask for the same difference
   * at the same head get one answer from one read. Throws thread-not-found.
   */
  read(thread: string, after: number, head: number | undefined): Promise<{ json: string; seq: number }>
  /** The thread whole, at `head`. Throws thread-not-found. */
  whole(thread: string, head: number): Promise<ThreadSnapshot>
}

/** UTF-16 units kept in memory. */
const cacheSize = 16 * 1024 * 1024
/** Milliseconds that an answer is kept at the most. */
const cacheMs = 30_000

export function createSnapshots(db: Db): Snapshots {
  const answers = new LRUCache<string, { json: string; seq: number }>({
    maxSize: cacheSize,
    // What a post shows of other threads can change without this thread's head, should a node fail at that moment.
    ttl: cacheMs,
    sizeCalculation: ({ json }) => json.length + 1,
  })
  const reading = new Map<string, Promise<{ json: string; seq: number }>>()

  async function load(key: string, thread: string, after: number) {
    const changes = await getChanges({ db }, thread, after)
    const answer = { json: JSON.stringify(changes), seq: changes.seq }
    answers.set(key, answer)
    return answer
  }

  function read(thread: string, after: number, head: number | undefined) {
    const key = `${thread} ${after} ${head ?? ''}`
    const known = head === undefined ? undefined : answers.get(key)
    if (known) return Promise.resolve(known)
    const flight = reading.get(key) ?? load(key, thread, after).finally(() => reading.delete(key))
    reading.set(key, flight)
    return flight
  }

  return {
    read,
    whole: async (thread, head) => JSON.parse((await read(thread, 0, head)).json) as ThreadSnapshot,
  }
}
