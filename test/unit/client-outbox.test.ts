import { beforeEach, describe, expect, test } from 'vitest'
import { openOutbox, type Outbox, type OutboxParts } from '../../client/outbox.ts'
import { Problem } from '../../shared/errors.ts'
import type { CreatePost } from '../../shared/http.ts'
import type { Post } from '../../shared/post.ts'
import { createManualTimers, type ManualTimers } from '../helpers/manual-timers.ts'
import { aPost } from '../helpers/posts.ts'

let timers: ManualTimers
let requests: CreatePost[]
let answer: (input: CreatePost) => Promise<Post>
let posted: Post[]
let saved: string | null

function open(more: Partial<OutboxParts> = {}): Outbox {
  let ids = 0
  return openOutbox({
    timers,
    random: () => 1,
    newId: () => `id-${++ids}`,
    storage: { get: () => saved, set: (value) => void (saved = value) },
    send(input) {
      requests.push(input)
      return answer(input)
    },
    onChange() {},
    onPosted: (post) => void posted.push(post),
    ...more,
  })
}

const settle = () => new Promise((resolve) => setImmediate(resolve))
const statuses = (outbox: Outbox) => outbox.entries.map(({ status }) => status)

beforeEach(() => {
  timers = createManualTimers()
  requests = []
  posted = []
  saved = null
  answer = ({ clientId }) => Promise.resolve(aPost(7, { clientId }))
})

describe('the outbox', () => {
  test('shows a post at once and forgets it when it is seen in the thread', async () => {
    const outbox = open()
    outbox.send({ parent: 1, body: 'Hello' })
    expect(statuses(outbox)).toEqual(['sending'])
    await settle()
    expect(posted.map(({ number }) => number)).toEqual([7])
    expect(outbox.entries).toMatchObject([{ status: 'sent', number: 7 }])
    outbox.confirm(({ number }) => number === 7)
    expect(outbox.entries).toEqual([])
    expect(saved).toBeNull()
  })

  test('is not put out when the socket is faster than the answer', async () => {
    const outbox = open()
    const { clientId } = outbox.send({ parent: 1, body: 'Hello' })
    outbox.confirm((entry) => entry.clientId === clientId)
    await settle()
    expect(outbox.entries).toEqual([])
    expect(posted).toHaveLength(1)
  })

  test('leaves in the storage what another tab has not sent yet', async () => {
    answer = () => Promise.reject(new Problem('unavailable'))
    const [one, other] = [open({ newId: () => 'one' }), open({ newId: () => 'other' })]
    one.send({ parent: 1, body: 'Written here' })
    other.send({ parent: 1, body: 'Written there' })
    await settle()
    expect(open().entries.map(({ body }) => body)).toEqual(
      expect.arrayContaining(['Written here', 'Written there']),
    )
    other.discard('other')
    expect(open().entries.map(({ body }) => body)).toEqual(['Written here'])
  })

  test('keeps a refused post with the reason, and retries it under the same id', async () => {
    const outbox = open()
    answer = () => Promise.reject(new Problem('quote-mismatch'))
    const { clientId } = outbox.send({ parent: 1, body: 'Hello', quote: { number: 1, text: 'x' } })
    await settle()
    expect(outbox.entries).toMatchObject([
      { status: 'failed', reason: 'The quoted post does not contain that text', body: 'Hello' },
    ])
    timers.pass(600_000)
    expect(requests).toHaveLength(1)

    answer = () => Promise.resolve(aPost(7))
    outbox.retry(clientId)
    await settle()
    expect(requests[1]).toEqual(requests[0])
    expect(requests[1]).toEqual({ clientId, parent: 1, body: 'Hello', quote: { number: 1, text: 'x' } })
    expect(statuses(outbox)).toEqual(['sent'])
  })

  test('sends by itself what could not reach the server', async () => {
    const outbox = open()
    answer = () => Promise.reject(new Problem('unavailable'))
    outbox.send({ parent: 1, body: 'Hello' })
    await settle()
    expect(statuses(outbox)).toEqual(['waiting'])
    timers.pass(500)
    expect(requests).toHaveLength(2)
    await settle()
    answer = () => Promise.resolve(aPost(7))
    outbox.wake()
    await settle()
    expect(new Set(requests.map(({ clientId }) => clientId)).size).toBe(1)
    expect(statuses(outbox)).toEqual(['sent'])
  })

  test('waits as long as a busy server asks', async () => {
    const outbox = open()
    answer = () => Promise.reject(new Problem('rate-limited', { retryMs: 9_000 }))
    outbox.send({ parent: 1, body: 'Hello' })
    await settle()
    timers.pass(8_999)
    expect(requests).toHaveLength(1)
    timers.pass(1)
    expect(requests).toHaveLength(2)
  })

  test('keeps what is not sent over a reload', async () => {
    const first = open()
    answer = () => Promise.reject(new Problem('unavailable'))
    first.send({ parent: 3, body: 'Kept' })
    await settle()

    answer = () => Promise.resolve(aPost(7))
    const second = open()
    expect(second.entries).toMatchObject([{ status: 'waiting', parent: 3, body: 'Kept' }])
    second.wake()
    await settle()
    expect(statuses(second)).toEqual(['sent'])
    expect(saved).toBeNull()
  })

  test('reads nothing from a storage that holds nonsense', () => {
    saved = '{"a'
    expect(open().entries).toEqual([])
  })

  test('discards for good', async () => {
    const outbox = open()
    answer = () => Promise.reject(new Problem('invalid'))
    const { clientId } = outbox.send({ parent: 1, body: 'Hello' })
    await settle()
    outbox.discard(clientId)
    expect(outbox.entries).toEqual([])
    expect(saved).toBeNull()
  })
})
