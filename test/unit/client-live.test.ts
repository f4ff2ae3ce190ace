import { beforeEach, describe, expect, test } from 'vitest'
import { connectLive, type Live, type LiveParts, type LiveStatus, type Socket } from '../../client/live.ts'
import { closeCodes, protocolVersion } from '../../shared/protocol.ts'
import type { Down } from '../../shared/live.ts'
import { createManualTimers, type ManualTimers } from '../helpers/manual-timers.ts'

const heartbeat = 20_000

/** A socket whose other end is the test. */
class FakeSocket implements Socket {
  onopen = null
  onmessage: ((event: never) => void) | null = null
  onclose: ((event: never) => void) | null = null
  onerror: ((event: never) => void) | null = null
  readonly sent: { type: string; [key: string]: unknown }[] = []
  closed = false

  send(data: string): void {
    this.sent.push(JSON.parse(data) as FakeSocket['sent'][number])
  }

  close(): void {
    this.closed = true
  }

  says(...messages: object[]): void {
    this.saysRaw(messages.map((message) => JSON.stringify(message)).join('\n'))
  }

  saysRaw(data: unknown): void {
    this.onmessage?.({ data } as never)
  }

  welcomes(): void {
    this.says({ type: 'welcome', protocol: protocolVersion, node: 'n', heartbeat })
  }

  drops(code = 1006): void {
    this.onclose?.({ code } as never)
  }
}

let timers: ManualTimers
let sockets: FakeSocket[]
let statuses: LiveStatus['kind'][]

const last = () => sockets.at(-1)!

function start(more: Partial<LiveParts> = {}): Live {
  return connectLive({
    url: 'ws://test/live',
    timers,
    random: () => 1,
    openSocket() {
      sockets.push(new FakeSocket())
      return last()
    },
    onStatus: ({ kind }) => statuses.push(kind),
    ...more,
  })
}

beforeEach(() => {
  timers = createManualTimers()
  sockets = []
  statuses = []
})

