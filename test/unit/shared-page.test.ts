import { gunzipSync } from 'node:zlib'
import { Hono } from 'hono'
import { beforeEach, expect, test, vi } from 'vitest'
import { createAnswers } from '../../server/http/answers.ts'
import type { Ctx, Env } from '../../server/http/context.ts'
import { answerLimits } from '../../server/http/limits.ts'
import type { Encoding, Packing } from '../../server/http/encoding.ts'
import type { Snapshots, View } from '../../server/http/snapshots.ts'
import { createSharedPages } from '../../server/pages/shared-page.ts'
import type { ThreadSnapshot } from '../../shared/http.ts'
import { aPost, aSnapshot } from '../helpers/posts.ts'

const { wholePageBytes, keptPageBytes } = answerLimits
const headers = { 'cache-control': 'private, no-cache', vary: 'accept-encoding, cookie' }

let renders: number
let read: (options?: { bytes?: number; who?: string; name?: string; accept?: string }) => Promise<Answer>

interface Answer {
  status: number
  /** Sent as it is made. */
  streamed: boolean
  text: string
}

beforeEach(() => {
  renders = 0
  const answers = createAnswers({ era: () => 1 })
  /** A thread of so many bytes, which stands at that head. */
  const snapshotOf = (head: number) => aSnapshot([aPost(1, { html: 'x'.repeat(head) })])
  const bodyOf = (text: string, posts = 1) => ({
    bytes: Buffer.from(text),
    seq: 1,
    posts,
    readAt: performance.now(),
  })
  const snapshots: Snapshots = {
    read: ({ head }) =>
      answers.get<Encoding>(`json ${head}`, undefined, async () => bodyOf(JSON.stringify(snapshotOf(head)))),
    whole: (_, head) => Promise.resolve(snapshotOf(head)),
    view: <P extends Packing = Encoding>({ name, head, make }: View, encoding?: P) =>
      answers.get<P>(`${name} ${head}`, encoding, async () => bodyOf(await make(snapshotOf(head)))),
  }
  const sharedPage = createSharedPages(snapshots)
  async function* render({ posts }: ThreadSnapshot) {
    renders++
    yield 'for WHO: '
    await Promise.resolve()
    for (const { html } of posts) yield html
  }
  read = async ({ bytes = wholePageBytes + 1, who, name = 'page', accept = 'gzip' } = {}) => {
    const app = new Hono<Env>()
    app.get('/', (c: Ctx) => {
      c.set('headers', () => ({ 'x-all': 'yes' }))
      const fillIn = (first: string) => first.replace('WHO', who ?? 'anyone')
      const place = { thread: 't', after: 0, head: bytes }
      return sharedPage(c, { place, name, headers, render, fillIn, own: who !== undefined })
    })
    const answer = await app.request('/', { headers: { 'accept-encoding': accept } })
    const body = Buffer.from(await answer.arrayBuffer())
    const packed = answer.headers.get('content-encoding') === 'gzip'
    return {
      status: answer.status,
      streamed: answer.headers.get('content-length') === null,
      text: (packed ? gunzipSync(body) : body).toString(),
    }
  }
})

test.each([undefined, 'Ada'])('a long page is streamed until it has been made for all (%s)', async (who) => {
  const text = `for ${who ?? 'anyone'}: ${'x'.repeat(wholePageBytes + 1)}`
  const isText = (answer: Answer) => expect(answer.status === 200 && answer.text === text).toBe(true)
  const first = await read({ ...(who && { who }) })
  isText(first)
  // Of one reader nothing is kept.
  expect([first.streamed, renders]).toEqual([true, 1])
  const second = await read({ ...(who && { who }) })
  isText(second)
  expect(second.streamed).toBe(true)
  await vi.waitFor(async () => expect((await read({ ...(who && { who }) })).streamed).toBe(false))
  const before = renders
  for (let i = 0; i < 5; i++) isText(await read({ ...(who && { who }) }))
  expect(renders).toBe(before)
})

test("long pages of readers' own are theirs, from the same making", async () => {
  await vi.waitFor(async () => expect((await read({ who: 'Ada' })).streamed).toBe(false))
  const before = renders
  for (const who of ['Bob', 'Ada', 'Eve']) {
    const { streamed, text } = await read({ who })
    expect([streamed, text.slice(0, 12)]).toEqual([false, `for ${who}: xxx`])
  }
  expect(renders).toBe(before)
  // Another page of the thread is another one.
  expect((await read({ who: 'Ada', name: 'page/2' })).streamed).toBe(true)
})

test('a page that is longer still is streamed each time', async () => {
  for (let i = 1; i < 5; i++) {
    expect((await read({ bytes: keptPageBytes })).streamed).toBe(true)
    expect(renders).toBe(i)
  }
})

test('a short one is never', async () => {
  for (const who of [undefined, 'Ada', 'Bob', undefined]) {
    const { streamed, text } = await read({ bytes: 5_000, ...(who && { who }) })
    expect([streamed, text.length]).toEqual([false, `for ${who ?? 'anyone'}: `.length + 5_000])
  }
})
