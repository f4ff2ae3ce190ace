/** The process in which all viewers live. */
import { setTimeout as sleep } from 'node:timers/promises'
import { percentiles, type Percentiles } from '../stats.ts'
import { nowUs } from './clock.ts'
import { answerCalls } from './rpc.ts'
import { readStamp } from './stamps.ts'
import { tally, type Heard, type Tally } from './tally.ts'
import { openViewer, type Viewer } from './viewer.ts'
import { wires, type WireName } from './wires.ts'

/** Viewers of one thread on one server. */
export interface Group {
  port: number
  thread: string
  viewers: number
  /** The seq that they have, of a thread of Numinex. */
  after?: number
  /** How many of them read every message; the others count. Spread evenly over the order of joining, the last included. */
  sampled: number
  /** Bytes below which a message holds no post. Such messages come to each viewer at their own times and are not counted. */
  shortest?: number
}

export interface CrowdReport extends Tally {
  /** Of receipts by sampled viewers, and of each post's latest receipt among them, in ms since it was sent. */
  receipts: Percentiles
  latest: Percentiles
  /** When the last post was received, in microseconds of `nowUs`. */
  lastUs: number
  /** CPU of this process, in microseconds. */
  cpuUs: number
}

interface Seat extends Heard {
  group: number
  viewer: Viewer
}

const state = { wire: 'ws' as WireName, groups: [] as Group[], seats: [] as Seat[] }
let since = { cpu: process.cpuUsage() }
let lastUs = 0
const receiptMs: number[] = []
const latestMs = new Map<number, number>()

export type CrowdMethods = typeof methods
const methods = {
  /** Everyone joins, at most `atOnce` on the way at a time. Gives how long it took and how long each one's joining took. */
  async open(order: { wire: WireName; groups: Group[]; atOnce: number }) {
    state.wire = order.wire
    state.groups = order.groups
    return await joinAll(order.atOnce)
  },

  /** All lose their connection at once. */
  drop() {
    for (const { viewer } of state.seats) viewer.drop()
    state.seats = []
  },

  /** Everyone comes back. */
  async again({ atOnce }: { atOnce: number }) {
    return await joinAll(atOnce)
  },

  /** Counting begins anew. */
  mark() {
    for (const seat of state.seats) {
      seat.posts.clear()
      seat.repeated = 0
      seat.viewer.walker.bytes = seat.viewer.walker.frames = 0
    }
    receiptMs.length = 0
    latestMs.clear()
    since = { cpu: process.cpuUsage() }
  },

  /** What everyone got so far. */
  look() {
    const cpu = process.cpuUsage(since.cpu)
    return { ...count(state.groups.map(() => 0)), cpuUs: cpu.user + cpu.system }
  },

  /**
   * Waits until everyone has what the writers were told is written, or nothing has come for a while, and says what came.
   * `expected` is in the order of the groups.
   */
  async settle({ expected, quietMs }: { expected: number[]; quietMs: number }): Promise<CrowdReport> {
    let seen = -1
    for (let quiet = 0; quiet < quietMs; quiet += 50) {
      const bytes = state.seats.reduce((sum, { viewer }) => sum + viewer.walker.bytes, 0)
      if (bytes !== seen) quiet = 0
      seen = bytes
      const report = count(expected)
      // A little longer: what would come too much would come now.
      if (report.missing === 0 && quiet >= 100) break
      await sleep(50)
    }
    const cpu = process.cpuUsage(since.cpu)
    return {
      ...count(expected),
      receipts: percentiles(receiptMs),
      latest: percentiles([...latestMs.values()]),
      lastUs,
      cpuUs: cpu.user + cpu.system,
    }
  },
}

function count(expected: number[]): Tally {
  const groups = state.groups.map(() => [] as Heard[])
  for (const seat of state.seats) {
    seat.bytes = seat.viewer.walker.bytes
    seat.lost = seat.viewer.lost
    seat.frames = seat.viewer.walker.frames
    groups[seat.group]!.push(seat)
  }
  return tally(groups, expected)
}

interface Joined {
  ms: number
  each: Percentiles
  cpuUs: number
}

async function joinAll(atOnce: number): Promise<Joined> {
  const places = state.groups.flatMap((group, index) =>
    Array.from({ length: group.viewers }, (_, place) => ({ group: index, sampled: isSampled(place, group) })),
  )
  const each: number[] = []
  const cpu = process.cpuUsage()
  const began = performance.now()
  let next = 0
  const seats: Seat[] = []
  async function joinOneByOne(): Promise<void> {
    while (next < places.length) {
      const place = next++
      const startedAt = performance.now()
      seats[place] = await join(places[place]!)
      each.push(performance.now() - startedAt)
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, places.length) }, joinOneByOne))
  state.seats = seats
  const { user, system } = process.cpuUsage(cpu)
  return { ms: performance.now() - began, each: percentiles(each), cpuUs: user + system }
}

function isSampled(place: number, { viewers, sampled }: Group): boolean {
  return Math.floor(((place + 1) * sampled) / viewers) > Math.floor((place * sampled) / viewers)
}

async function join({ group, sampled }: { group: number; sampled: boolean }): Promise<Seat> {
  const wire = wires[state.wire]
  const { port, thread, after = 0, shortest = 150 } = state.groups[group]!
  const heard: Heard = {
    sampled,
    posts: new Set<number>(),
    repeated: 0,
    bytes: 0,
    frames: 0,
    lost: undefined,
  }
  const read = (message: string) => {
    const at = nowUs()
    for (const text of wire.texts(message)) {
      const stamp = readStamp(text)
      if (!stamp) continue
      if (heard.posts.has(stamp.id)) heard.repeated++
      heard.posts.add(stamp.id)
      const ms = (at - stamp.sentUs) / 1e3
      receiptMs.push(ms)
      latestMs.set(stamp.id, Math.max(ms, latestMs.get(stamp.id) ?? 0))
      lastUs = at
    }
  }
  const viewer = await openViewer({ wire, port, thread, after }, sampled ? read : undefined)
  viewer.walker.shortest = shortest
  return Object.assign(heard, { group, viewer })
}

answerCalls(methods)
