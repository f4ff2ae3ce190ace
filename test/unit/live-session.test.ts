import { Registry } from 'prom-client'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Identity } from '../../server/accounts/accounts.ts'
import { createMemoryBus } from '../../server/bus/memory.ts'
import type { Hub } from '../../server/live/hub.ts'
import { liveLimits } from '../../server/live/limits.ts'
import { createLiveMetrics } from '../../server/live/metrics.ts'
import { createRoom, type Room } from '../../server/live/room.ts'
import { welcomeFrame } from '../../server/live/session-frames.ts'
import { createLookups } from '../../server/live/lookups.ts'
import { createSession, type Session } from '../../server/live/session.ts'
import type { StreamText } from '../../server/live/streams.ts'
import { createWatch, type Watch } from '../../server/live/watch.ts'
import { limits } from '../../shared/limits.ts'
import type { Down, Up } from '../../shared/live.ts'
import { aPost, aThread } from '../helpers/posts.ts'

const { answerBytes, answerBytesPerSecond, answerRetryMs, joinedBytes } = liveLimits
const { id: thread } = aThread()
const head = 3
/** Nearly the largest difference that is not left to HTTP. */
const large = 'x'.repeat(joinedBytes - 2_000)

let time: number
let rooms: Map<string, Promise<Room>>
let replies: StreamText[]
let html: string
let told: { message: Down; bytes: number }[]
let closed: string[]
/** How often a room was asked for. */
let visits: number
let identify: () => Promise<Identity | null>
let watch: Watch<Session>

beforeEach(() => {
  time = 1_000
  rooms = new Map()
  replies = []
  html = large
  told = []
  closed = []
  visits = 0
  identify = () => Promise.resolve(null)
  watch = createWatch()
})
afterEach(async () => {
  for (const room of rooms.values()) await (await room).close()
})

const hub: Hub = {
  room(id) {
    visits++
    const room = rooms.get(id) ?? openRoom(id)
    rooms.set(id, room)
    return room
  },
  compareHeads: () => Promise.resolve(),
  close: () => Promise.resolve(),
}

async function openRoom(id: string): Promise<Room> {
  const room = createRoom({
    thread: id,
    node: 'n',
    bus: createMemoryBus(),
    metrics: createLiveMetrics(new Registry()),
    readDifference: (after) =>
      Promise.resolve({
        from: Math.min(after, head),
        thread: aThread(),
        posts: after < head ? [{ ...aPost(1), html, seq: head }] : [],
        seq: head,
      }),
    readStreams: () => Promise.resolve(replies),
    nextAlias: () => 1,
    onError(error) {
      throw error
    },
  })
  await room.open()
  return room
}

function start(limited = true): Session {
  const take = (frame: Buffer) => {
    const header = frame[1]! < 126 ? 2 : frame[1] === 126 ? 4 : 10
    for (const line of frame.toString('utf8', header).split('\n'))
      told.push({ message: JSON.parse(line) as Down, bytes: frame.length })
  }
  return createSession(
    {
      hub,
      lookups: createLookups({ identify: () => identify() }),
      watch,
      welcome: welcomeFrame('n'),
      limited,
      now: () => time,
      onError(error) {
        throw error
      },
    },
    { id: 'v', deliver: take, mention: take, close: (_, reason) => void closed.push(reason) },
    { cookie: 'a' },
  )
}

const say = (session: Session, message: Up) => session.receive(JSON.stringify(message))
const join = (session: Session, more: Partial<Extract<Up, { type: 'join' }>> = {}) =>
  say(session, { type: 'join', thread, after: 0, ...more })
const texts = (session: Session, at?: number, run = 'r') =>
  say(session, { type: 'text', thread, post: 2, run, ...(at !== undefined && { at }) })
const all = <T extends Down['type']>(type: T) =>
  told.flatMap(({ message }) => (message.type === type ? [message as Extract<Down, { type: T }>] : []))
const answers = () => all('joined').length + all('delta').length + all('error').length
const until = (count: number) => vi.waitFor(() => expect(answers()).toBe(count))

