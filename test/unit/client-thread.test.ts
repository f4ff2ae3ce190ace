import { beforeEach, describe, expect, test } from 'vitest'
import type { Room } from '../../client/live.ts'
import { openThread, type LiveThread } from '../../client/thread.ts'
import type { ThreadSnapshot } from '../../shared/http.ts'
import type { Joined, Up } from '../../shared/live.ts'
import type { Post } from '../../shared/post.ts'
import { fromSnapshot, type ThreadState } from '../../shared/thread-state.ts'
import { createManualTimers, type ManualTimers } from '../helpers/manual-timers.ts'
import { aPost, aSnapshot, aThread } from '../helpers/posts.ts'

const { id } = aThread()

let timers: ManualTimers
let room: Room
let rejoins: number
let sent: Up[]
let asked: string[]
let answer: () => Promise<ThreadSnapshot>
let renders: ThreadState[]

function open(posts: Post[] = [aPost(1)]): LiveThread {
  return openThread(
    {
      timers,
      live: {
        join: (_, joined) => void (room = joined),
        rejoin: () => void rejoins++,
        leave() {},
        send(message) {
          sent.push(message)
          return true
        },
      },
      api: {
        changes: (_, after) => ask(`changes ${after}`),
        snapshot: () => ask('snapshot'),
      },
      onChange: (state) => void renders.push(state),
    },
    fromSnapshot(aSnapshot(posts)),
  )
}

function ask(what: string): Promise<ThreadSnapshot> {
  asked.push(what)
  return answer()
}

const postMessage = (seq: number) => ({ type: 'post', thread: id, seq, post: aPost(seq) }) as const
const joined = (after: number, seq: number, posts: Post[], more: { behind?: boolean } = {}): Joined => ({
  type: 'joined',
  thread: id,
  after,
  seq,
  posts,
  viewers: 1,
  streams: [],
  ...more,
})
/** Lets promises that are settled already run on. */
const settle = () => new Promise((resolve) => setImmediate(resolve))

beforeEach(() => {
  timers = createManualTimers()
  rejoins = 0
  sent = []
  asked = []
  renders = []
  answer = () => Promise.reject(new Error('not expected'))
})

describe('a live thread', () => {
  test('shows a frame of many messages at once', () => {
    const thread = open()
    room.receive([postMessage(2), postMessage(3), postMessage(4)])
    expect(thread.state.seq).toBe(4)
    expect(renders).toHaveLength(1)
    expect(room.after()).toBe(4)
  })

  test('asks again only when what is missing stays missing', () => {
    open()
    room.receive([postMessage(3)])
    timers.pass(149)
    expect(rejoins).toBe(0)
    room.receive([postMessage(2)])
    timers.pass(10_000)
    expect(rejoins).toBe(0)

    room.receive([postMessage(5)])
    timers.pass(150)
    expect(rejoins).toBe(1)
  })

  test('asks less and less often, and then over HTTP', async () => {
    const thread = open()
    answer = () => Promise.resolve(aSnapshot([aPost(2), aPost(3)]))
    room.receive([{ type: 'head', thread: id, seq: 3 }])
    timers.pass(150 + 300 + 600)
    expect(rejoins).toBe(3)
    expect(asked).toEqual([])
    timers.pass(1_200)
    await settle()
    expect(asked).toEqual(['changes 1'])
    expect(thread.state.seq).toBe(3)
    timers.pass(60_000)
    expect(rejoins).toBe(3)
  })

  test('fetches over HTTP at once when it is told that it is far behind', async () => {
    const thread = open()
    answer = () => Promise.resolve(aSnapshot([aPost(2), aPost(3)]))
    room.receive([joined(1, 3, [], { behind: true })])
    timers.pass(0)
    await settle()
    expect(asked).toEqual(['changes 1'])
    expect(rejoins).toBe(0)
    expect(thread.state.behind).toBe(false)
    expect(thread.state.posts).toHaveLength(3)
  })

  test('tries again when fetching fails', async () => {
    const thread = open()
    answer = () => Promise.reject(new Error('offline'))
    room.receive([joined(1, 2, [], { behind: true })])
    timers.pass(0)
    await settle()
    expect(thread.state.behind).toBe(true)
    answer = () => Promise.resolve(aSnapshot([aPost(2)]))
    timers.pass(10_000)
    await settle()
    expect(thread.state.behind).toBe(false)
  })

  test('reads the thread whole when the server stands before it', async () => {
    const thread = open([aPost(1), aPost(2), aPost(3)])
    answer = () => Promise.resolve(aSnapshot([aPost(1), aPost(2)]))
    room.receive([joined(3, 2, [])])
    await settle()
    expect(asked).toEqual(['snapshot'])
    expect(thread.state.seq).toBe(2)
    expect(thread.state.posts).toHaveLength(2)
  })

  test('knows a post from an HTTP answer when it comes by socket too', () => {
    const thread = open()
    thread.receivePost(aPost(2))
    room.receive([postMessage(2)])
    expect(thread.state.posts).toHaveLength(2)
    expect(renders).toHaveLength(1)
  })

  test('renews a typing note no more often than needed', () => {
    const thread = open()
    for (let i = 0; i < 10; i++) {
      thread.typing(1)
      timers.pass(500)
    }
    expect(sent).toEqual([
      { type: 'typing', thread: id, parent: 1 },
      { type: 'typing', thread: id, parent: 1 },
    ])
    thread.typing(null)
    thread.typing(null)
    expect(sent.slice(2)).toEqual([{ type: 'typing', thread: id, parent: null }])
  })

  test('asks for nothing once it is closed', () => {
    const thread = open()
    room.receive([postMessage(3)])
    thread.close()
    timers.pass(60_000)
    expect(rejoins).toBe(0)
    expect(asked).toEqual([])
  })

  test('asks for a piece of a reply that did not come, from where its text ends', () => {
    const thread = open()
    const delta = (at: number, text: string) =>
      ({ type: 'delta', thread: id, post: 2, run: 'r', at, text }) as const
    room.receive([delta(0, 'one '), delta(8, 'three')])
    expect(thread.state.streams.get(2)).toEqual({ run: 'r', text: 'one ', torn: true })
    timers.pass(150)
    expect(sent).toEqual([{ type: 'text', thread: id, post: 2, run: 'r', at: 4 }])
    // And once more, should the answer be lost.
    timers.pass(150)
    expect(sent).toHaveLength(2)
    room.receive([delta(4, 'two three')])
    expect(thread.state.streams.get(2)).toEqual({ run: 'r', text: 'one two three', torn: false })
    timers.pass(10_000)
    expect(sent).toHaveLength(2)
    expect(room.have?.()).toEqual([{ run: 'r', at: 13 }])
  })
})
