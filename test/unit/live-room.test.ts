import { Registry } from 'prom-client'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Bus } from '../../server/bus/bus.ts'
import { createMemoryBus } from '../../server/bus/memory.ts'
import { encodeThreadMessage } from '../../server/bus/messages.ts'
import { liveLimits } from '../../server/live/limits.ts'
import { createLiveMetrics } from '../../server/live/metrics.ts'
import type { Viewer } from '../../server/live/fan-out.ts'
import { createRoom, type Room } from '../../server/live/room.ts'
import type { StreamText } from '../../server/live/streams.ts'
import { aPost, aThread } from '../helpers/posts.ts'

const { id: thread } = aThread()
const head = 100
let html: string
let replies: StreamText[]
let bus: Bus
let room: Room

beforeEach(async () => {
  html = ''
  replies = []
  bus = createMemoryBus()
  room = createRoom({
    thread,
    node: 'n',
    bus,
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
    readStreams: () => Promise.resolve(replies),
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

/** Opens the room while a reply is written, and gives what adds to its text. */
async function streaming(text: string): Promise<(at: number, text: string) => Promise<void>> {
  replies = [{ post: 1, run: 'r', epoch: 1, text }]
  await room.open()
  return (at, piece) => {
    const place = { post: 1, run: 'r', epoch: 1, at }
    const line = JSON.stringify({ type: 'delta', thread, post: 1, run: 'r', at, text: piece })
    return bus.publish(thread, encodeThreadMessage({ kind: 'delta', ...place, line }))
  }
}

async function joins(have?: number): Promise<Buffer> {
  const one = viewer(`${Math.random()}`)
  await room.join(one, { after: head, ...(have !== undefined && { have: new Map([['r', have]]) }) })
  return one.frames[0]!
}

const streamsOf = (frame: Buffer) =>
  (JSON.parse(frame.toString('utf8', frame[1] === 126 ? 4 : 2)) as { streams: object[] }).streams

test('a crowd that comes while a reply is written shares one frame until its text grows', async () => {
  const grow = await streaming('The author')
  const first = await joins()
  expect(streamsOf(first)).toEqual([{ post: 1, run: 'r', text: 'The author', as: 1 }])
  expect((await joins()) === first).toBe(true)
  const rest = await joins(4)
  expect(streamsOf(rest)).toEqual([{ post: 1, run: 'r', at: 4, text: 'author', as: 1 }])
  expect((await joins(4)) === rest).toBe(true)
  await grow(10, ' says')
  const later = await joins()
  expect(streamsOf(later)).toEqual([{ post: 1, run: 'r', text: 'The author says', as: 1 }])
  expect(streamsOf(await joins(4))).toEqual([{ post: 1, run: 'r', at: 4, text: 'author says', as: 1 }])
  expect((await joins()) === later).toBe(true)
})

test('of frames with the texts of replies only so many are kept', async () => {
  await streaming('x'.repeat(1_000))
  const first = await joins()
  for (let at = 1; at < liveLimits.joinedFrames; at++) await joins(at)
  expect((await joins()) === first).toBe(true)
  await joins(liveLimits.joinedFrames)
  const again = await joins()
  expect([again === first, again.equals(first)]).toEqual([false, true])
})

test('of frames with the texts of replies only so many bytes are kept', async () => {
  await streaming('x'.repeat(liveLimits.joinedFramesBytes * 0.4))
  const first = await joins()
  await joins(1)
  expect((await joins()) === first).toBe(true)
  await joins(2)
  expect((await joins()) === first).toBe(false)
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