describe('what one socket draws', () => {
  test('is bounded, however many frames ask for it at once', async () => {
    const session = start()
    for (let i = 0; i < limits.messageBurst; i++) void join(session)
    await until(limits.messageBurst)
    const drawn = told.reduce((sum, { bytes }) => sum + bytes, 0)
    expect(drawn).toBeGreaterThan(answerBytes)
    expect(drawn).toBeLessThan(answerBytes + joinedBytes + 50_000)
    for (const error of all('error')) {
      expect(error).toMatchObject({ code: 'rate-limited', thread })
      expect(error.retryMs).toBeGreaterThanOrEqual(answerRetryMs)
    }
    expect(closed).toEqual([])
  })

  test('is regained by the time that is told', async () => {
    const session = start()
    for (let i = 1; i <= 5; i++) {
      await join(session)
      await until(i)
    }
    const [refusal] = all('error')
    // What is refused costs nothing: no room is opened for it, and nothing read.
    expect(visits).toBe(all('joined').length)
    time += refusal!.retryMs!
    await join(session)
    await until(6)
    expect(all('error')).toHaveLength(1)
    // And over a long time it is no more than the rate.
    const before = told.length
    for (let second = 0; second < 60; second++) {
      time += 1_000
      for (let i = 0; i < 10; i++) await join(session)
    }
    await until(606)
    const drawn = told.slice(before).reduce((sum, { bytes }) => sum + bytes, 0)
    expect(drawn).toBeLessThan(60 * answerBytesPerSecond + answerBytes + joinedBytes)
    expect(drawn).toBeGreaterThan(59 * answerBytesPerSecond - joinedBytes)
  })

  test('is enough for the largest answers of three threads, and for a page of threads', async () => {
    const session = start()
    for (let i = 1; i <= 3; i++) {
      await join(session, { thread: `greatest1${i}` })
      await until(i)
    }
    const other = start()
    html = 'x'.repeat(40_000)
    const letters = 'abcdefgh'.split('')
    const names = letters.flatMap((a) => letters.map((b) => `threads1${a}${b}`))
    expect(names).toHaveLength(limits.joinedThreads)
    for (const name of names) void join(other, { thread: name })
    await until(3 + names.length)
    expect(all('error')).toEqual([])
  })

  test('has no bound where limits are off', async () => {
    const session = start(false)
    for (let i = 0; i < 10; i++) void join(session)
    await until(10)
    expect(all('joined')).toHaveLength(10)
  })

  test('does not take away what was joined before', async () => {
    const session = start()
    for (let i = 0; i < 10; i++) void join(session)
    await until(10)
    const room = await rooms.get(thread)!
    expect(room.size).toBe(1)
    await say(session, { type: 'leave', thread })
    expect(room.size).toBe(0)
  })
})

describe('the text of a reply', () => {
  beforeEach(() => {
    html = ''
    replies = [{ post: 2, run: 'r', epoch: 1, text: 'y'.repeat(joinedBytes) }]
  })

  test('is not told again within a second from the same place', async () => {
    const session = start()
    await join(session, { have: [{ run: 'r', at: joinedBytes }] })
    await until(1)
    for (let i = 0; i < 5; i++) await texts(session, 100)
    expect(all('delta').map(({ at }) => at)).toEqual([100])
    await texts(session, 101)
    expect(all('delta').map(({ at }) => at)).toEqual([100, 101])
    time += liveLimits.textAgainMs
    await texts(session, 101)
    expect(all('delta').map(({ at }) => at)).toEqual([100, 101, 101])
    expect(all('error')).toEqual([])
  })

  test('counts as what it weighs, and who is refused gets it by joining later', async () => {
    const session = start()
    await join(session, { have: [{ run: 'r', at: joinedBytes }] })
    await until(1)
    for (let at = 0; at < 90; at++) await texts(session, at)
    const drawn = told.reduce((sum, { bytes }) => sum + bytes, 0)
    expect(drawn).toBeLessThan(answerBytes + joinedBytes + 50_000)
    const refusal = all('error').at(-1)!
    expect(refusal).toMatchObject({ code: 'rate-limited', thread })
    time += refusal.retryMs!
    const told4 = all('delta').length
    await join(session, { have: [{ run: 'r', at: 10 }] })
    await vi.waitFor(() => expect(all('joined')).toHaveLength(2))
    expect(all('joined')[1]!.streams[0]).toMatchObject({ at: 10, text: 'y'.repeat(joinedBytes - 10) })
    expect(all('delta')).toHaveLength(told4)
    expect(closed).toEqual([])
  })
})