describe('the live connection', () => {
  test('joins where each room stands, at first and after a reconnect', () => {
    const live = start()
    let seq = 4
    live.join('a', { after: () => seq, receive() {} })
    expect(last().sent).toEqual([])
    last().welcomes()
    expect(last().sent).toEqual([{ type: 'join', thread: 'a', after: 4, brief: true }])
    seq = 9
    last().drops()
    timers.pass(500)
    expect(sockets).toHaveLength(2)
    last().welcomes()
    expect(last().sent).toEqual([{ type: 'join', thread: 'a', after: 9, brief: true }])
    expect(statuses).toEqual(['connecting', 'live', 'waiting', 'connecting', 'live'])
  })

  test('gives each room the messages of a frame at once and in order', () => {
    const live = start()
    const batches: Down[][] = []
    live.join('a', { after: () => 0, receive: (messages) => void batches.push([...messages]) })
    last().welcomes()
    const head = (thread: string, seq: number) => ({ type: 'head', thread, seq })
    last().says(head('a', 1), head('b', 7), head('a', 2))
    expect(batches).toEqual([[head('a', 1), head('a', 2)]])
  })

  test('reads the short form of replies that were named on this socket, and of no others', () => {
    const live = start()
    const heard: Down[] = []
    live.join('a', { after: () => 0, receive: (messages) => void heard.push(...messages) })
    last().welcomes()
    const delta = { type: 'delta', thread: 'a', post: 2, run: 'r', at: 0, text: 'one' }
    last().says({ ...delta, as: 7 }, { type: 'more', as: 7, at: 3, text: ' two' })
    last().says({ type: 'more', as: 8, at: 0, text: 'whose?' })
    const streams = [{ post: 3, run: 's', text: '', as: 8 }]
    last().says({ type: 'joined', thread: 'a', after: 0, seq: 0, posts: [], viewers: 1, streams })
    last().says({ type: 'more', as: 8, at: 0, text: 'mine' })
    expect(heard.filter(({ type }) => type === 'delta')).toEqual([
      { ...delta, as: 7 },
      { ...delta, at: 3, text: ' two' },
      { ...delta, post: 3, run: 's', text: 'mine' },
    ])
    // Another socket may lead to another node, where names are others.
    last().drops()
    timers.pass(500)
    last().welcomes()
    heard.length = 0
    last().says({ type: 'more', as: 7, at: 7, text: ' three' })
    expect(heard).toEqual([])
  })

  test('tells what it knows of replies that are being written when it comes back', () => {
    const live = start()
    live.join('a', { after: () => 4, have: () => [{ run: 'r', at: 12 }], receive() {} })
    last().welcomes()
    expect(last().sent).toEqual([
      { type: 'join', thread: 'a', after: 4, brief: true, have: [{ run: 'r', at: 12 }] },
    ])
  })

  test('asks once more for a thread of which it was refused several things, and not before its time', () => {
    const live = start()
    let at = 12
    live.join('a', { after: () => 4, have: () => [{ run: 'r', at }], receive() {} })
    last().welcomes()
    last().sent.length = 0
    const refusal = { type: 'error', code: 'rate-limited', message: '', retryMs: 2_000, thread: 'a' }
    for (let i = 0; i < 10; i++) {
      last().says(refusal)
      timers.pass(100)
    }
    at = 20
    timers.pass(999)
    expect(last().sent).toEqual([])
    timers.pass(5_000)
    const join = { type: 'join', thread: 'a', after: 4, brief: true, have: [{ run: 'r', at: 20 }] }
    expect(last().sent).toEqual([join])
    // Refused again, it asks again.
    last().says(refusal)
    timers.pass(2_000)
    expect(last().sent).toEqual([join, join])
  })

  test('waits longer each time, up to half a minute, and begins anew after a welcome', () => {
    const live = start()
    const waits: number[] = []
    for (let i = 0; i < 9; i++) {
      last().drops()
      const wait = live.status.kind === 'waiting' ? live.status.until - timers.now() : NaN
      waits.push(wait)
      timers.pass(wait)
    }
    expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000])
    last().welcomes()
    last().drops()
    expect(live.status).toEqual({ kind: 'waiting', until: timers.now() + 500 })
  })

  test('comes back when a server that said goodbye asked it to', () => {
    const live = start()
    last().welcomes()
    last().says({ type: 'goodbye', retryMs: 7_000 })
    last().drops(1001)
    expect(live.status).toEqual({ kind: 'waiting', until: timers.now() + 7_000 })
  })

  test('takes two heartbeats of silence for a dead socket', () => {
    const live = start()
    live.join('a', { after: () => 0, receive: () => undefined })
    last().welcomes()
    timers.pass(heartbeat)
    last().says({ type: 'head', thread: 'a', seq: 1 })
    timers.pass(2 * heartbeat - 1)
    expect(live.status.kind).toBe('live')
    timers.pass(1)
    expect(live.status.kind).toBe('waiting')
    expect(sockets[0]?.closed).toBe(true)
  })

  test('takes no silence amiss while it follows no thread', () => {
    const live = start()
    last().welcomes()
    timers.pass(10 * heartbeat)
    expect(live.status.kind).toBe('live')
    expect(sockets).toHaveLength(1)
  })

  test('gives up on a socket that never welcomes it', () => {
    start()
    timers.pass(10_000)
    expect(sockets[0]?.closed).toBe(true)
    timers.pass(1_000)
    expect(sockets).toHaveLength(2)
  })

  test.each(Object.entries(closeCodes))('comes back after it was closed for %s', (_, code) => {
    const live = start()
    last().drops(code)
    expect(live.status.kind).toBe('waiting')
  })

  test('stays away from a server that speaks another protocol', () => {
    const live = start()
    last().says({ type: 'welcome', protocol: protocolVersion + 1, node: 'n', heartbeat })
    timers.pass(600_000)
    expect(live.status).toEqual({ kind: 'stopped', why: 'protocol' })
    expect(sockets).toHaveLength(1)
  })

  test('hears nothing more from a socket that it has let go', () => {
    const live = start()
    const heard: Down[] = []
    live.join('a', { after: () => 0, receive: (messages) => void heard.push(...messages) })
    last().welcomes()
    const old = last()
    live.reconnect()
    old.says({ type: 'head', thread: 'a', seq: 3 })
    old.drops()
    expect(heard).toEqual([])
    expect(live.status.kind).toBe('connecting')
    expect(sockets).toHaveLength(2)
  })

  test('survives frames that are none, and rooms that throw', () => {
    const faults: unknown[] = []
    const live = start({ onFault: (fault) => void faults.push(fault) })
    const heard: Down[] = []
    live.join('bad', {
      after: () => 0,
      receive() {
        throw new Error('room')
      },
    })
    live.join('a', { after: () => 0, receive: (messages) => void heard.push(...messages) })
    last().welcomes()
    for (const junk of [
      '',
      '{',
      'null',
      '[]',
      '7',
      '{"type":"later"}',
      '{"type":"post"}',
      new ArrayBuffer(3),
    ]) {
      last().saysRaw(junk)
    }
    last().saysRaw('nonsense\n{"type":"head","thread":"bad","seq":1}\n{"type":"head","thread":"a","seq":1}')
    expect(heard).toEqual([{ type: 'head', thread: 'a', seq: 1 }])
    expect(faults).toEqual([new Error('room')])
    expect(live.status.kind).toBe('live')
  })

  test('waits while there is no network and tries at once when it is back', () => {
    const live = start()
    last().welcomes()
    live.pause()
    timers.pass(600_000)
    expect(live.status.kind).toBe('offline')
    expect(sockets).toHaveLength(1)
    live.wake()
    expect(sockets).toHaveLength(2)
  })

  test('does not wait any longer when it is woken', () => {
    const live = start()
    last().drops()
    live.wake()
    expect(sockets).toHaveLength(2)
    timers.pass(5_000)
    expect(sockets).toHaveLength(2)
  })

  test('opens a new socket on waking only when the old one has gone quiet', () => {
    const live = start()
    last().welcomes()
    live.wake()
    expect(sockets).toHaveLength(1)
  })

  test('signs in on each connection', () => {
    const live = start()
    last().welcomes()
    live.authenticate('secret')
    last().drops()
    timers.pass(1_000)
    last().welcomes()
    expect(sockets.map(({ sent }) => sent)).toEqual([
      [{ type: 'auth', token: 'secret' }],
      [{ type: 'auth', token: 'secret' }],
    ])
  })

  test('says no more once it is closed', () => {
    const live = start()
    last().welcomes()
    live.close()
    timers.pass(600_000)
    live.wake()
    live.reconnect()
    expect(live.send({ type: 'leave', thread: 'a' })).toBe(false)
    expect(sockets).toHaveLength(1)
    expect(last().closed).toBe(true)
  })
})
