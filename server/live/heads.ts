import { LRUCache } from 'lru-cache'
import type { Bus } from '../bus/bus.ts'
import type { Db } from '../store/database.ts'
import { readHeads } from '../store/read.ts'
import type { Committed } from './committed.ts'
import type { KnownHeads } from './hub.ts'
import { liveLimits } from './limits.ts'

/** Where threads stand, for who reads them. */
export interface Heads {
  /**
   * The head of a thread; undefined where there is no such thread. A room of this node answers where it can, and costs no
   * query. The answer is never behind what this node committed itself; what others committed may be missing for as long as
   * the bus takes, and where the bus lost it, until heads are compared.
   */
  of(thread: string): Promise<number | undefined>
  /** Takes note of a seq that was told to somebody here, who must not read less than that afterwards. */
  told(thread: string, seq: number): void
  /**
   * Another number than before when a head went back: the database was restored from an older copy, and the same seq may
   * say something else from now on.
   */
  readonly era: number
}

export function createHeads(parts: { db: Db; bus: Bus; hub: KnownHeads; committed: Committed }): Heads {
  const { db, bus, hub, committed } = parts
  const readOnce = new LRUCache<string, number>({
    max: liveLimits.readOnce,
    ttl: liveLimits.readAgainMs,
    ttlResolution: 0,
    perf: { now: () => performance.now() },
  })
  const ask = createAsker(db)
  let setbacks = 0

  async function read(thread: string): Promise<number | undefined> {
    const head = await ask(thread)
    const before = readOnce.get(thread)
    if ((head ?? 0) < (before ?? 0)) setbacks++
    if (head === undefined) {
      readOnce.delete(thread)
      return undefined
    }
    // A crawler reads each thread once, and gets no rooms for it.
    if (before !== undefined) void hub.follow(thread)
    readOnce.set(thread, head)
    return head
  }

  return {
    of(thread) {
      // Without the bus, rooms hear of nothing between two comparisons.
      const known = bus.up ? hub.head(thread) : undefined
      const stands = known !== undefined && known >= committed.seq(thread)
      return stands ? Promise.resolve(known) : read(thread)
    },
    told: (thread, seq) => committed.note(thread, seq),
    get era() {
      return setbacks + hub.setbacks
    },
  }
}

/**
 * Asks the database for heads, one query at a time: who comes while one is under way shares the next, with all others who
 * wait. So a crowd costs few queries, and nobody gets an answer that is older than the question.
 */
function createAsker(db: Db): (thread: string) => Promise<number | undefined> {
  let current: Promise<unknown> | undefined
  let next: { threads: Set<string>; heads: Promise<Map<string, number>> } | undefined

  function begin() {
    const threads = new Set<string>()
    const started = (async () => {
      // Whoever asks in this turn of the event loop comes along; how the one before ended is told to those who asked then.
      await current?.catch(() => undefined)
      next = undefined
      const reading = readHeads(db, [...threads])
      current = reading
      return reading
    })()
    return { threads, heads: started }
  }

  return async (thread) => {
    next ??= begin()
    next.threads.add(thread)
    return (await next.heads).get(thread)
  }
}