test('a socket waits for a few threads that are not there, and for another when it left one', async () => {
  html = ''
  const session = start()
  const names = ['1', '2', '3', '4', '5'].map((digit) => digit.repeat(10))
  for (const name of names) await join(session, { thread: name, expected: true })
  await until(names.length)
  expect(all('error')).toMatchObject([{ code: 'too-many-threads', thread: names[4] }])
  await say(session, { type: 'leave', thread: names[0]! })
  await join(session, { thread: names[4]!, expected: true })
  // The same again is no other.
  await join(session, { thread: names[4]!, expected: true })
  await until(names.length + 2)
  expect(all('error')).toHaveLength(1)
})

test('a ban of which word comes while it is looked up who asks is not overlooked', async () => {
  const ada = {
    sessionId: 's',
    actor: { id: 'ada', name: 'Ada', kind: 'person', role: 'member' },
  } as Identity
  let asked = 0
  let answer!: (identity: Identity | null) => void
  identify = () => {
    asked++
    // The first answer was read before the ban was committed.
    return asked === 1 ? new Promise((resolve) => (answer = resolve)) : Promise.resolve(null)
  }
  const session = start()
  await vi.waitFor(() => expect(asked).toBe(1))
  await session.accountChanged({ userId: 'ada' } as Parameters<Session['accountChanged']>[0])
  answer(ada)
  await vi.waitFor(() => expect(asked).toBe(2))
  await say(session, { type: 'auth', token: '' })
  expect(session.identity).toBeNull()
})

test('word of others changes nothing', async () => {
  const ada = {
    sessionId: 's',
    actor: { id: 'ada', name: 'Ada', kind: 'person', role: 'member' },
  } as Identity
  let answer: ((identity: Identity | null) => void) | undefined
  identify = () => new Promise((resolve) => (answer = resolve))
  const session = start()
  await vi.waitFor(() => expect(answer).toBeDefined())
  await session.accountChanged({ userId: 'bob' } as Parameters<Session['accountChanged']>[0])
  answer!(ada)
  await vi.waitFor(() => expect(session.identity).toBe(ada))
})

test('word of a user finds the sessions of that user, and no others', async () => {
  const ada = {
    sessionId: 's',
    actor: { id: 'ada', name: 'Ada', kind: 'person', role: 'member' },
  } as Identity
  let answer: ((identity: Identity | null) => void) | undefined
  identify = () => new Promise((resolve) => (answer = resolve))
  const session = start()
  await vi.waitFor(() => expect(answer).toBeDefined())
  // As long as it is not known who this is, it may be anyone.
  expect(watch.concerned('ada')).toEqual([session])
  answer!(ada)
  await vi.waitFor(() => expect(watch.signedIn()).toEqual([session]))
  expect([watch.concerned('ada'), watch.concerned('bob')]).toEqual([[session], []])
  const changed = session.accountChanged({ userId: 'ada' })
  expect([watch.concerned('bob'), watch.signedIn()]).toEqual([[session], []])
  answer!(null)
  await changed
  expect([watch.concerned('ada'), all('error')]).toMatchObject([[], [{ code: 'session-ended' }]])
  identify = () => Promise.resolve({ ...ada, actor: { ...ada.actor, id: 'bob' } })
  await say(session, { type: 'auth', token: 'bobs' })
  expect([watch.concerned('ada'), watch.concerned('bob')]).toEqual([[], [session]])
  session.end()
  expect([watch.concerned('bob'), watch.signedIn()]).toEqual([[], []])
})

test('a session that ends while it is looked up who it is leaves nothing behind', async () => {
  let answer: ((identity: Identity | null) => void) | undefined
  identify = () => new Promise((resolve) => (answer = resolve))
  const session = start()
  await vi.waitFor(() => expect(answer).toBeDefined())
  session.end()
  answer!({ sessionId: 's', actor: { id: 'ada', name: 'Ada', kind: 'person', role: 'member' } } as Identity)
  await new Promise((resolve) => setTimeout(resolve, 10))
  expect([watch.concerned('ada'), watch.signedIn()]).toEqual([[], []])
})

test('a beat says where each joined thread stands, by one frame for all who joined it', async () => {
  html = ''
  const heads = new Map<Room, Buffer>()
  const session = start()
  await join(session, { after: head })
  await join(session, { thread: 'another111', after: head })
  await until(2)
  session.heartbeat(heads)
  expect(all('head')).toEqual([
    { type: 'head', thread, seq: head },
    { type: 'head', thread: 'another111', seq: head },
  ])
  const made = [...heads.values()]
  const other = start()
  await join(other, { after: head })
  await until(3)
  other.heartbeat(heads)
  expect(all('head')).toHaveLength(3)
  expect([...heads.values()].every((frame, i) => frame === made[i])).toBe(true)
})
