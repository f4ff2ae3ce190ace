import type { Logger } from 'pino'
import { Problem } from '../../shared/errors.ts'
import { limits } from '../../shared/limits.ts'
import type { Bus } from '../bus/bus.ts'
import type { LiveText } from '../bus/live-text.ts'
import type { Db } from '../store/database.ts'
import { readHeads, readLatest } from '../store/read.ts'
import type { Difference } from './difference.ts'
import { liveLimits } from './limits.ts'
import type { LiveMetrics } from './metrics.ts'
import { readStreams } from './read-streams.ts'
import { createRoom, type Room } from './room.ts'

export interface HubParts {
  readonly db: Db
  readonly bus: Bus
  readonly liveText: LiveText
  readonly log: Logger
  readonly metrics: LiveMetrics
  /** This node's name, unique among all that share the bus. */
  readonly node: string
}

/** The rooms of this node. */
export interface Hub {
  /** The room of a thread, open. Throws thread-not-found, unless it is `expected`: its first viewers wait for it then. */
  room(thread: string, expected?: boolean): Promise<Room>
  /** Compares the heads of all rooms with the database's, in one query. */
  compareHeads(): Promise<void>
  close(): Promise<void>
}

/** What the rooms of a node tell those who read threads without viewing them. */
export interface KnownHeads {
  /** The head of a thread, where a room knows it and can be relied on. A room that is asked stays as if it had viewers. */
  head(thread: string): number | undefined
  /** Opens a room for those who read without viewing, while there are not too many of those. Never fails. */
  follow(thread: string): Promise<void>
  /** How often a thread was found to stand before its room: the database was restored from an older copy. */
  readonly setbacks: number
}

export function createHub(parts: HubParts): Hub & KnownHeads {
  const { db, bus, liveText, log, metrics, node } = parts
  const rooms = new Map<string, Entry>()
  let comparing: Promise<void> | undefined
  /** When the database was last asked for all heads, and answered. */
  let comparedAt = performance.now()
  let setbacks = 0
  /** Rooms that only readers keep open. */
  const followed = new Set<Entry>()
  let alias = 0

  const ticker = setInterval(tick, 1_000)
  const comparer = setInterval(() => void compareHeads(), liveLimits.headCheckMs)
  ticker.unref()
  comparer.unref()
  bus.onRecovered(() => void compareHeads())

  async function room(thread: string, expected = false): Promise<Room> {
    const known = rooms.get(thread)
    if (known) {
      known.emptySince = undefined
      try {
        await known.opened
      } catch (error) {
        // Those who do not wait for the thread were told that it is not there. By now this room is forgotten.
        if (expected && isNotFound(error)) return room(thread, true)
        throw error
      }
      if (known.room.head === 0 && !expected) throw new Problem('thread-not-found')
      return known.room
    }
    const created = createRoom({
      thread,
      node,
      bus,
      metrics,
      readDifference: async (after) => {
        const read = await readLatest(db, thread, after, limits.joinedPosts)
        if (read === undefined && !expected) throw new Problem('thread-not-found')
        return read ?? nothingYet
      },
      readStreams: () => readStreams({ db, liveText }, thread),
      nextAlias: () => ++alias,
      onError: (error) => log.warn({ err: error, thread }, 'room could not be repaired; it is tried again'),
    })
    const entry: Entry = {
      room: created,
      opened: created.open(),
      open: false,
      emptySince: undefined,
      seen: 0,
    }
    rooms.set(thread, entry)
    metrics.rooms.set(rooms.size)
    try {
      await entry.opened
      entry.open = true
    } catch (error) {
      drop(thread, entry)
      throw error
    }
    return created
  }

  function head(thread: string): number | undefined {
    const entry = rooms.get(thread)
    if (entry === undefined || !entry.open) return undefined
    if (performance.now() - comparedAt > liveLimits.headTrustMs) return undefined
    const known = entry.room.head
    // One that is not there yet, or that is about to learn what it missed.
    if (known === 0 || known < entry.seen) return undefined
    if (entry.room.size > 0 || keep(entry)) entry.emptySince = undefined
    return known
  }

  async function follow(thread: string): Promise<void> {
    if (rooms.has(thread) || followed.size >= liveLimits.readRooms) return
    try {
      const opening = room(thread)
      const entry = rooms.get(thread)
      if (entry) keep(entry)
      await opening
    } catch (error) {
      if (!isNotFound(error)) log.warn({ err: error, thread }, 'a room for readers did not open')
    }
  }

  /** Whether a room may stay for readers alone. */
  function keep(entry: Entry): boolean {
    if (followed.size < liveLimits.readRooms) followed.add(entry)
    return followed.has(entry)
  }

  function drop(thread: string, entry: Entry): void {
    if (rooms.get(thread) === entry) rooms.delete(thread)
    followed.delete(entry)
    metrics.rooms.set(rooms.size)
    entry.room.close().catch((error: unknown) => log.warn({ err: error, thread }, 'room did not close'))
  }

  function tick(): void {
    const now = performance.now()
    for (const [thread, entry] of rooms) {
      entry.room.tick()
      // One that opens is waited for.
      if (entry.room.size > 0 || !entry.open) entry.emptySince = undefined
      else if ((entry.emptySince ??= now) + lingerOf(entry.room) <= now) drop(thread, entry)
      if (entry.room.size > 0) followed.delete(entry)
    }
  }

  /** One comparison at a time: while the database is slow, another would only add to its load. */
  function compareHeads(): Promise<void> {
    comparing ??= compare().finally(() => (comparing = undefined))
    return comparing
  }

  async function compare(): Promise<void> {
    const asked = performance.now()
    const before = new Map([...rooms].map(([thread, { room: each }]) => [thread, each.head]))
    try {
      const heads = await readHeads(db, [...before.keys()])
      for (const [thread, headBefore] of before) {
        const entry = rooms.get(thread)
        const databaseHead = heads.get(thread)
        if (databaseHead !== undefined) entry?.room.compare(databaseHead, headBefore)
        // A thread that is gone is nobody's to tell of, and goes once.
        const seen = databaseHead ?? (headBefore > 0 ? Infinity : 0)
        if (seen < headBefore || (seen === Infinity && entry?.seen !== Infinity)) setbacks++
        if (entry) entry.seen = seen
      }
      comparedAt = asked
    } catch (error) {
      log.warn({ err: error }, 'heads could not be compared with the database; it is tried again')
    }
  }

  return {
    room,
    head,
    follow,
    get setbacks() {
      return setbacks
    },
    compareHeads,
    async close() {
      clearInterval(ticker)
      clearInterval(comparer)
      await comparing
      const all = [...rooms.values()]
      rooms.clear()
      await Promise.allSettled(all.map((entry) => entry.room.close()))
    },
  }
}

interface Entry {
  readonly room: Room
  readonly opened: Promise<void>
  open: boolean
  emptySince: number | undefined
  /** The head that the database was last seen to have. */
  seen: number
}

/** A thread that is not there costs nothing to come back to, and anyone can name any number of them. */
function lingerOf(room: Room): number {
  return room.head === 0 ? 0 : liveLimits.lingerMs
}

function isNotFound(error: unknown): boolean {
  return error instanceof Problem && error.code === 'thread-not-found'
}

/** A thread that is not there yet. */
const nothingYet: Difference = { thread: undefined, posts: [], seq: 0, from: 0 }
