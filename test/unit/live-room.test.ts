import { Registry } from 'prom-client'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createMemoryBus } from '../../server/bus/memory.ts'
import { liveLimits } from '../../server/live/limits.ts'
import { createLiveMetrics } from '../../server/live/metrics.ts'
import type { Viewer } from '../../server/live/fan-out.ts'
import { createRoom, type Room } from '../../server/live/room.ts'
import { aPost, aThread } from '../helpers/posts.ts'

const { id: thread } = aThread()
const head = 100
let html: string
let room: Room

beforeEach(async () => {
  html = ''
  room = createRoom({
    thread,
    node: 'n',
    bus: createMemoryBus(),
    metrics: createLiveMetrics(new Registry()),
    readDifference(after) {
      const posts = Array.from({ length: 10 }, (_, i) => ({ ...aPost(i + 1), html, seq: head - 9 + i }))
      return Promise.resolve({
        from: Math.min(after, head),
        thread: aThread(),
        posts: posts.filter(({ seq }) => seq > after),
        seq: head,
      })
    },
    readStreams: () => Promise.resolve([]),
    nextAlias: () => 1,
    onError(error) {
      throw error
    },
  })
  await room.open()
})
afterEach(async () => {
  vi.useRealTimers()
  vi.restoreAllMocks()
  await room.close()
})

interface TestViewer extends Viewer {
  readonly frames: Buffer[]
  readonly mentioned: Buffer[]
}

function viewer(id: string): TestViewer {
  const frames: Buffer[] = []
  const mentioned: Buffer[] = []
  return {
    id,
    frames,
    mentioned,
    deliver: (frame) => void frames.push(frame),
    mention: (frame) => void mentioned.push(frame),
  }
}

async function answerTo(after: number): Promise<Buffer> {
  const one = viewer(`${Math.random()}`)
  await room.join(one, { after, quiet: true })
  return one.frames[0]!
}

test('who comes to a room that has just closed is asked to come back', async () => {
  await room.close()
  const one = viewer('1')
  await expect(room.join(one, { after: head })).rejects.toMatchObject({
    code: 'unavailable',
    retryMs: liveLimits.reopenMs,
  })
  expect([room.size, room.presence.viewers(), one.frames]).toEqual([0, 0, []])
})

test('answers are kept for those who come back, but only so many bytes of them', async () => {
  html = 'x'.repeat(1_000)
  const small = await answerTo(head - 1)
  expect((await answerTo(head - 1)) === small).toBe(true)
  html = 'x'.repeat(100_000)
  // Read anew, from further back.
  const first = await answerTo(head - 10)
  expect(first.length).toBeGreaterThan(900_000)
  expect((await answerTo(head - 10)) === first).toBe(true)
  for (let back = 9; back >= 5; back--) await answerTo(head - back)
  const again = await answerTo(head - 10)
  expect([again === first, again.equals(first)]).toEqual([false, true])
})

test('a difference that is left to HTTP is not written out first', async () => {
  html = 'x'.repeat(liveLimits.joinedBytes)
  const stringify = vi.spyOn(JSON, 'stringify')
  const frame = await answerTo(head - 10)
  expect(frame.toString()).toContain('"behind":true')
  const longest = Math.max(...stringify.mock.results.map(({ value }) => String(value).length))
  expect(longest).toBeLessThan(1_000)
})

test('presence is told to many less often than to few', async () => {
  vi.useFakeTimers()
  const told = async (viewers: number) => {
    const all = Array.from({ length: viewers }, (_, i) => viewer(String(i)))
    for (const each of all) await room.join(each, { after: head })
    await vi.advanceTimersByTimeAsync(2_000)
    const before = all[0]!.mentioned.length
    // Someone comes and goes all the time.
    const restless = viewer('restless')
    for (let ms = 0; ms < 10_000; ms += 50) {
      await room.join(restless, { after: head })
      room.leave(restless)
      await vi.advanceTimersByTimeAsync(50)
    }
    return all[0]!.mentioned.length - before
  }
  const few = await told(10)
  expect(few).toBeGreaterThan(30)
  const many = await told(10_000)
  expect(many).toBeGreaterThan(5)
  expect(many).toBeLessThanOrEqual(11)
})
