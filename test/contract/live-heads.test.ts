import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createMemoryLiveText } from '../../server/bus/live-text.ts'
import { createMemoryBus } from '../../server/bus/memory.ts'
import type { Bus } from '../../server/bus/bus.ts'
import { createCommitted, noting } from '../../server/live/committed.ts'
import { createHeads, type Heads } from '../../server/live/heads.ts'
import { createHub } from '../../server/live/hub.ts'
import { liveLimits } from '../../server/live/limits.ts'
import { createLiveMetrics, type LiveMetrics } from '../../server/live/metrics.ts'
import { publishChanges } from '../../server/threads/publish.ts'
import type { Db } from '../../server/store/database.ts'
import { addPost, addThread, addUser, describeStores } from '../helpers/store.ts'

const nowhere = '1111111111'

describeStores('the heads that a node knows', (store) => {
  let hub: ReturnType<typeof createHub>
  let heads: Heads
  let metrics: LiveMetrics
  let bus: Bus
  let thread: string
  /** Queries for heads, beside those of rooms. */
  let queries: number
  /** Queries of rooms. */
  let reads = 0
  let lossy: boolean
  let up: boolean
  let broken: boolean

  beforeEach(async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'performance'] })
    // A time of 0 is none to caches.
    await vi.advanceTimersByTimeAsync(1)
    metrics = createLiveMetrics(new Registry())
    queries = 0
    lossy = false
    up = true
    broken = false
    const memory = createMemoryBus()
    const flaky: Bus = {
      ...memory,
      publish: (topic, message) =>
        lossy && message.startsWith('c ') ? Promise.resolve() : memory.publish(topic, message),
      get up() {
        return up
      },
    }
    const committed = createCommitted()
    bus = noting(flaky, committed)
    const log = pino({ level: 'silent' })
    const counting = (count: () => void): Db =>
      store.db.withPlugin({
        transformQuery({ node }) {
          count()
          return node
        },
        transformResult: ({ result }) => Promise.resolve(result),
      })
    const ofRooms = counting(() => {
      reads++
      if (broken) throw new Error('the database does not answer')
    })
    hub = createHub({ db: ofRooms, bus: flaky, liveText: createMemoryLiveText(), log, metrics, node: 'n' })
    heads = createHeads({ db: counting(() => queries++), bus: flaky, hub, committed })
    await addUser(store.db, 'ada')
    thread = await addThread(store.db, 'ada')
  })
  afterEach(async () => {
    vi.useRealTimers()
    await hub.close()
    // What rooms had begun to read ends before the tables are emptied.
    for (let before = -1; before !== reads; await sleep(30)) before = reads
  })

  const rooms = async () => (await metrics.rooms.get()).values[0]!.value
  /** Lets time pass, second by second, as long as each is for the database. */
  async function pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 1_000) {
      await vi.advanceTimersByTimeAsync(Math.min(left, 1_000))
      if (!broken) await hub.compareHeads()
    }
  }
  /** A post that another node wrote, or this one where it is published. */
  const write = () => addPost(store.db, thread, 'ada', 'reply')
  /** Has the thread read until its room answers. */
  async function follow(): Promise<void> {
    await heads.of(thread)
    await heads.of(thread)
    await vi.waitFor(() => expect(hub.head(thread)).toBeGreaterThan(0))
    queries = 0
  }

  test('one that is read again and again is known without asking', async () => {
    await follow()
    for (let i = 0; i < 10; i++) expect(await heads.of(thread)).toBe(1)
    expect(queries).toBe(0)
    expect(await rooms()).toBe(1)
  })

  test('who reads each thread once opens no rooms', async () => {
    for (let i = 0; i < 20; i++) expect(await heads.of(await addThread(store.db, 'ada'))).toBe(1)
    expect([queries, await rooms()]).toEqual([20, 0])
    // Nor who comes back much later.
    await heads.of(thread)
    await pass(liveLimits.readAgainMs + 2_000)
    await heads.of(thread)
    expect(await rooms()).toBe(0)
  })

  test('one that is not there is not there, and opens no room', async () => {
    for (let i = 0; i < 3; i++) expect(await heads.of(nowhere)).toBeUndefined()
    expect(await rooms()).toBe(0)
  })

  test('many who ask at once share queries', async () => {
    const asked = Array.from({ length: 100 }, (_, i) => heads.of(i % 2 === 0 ? thread : nowhere))
    expect(new Set(await Promise.all(asked))).toEqual(new Set([1, undefined]))
    expect(queries).toBe(1)
  })

  test('a room stays while it is read, and goes a while after', async () => {
    await follow()
    for (let i = 0; i < 5; i++) {
      await pass(liveLimits.lingerMs / 2)
      await heads.of(thread)
    }
    expect(await rooms()).toBe(1)
    await pass(liveLimits.lingerMs + 2_000)
    expect(await rooms()).toBe(0)
    expect(await heads.of(thread)).toBe(1)
  })

  test('rooms for readers are bounded, and those with viewers take no place', async () => {
    const bound = liveLimits.readRooms
    ;(liveLimits as { readRooms: number }).readRooms = 3
    try {
      const threads = [thread]
      for (let i = 0; i < 5; i++) threads.push(await addThread(store.db, 'ada'))
      for (const each of threads) await hub.follow(each)
      expect(await rooms()).toBe(3)
      const room = await hub.room(threads[0]!)
      await room.join({ id: 'v', deliver: () => undefined, mention: () => undefined }, { after: 0 })
      await pass(1_000)
      for (const each of threads) await hub.follow(each)
      expect(await rooms()).toBe(4)
    } finally {
      ;(liveLimits as { readRooms: number }).readRooms = bound
    }
  })

  test('what this node committed is there at once, whatever the bus does with it', async () => {
    await follow()
    lossy = true
    const post = await write()
    publishChanges(bus, thread, [{ seq: post.seq, post }])
    expect(hub.head(thread)).toBe(1)
    expect(await heads.of(thread)).toBe(post.seq)
    expect(queries).toBe(1)
    await hub.compareHeads()
    await vi.waitFor(() => expect(hub.head(thread)).toBe(post.seq))
    expect(await heads.of(thread)).toBe(post.seq)
    expect(queries).toBe(1)
  })

  test('what another committed comes with the bus', async () => {
    await follow()
    const post = await write()
    publishChanges(bus, thread, [{ seq: post.seq, post }])
    await vi.waitFor(() => expect(hub.head(thread)).toBe(post.seq))
    expect(await heads.of(thread)).toBe(post.seq)
    expect(queries).toBe(0)
  })

  test('what the bus lost is noticed when heads are compared', async () => {
    await follow()
    await write()
    expect(await heads.of(thread)).toBe(1)
    await vi.advanceTimersByTimeAsync(liveLimits.headCheckMs)
    await vi.waitFor(async () => expect(await heads.of(thread)).toBe(2))
  })

  test('without the bus the database is asked', async () => {
    await follow()
    await write()
    up = false
    expect(await heads.of(thread)).toBe(2)
    expect(queries).toBe(1)
  })

  test('rooms that could not be compared for long are not believed', async () => {
    await follow()
    await write()
    broken = true
    await pass(liveLimits.headTrustMs + 1_000)
    expect(await heads.of(thread)).toBe(2)
    expect(queries).toBe(1)
  })

  test('a room that knows it is behind is not believed, even while it cannot catch up', async () => {
    await follow()
    await write()
    const comparing = hub.compareHeads()
    await comparing
    // Whatever it has read by now: it never says less than it was told.
    expect(await heads.of(thread)).toBe(2)
  })

  test.each(['with a room', 'without one'])('a head that went back begins an era, %s', async (how) => {
    const posts = [await write(), await write()]
    expect(posts.at(-1)!.seq).toBe(3)
    if (how === 'with a room') await follow()
    else await heads.of(thread)
    const { era } = heads
    await store.db.deleteFrom('posts').where('number', '>', 1).execute()
    await store.db.updateTable('threads').set({ seq: 1 }).where('id', '=', thread).execute()
    if (how === 'with a room') await hub.compareHeads()
    expect(await heads.of(thread)).toBe(1)
    expect(heads.era).toBeGreaterThan(era)
    const settled = heads.era
    await hub.compareHeads()
    await heads.of(thread)
    expect(heads.era).toBe(settled)
  })

  test('a thread that is gone is gone, and ends its era once', async () => {
    await follow()
    const { era } = heads
    await store.db.deleteFrom('threads').where('id', '=', thread).execute()
    await hub.compareHeads()
    expect(await heads.of(thread)).toBeUndefined()
    const settled = heads.era
    expect(settled).toBeGreaterThan(era)
    await hub.compareHeads()
    await hub.compareHeads()
    expect(await heads.of(thread)).toBeUndefined()
    expect(heads.era).toBe(settled)
  })
})
