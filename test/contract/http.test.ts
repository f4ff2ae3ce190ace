import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type * as z from 'zod/mini'
import { problems, type ProblemCode } from '../../shared/errors.ts'
import { problemDocument } from '../../shared/problem-document.ts'
import {
  postAnswer,
  threadPage,
  threadSnapshot,
  type PostAnswer,
  type ThreadSnapshot,
} from '../../shared/http.ts'
import { limits } from '../../shared/limits.ts'
import { guest, member, openApp, type AskOptions, type TestApp, type Visitor } from '../helpers/app.ts'

let app: TestApp
let admin: Visitor
let ada: Visitor
let bob: Visitor
let visitor: Visitor
let moderator: Visitor

beforeAll(async () => {
  app = await openApp()
  admin = await member(app, 'Root')
  ada = await member(app, 'Ada')
  bob = await member(app, 'Bob')
  moderator = await member(app, 'Mo')
  visitor = await guest(app, 'Gus')
  const made = await app.ask('PATCH', `/api/users/${moderator.id}`, {
    who: admin,
    body: { role: 'moderator' },
  })
  expect(made.status).toBe(200)
})
afterAll(() => app.close())

/** Asks, and checks the answer against its schema to the last property. */
async function answer<S extends z.ZodMiniType>(
  schema: S,
  status: number,
  method: string,
  path: string,
  options?: AskOptions,
): Promise<z.output<S>> {
  const response = await app.ask(method, path, options)
  const text = await response.text()
  expect(response.status, text).toBe(status)
  expect(response.headers.get('content-type')).toBe('application/json')
  const value = JSON.parse(text) as unknown
  // A property that the schema does not know would be dropped by it.
  expect(schema.parse(value)).toEqual(value)
  return schema.parse(value)
}

async function refusal(code: ProblemCode, method: string, path: string, options?: AskOptions) {
  const response = await app.ask(method, path, options)
  const text = await response.text()
  expect(response.headers.get('content-type'), text).toBe('application/problem+json')
  expect(response.headers.get('cache-control')).toBe('no-store')
  const document = problemDocument.parse(JSON.parse(text))
  const [status, title] = problems[code]
  expect(document).toMatchObject({ code, status, title, type: `/api/problems#${code}` })
  expect(response.status).toBe(status)
  return { response, document }
}

let count = 0
const clientId = () => `client-${++count}`
const newThread = (who: Visitor = ada, body = 'The *root* of it'): Promise<ThreadSnapshot> =>
  answer(threadSnapshot, 201, 'POST', '/api/threads', { who, body: { title: 'A title', body } })
const reply = (thread: string, who: Visitor = ada, more: object = {}): Promise<PostAnswer> =>
  answer(postAnswer, 201, 'POST', `/api/threads/${thread}/posts`, {
    who,
    body: { parent: 1, body: 'A **reply**', clientId: clientId(), ...more },
  })
const nowhere = 'zzzzzzzzzz'

describe('threads', () => {
  test('are opened with a root post, and read whole', async () => {
    const made = await newThread()
    expect(made).toMatchObject({
      seq: 1,
      thread: { title: 'A title', url: null, card: null, locked: false },
      posts: [
        { number: 1, parent: null, state: 'complete', author: { id: ada.id, name: 'Ada', kind: 'person' } },
      ],
    })
    expect(made.posts[0]?.html).toContain('<em>root</em>')
    expect(made.posts[0]).not.toHaveProperty('body')
    expect(await answer(threadSnapshot, 200, 'GET', `/api/threads/${made.thread.id}`)).toEqual(made)
  })

  test('may discuss a page', async () => {
    const url = 'https://essay.example/on?a=1&b=2#part'
    const body = { title: 'On it', body: 'Read this', url: ` ${url}\n` }
    const { thread } = await answer(threadSnapshot, 201, 'POST', '/api/threads', { who: visitor, body })
    expect(thread).toMatchObject({ url, card: { kind: 'link', state: 'pending' } })
  })

  test.each([
    ['a script', 'javascript:alert(1)'],
    ['a file', 'file:///etc/passwd'],
    ['credentials', 'https://me:secret@example.org/'],
    ['a NUL', 'https://example.org/\u0000'],
    ['a line break', 'https://exam\nple.org/'],
    ['half a surrogate pair', 'https://example.org/\ud800'],
    ['white space in it', 'https://example.org/a b'],
    ['no address', 'example.org'],
    ['too much', `https://example.org/${'x'.repeat(limits.urlMax)}`],
  ])('discuss no page with %s', async (_, url) => {
    const { document } = await refusal('invalid', 'POST', '/api/threads', {
      who: ada,
      body: { title: 't', body: 'b', url },
    })
    expect(document.issues?.[0]?.path).toBe('/url')
  })

  test('are listed a page at a time', async () => {
    const { thread } = await newThread()
    const page = await answer(threadPage, 200, 'GET', '/api/threads')
    expect(page.threads[0]).toMatchObject({ id: thread.id, posts: 1, excerpt: 'The root of it' })
    await refusal('bad-request', 'GET', '/api/threads?cursor=nonsense')
    await refusal('invalid', 'GET', `/api/threads?cursor=${'x'.repeat(300)}`)
  })

  test('are changed by moderators only', async () => {
    const { thread } = await newThread()
    const path = `/api/threads/${thread.id}`
    await refusal('sign-in-required', 'PATCH', path, { body: { locked: true } })
    await refusal('forbidden', 'PATCH', path, { who: ada, body: { locked: true } })
    await refusal('thread-not-found', 'PATCH', `/api/threads/${nowhere}`, {
      who: moderator,
      body: { locked: true },
    })
    const locked = await app.ask('PATCH', path, {
      who: moderator,
      body: { locked: true, title: '  Another\n title ' },
    })
    expect(await locked.json()).toEqual({ thread: { ...thread, locked: true, title: 'Another title' } })
    // Nothing to change is no change.
    await app.ask('PATCH', path, { who: moderator, body: {} })
    expect(await answer(threadSnapshot, 200, 'GET', path)).toMatchObject({ seq: 2, thread: { locked: true } })
  })

  test('that are locked take nothing from members, and all from moderators', async () => {
    const { thread } = await newThread()
    const path = `/api/threads/${thread.id}`
    await app.ask('PATCH', path, { who: moderator, body: { locked: true } })
    const post = { parent: 1, body: 'x', clientId: clientId() }
    await refusal('thread-locked', 'POST', `${path}/posts`, { who: ada, body: post })
    await refusal('thread-locked', 'PATCH', `${path}/posts/1`, { who: ada, body: { body: 'x', seq: 1 } })
    await refusal('thread-locked', 'DELETE', `${path}/posts/1`, { who: ada })
    await refusal('thread-locked', 'PUT', `${path}/posts/1/reactions/${encodeURIComponent('👍')}`, {
      who: ada,
    })
    await reply(thread.id, moderator)
    await answer(postAnswer, 200, 'PATCH', `${path}/posts/1`, { who: moderator, body: { body: 'x', seq: 1 } })
  })

  test('that are not there are not found', async () => {
    for (const id of [nowhere, 'short', '..', '0OIl000000', 'x'.repeat(5_000)]) {
      const path = `/api/threads/${encodeURIComponent(id)}`
      if (id !== '..') await refusal('thread-not-found', 'GET', path)
      if (id !== '..') await refusal('thread-not-found', 'GET', `${path}/posts?after=0`)
    }
    await refusal('thread-not-found', 'GET', `/api/threads/${nowhere}/posts/1`)
    const body = { parent: 1, body: 'x', clientId: clientId() }
    await refusal('thread-not-found', 'POST', `/api/threads/${nowhere}/posts`, { who: ada, body })
    await refusal('thread-not-found', 'DELETE', `/api/threads/${nowhere}/posts/1`, { who: ada })
  })
})

describe('what changed since', () => {
  test('comes once a post, as it is now', async () => {
    const { thread } = await newThread()
    await reply(thread.id)
    await reply(thread.id)
    const at = `/api/threads/${thread.id}/posts`
    await answer(postAnswer, 200, 'PATCH', `${at}/2`, { who: ada, body: { body: 'edited', seq: 2 } })
    const changes = await answer(threadSnapshot, 200, 'GET', `${at}?after=2`)
    expect(changes).toMatchObject({
      seq: 4,
      posts: [
        { number: 3, seq: 3 },
        { number: 2, seq: 4 },
      ],
    })
    expect((await answer(threadSnapshot, 200, 'GET', `${at}?after=4`)).posts).toEqual([])
    expect((await answer(threadSnapshot, 200, 'GET', at)).posts).toHaveLength(3)
    // Of a time that never was: the whole thread.
    expect((await answer(threadSnapshot, 200, 'GET', `${at}?after=99`)).posts).toHaveLength(3)
  })

  test.each(['x', '-1', '1.5', '1e400', '9007199254740993', 'NaN'])(
    'is not told for after=%s',
    async (after) => {
      const { thread } = await newThread()
      const { document } = await refusal('invalid', 'GET', `/api/threads/${thread.id}/posts?after=${after}`)
      expect(document.issues).toMatchObject([{ path: '/after' }])
    },
  )
})

describe('an ETag', () => {
  test('names the version, and spares who has it the text', async () => {
    const { thread } = await newThread()
    for (const path of [`/api/threads/${thread.id}`, `/api/threads/${thread.id}/posts?after=0`]) {
      const first = await app.ask('GET', path)
      const etag = first.headers.get('etag')!
      expect(etag).toMatch(/^W\/"[^"]+"$/)
      expect(first.headers.get('cache-control')).toBe('no-cache')
      const strong = etag.replace('W/', '')
      for (const known of [
        etag,
        strong,
        `"other", ${etag}`,
        `${etag},W/"other"`,
        `  ${strong}  , "x"`,
        '*',
      ]) {
        const again = await app.ask('GET', path, { headers: { 'if-none-match': known } })
        expect(again.status, known).toBe(304)
        expect(again.headers.get('etag')).toBe(etag)
        expect(await again.text()).toBe('')
      }
      for (const other of ['"other"', `${etag}x`, etag.slice(0, -2), '']) {
        expect((await app.ask('GET', path, { headers: { 'if-none-match': other } })).status, other).toBe(200)
      }
    }
  })

  test('changes with each change', async () => {
    const { thread } = await newThread()
    const path = `/api/threads/${thread.id}`
    const etagNow = async () => (await app.ask('GET', path)).headers.get('etag')!
    const first = await etagNow()
    await reply(thread.id)
    const second = await etagNow()
    await app.ask('PUT', `${path}/posts/1/reactions/${encodeURIComponent('👍')}`, { who: ada })
    const third = await etagNow()
    await app.ask('PATCH', path, { who: moderator, body: { title: 'New' } })
    expect(new Set([first, second, third, await etagNow()]).size).toBe(4)
    expect((await app.ask('GET', path, { headers: { 'if-none-match': first } })).status).toBe(200)
  })

  test('comes with HEAD too, which has no text', async () => {
    const { thread } = await newThread()
    const path = `/api/threads/${thread.id}`
    const head = await app.ask('HEAD', path)
    expect([head.status, await head.text()]).toEqual([200, ''])
    const etag = head.headers.get('etag')!
    expect(etag).toBe((await app.ask('GET', path)).headers.get('etag'))
    expect((await app.ask('HEAD', path, { headers: { 'if-none-match': etag } })).status).toBe(304)
    expect((await app.ask('HEAD', `/api/threads/${nowhere}`)).status).toBe(404)
  })

  test('of a thread that is gone or never was matches nothing', async () => {
    await refusal('thread-not-found', 'GET', `/api/threads/${nowhere}`, { headers: { 'if-none-match': '*' } })
  })
})

describe('posts', () => {
  test('are written as replies, and read with their source', async () => {
    const { thread } = await newThread()
    const { post } = await reply(thread.id, visitor)
    expect(post).toMatchObject({
      number: 2,
      parent: 1,
      seq: 2,
      author: { id: visitor.id, name: 'Gus', kind: 'guest' },
      state: 'complete',
      editedAt: null,
      quote: null,
      reactions: [],
    })
    expect(post.html).toContain('<strong>reply</strong>')
    const read = await answer(postAnswer, 200, 'GET', `/api/threads/${thread.id}/posts/2`)
    expect(read).toEqual({ post: { ...post, body: 'A **reply**' } })
  })

  test('are not written twice under one clientId, even when it is too late to write', async () => {
    const { thread } = await newThread()
    const body = { parent: 1, body: 'once', clientId: clientId() }
    const send = () => answer(postAnswer, 201, 'POST', `/api/threads/${thread.id}/posts`, { who: ada, body })
    const first = await send()
    expect(await send()).toEqual(first)
    await app.ask('DELETE', `/api/threads/${thread.id}/posts/1`, { who: ada })
    await app.ask('PATCH', `/api/threads/${thread.id}`, { who: moderator, body: { locked: true } })
    expect(await send()).toEqual(first)
  })

  test('quote what is there, and nothing else', async () => {
    const { thread } = await newThread(ada, 'It is *written* here')
    const quote = { number: 1, text: 'is written' }
    expect((await reply(thread.id, bob, { quote })).post.quote).toEqual(quote)
    const body = { parent: 1, body: 'x', clientId: clientId() }
    const path = `/api/threads/${thread.id}/posts`
    for (const wrong of [
      { number: 1, text: 'is not' },
      { number: 9, text: 'It' },
    ]) {
      await refusal('quote-mismatch', 'POST', path, { who: bob, body: { ...body, quote: wrong } })
    }
  })

  test('need a parent that is there', async () => {
    const { thread } = await newThread()
    await reply(thread.id)
    await app.ask('DELETE', `/api/threads/${thread.id}/posts/2`, { who: ada })
    const path = `/api/threads/${thread.id}/posts`
    const body = { body: 'x', clientId: clientId() }
    await refusal('post-not-found', 'POST', path, { who: ada, body: { ...body, parent: 9 } })
    await refusal('post-deleted', 'POST', path, { who: ada, body: { ...body, parent: 2 } })
  })

  test('are edited by their authors and moderators, unless they changed since', async () => {
    const { thread } = await newThread()
    const path = `/api/threads/${thread.id}/posts/1`
    const body = { body: 'edited', seq: 1 }
    await refusal('sign-in-required', 'PATCH', path, { body })
    for (const who of [bob, visitor]) await refusal('forbidden', 'PATCH', path, { who, body })
    const { post } = await answer(postAnswer, 200, 'PATCH', path, { who: ada, body })
    expect(post).toMatchObject({
      number: 1,
      seq: 2,
      editedAt: expect.any(String),
      html: expect.stringContaining('edited'),
    })
    await refusal('edit-conflict', 'PATCH', path, { who: ada, body })
    await answer(postAnswer, 200, 'PATCH', path, { who: moderator, body: { body: 'moderated', seq: 2 } })
    await refusal('post-not-found', 'PATCH', `/api/threads/${thread.id}/posts/2`, { who: ada, body })
  })

  test('are deleted by their authors and moderators, and stay as tombstones', async () => {
    const { thread } = await newThread(ada, 'to be gone')
    await reply(thread.id, bob)
    const path = `/api/threads/${thread.id}/posts`
    await refusal('sign-in-required', 'DELETE', `${path}/1`)
    await refusal('forbidden', 'DELETE', `${path}/1`, { who: bob })
    const { post } = await answer(postAnswer, 200, 'DELETE', `${path}/1`, { who: ada })
    expect(post).toMatchObject({ number: 1, state: 'deleted', html: '' })
    await answer(postAnswer, 200, 'DELETE', `${path}/2`, { who: moderator })
    await refusal('post-deleted', 'DELETE', `${path}/1`, { who: ada })
    await refusal('post-deleted', 'PATCH', `${path}/1`, { who: ada, body: { body: 'x', seq: 9 } })
    expect((await answer(postAnswer, 200, 'GET', `${path}/1`)).post.body).toBe('')
    expect(await (await app.ask('GET', `/api/threads/${thread.id}`)).text()).not.toContain('to be gone')
  })

  test.each(['0', '-1', '1.5', 'x', '2147483648', '1e99'])('have no number %s', async (number) => {
    const { thread } = await newThread()
    await refusal('post-not-found', 'GET', `/api/threads/${thread.id}/posts/${number}`)
    await refusal('post-not-found', 'DELETE', `/api/threads/${thread.id}/posts/${number}`, { who: ada })
  })
})

describe('reactions', () => {
  const thumb = encodeURIComponent('👍')

  test('are set and taken back, as often as one likes', async () => {
    const { thread } = await newThread()
    const path = `/api/threads/${thread.id}/posts/1/reactions/${thumb}`
    await refusal('sign-in-required', 'PUT', path)
    for (let twice = 0; twice < 2; twice++) {
      const { post } = await answer(postAnswer, 200, 'PUT', path, { who: bob })
      expect(post.reactions).toEqual([{ emoji: '👍', count: 1, by: [bob.id] }])
      expect(post.seq).toBe(2)
    }
    for (let twice = 0; twice < 2; twice++) {
      expect((await answer(postAnswer, 200, 'DELETE', path, { who: bob })).post).toMatchObject({
        reactions: [],
        seq: 3,
      })
    }
  })

  test('are single emoji', async () => {
    const { thread } = await newThread()
    const path = `/api/threads/${thread.id}/posts/1/reactions`
    for (const emoji of ['x', '👍👍', '<b>', '1', 'thumbsup', '👍\u0000']) {
      await refusal('not-found', 'PUT', `${path}/${encodeURIComponent(emoji)}`, { who: bob })
    }
    for (const emoji of ['👩‍👩‍👧‍👦', '🏳️‍🌈', '👍🏽', '1️⃣', '🇩🇪', '❤️']) {
      const { post } = await answer(postAnswer, 200, 'PUT', `${path}/${encodeURIComponent(emoji)}`, {
        who: bob,
      })
      expect(post.reactions.at(-1)?.emoji).toBe(emoji)
    }
  })

  test('are of a bounded number of kinds', async () => {
    const { thread } = await newThread()
    const path = (i: number) =>
      `/api/threads/${thread.id}/posts/1/reactions/${encodeURIComponent(String.fromCodePoint(0x1f600 + i))}`
    for (let i = 0; i < limits.emojiPerPost; i++) await answer(postAnswer, 200, 'PUT', path(i), { who: bob })
    await refusal('too-many-reactions', 'PUT', path(limits.emojiPerPost), { who: bob })
    await answer(postAnswer, 200, 'PUT', path(0), { who: ada })
  })
})

describe('the preview', () => {
  test('shows Markdown as it will be', async () => {
    const body = { body: '**x**\n\nhttps://example.org/\n\n/t/zzzzzzzzzz/3', thread: nowhere }
    const response = await app.ask('POST', '/api/preview', { who: visitor, body })
    expect(await response.json()).toMatchObject({
      html: expect.stringContaining('<strong>x</strong>'),
      embeds: [
        { kind: 'link', url: 'https://example.org/', state: 'pending' },
        { kind: 'post', thread: nowhere, number: 3, state: 'missing' },
      ],
    })
    await refusal('sign-in-required', 'POST', '/api/preview', { body })
  })
})

describe('users', () => {
  test('lose their rights with a ban, and may come back after it', async () => {
    const troll = await member(app, 'Troll')
    const { thread } = await newThread(troll)
    const path = `/api/users/${troll.id}`
    await refusal('sign-in-required', 'PUT', `${path}/ban`, { body: {} })
    for (const who of [ada, moderator, troll])
      await refusal('forbidden', 'PUT', `${path}/ban`, { who, body: {} })
    await refusal('not-found', 'PUT', '/api/users/nobody/ban', { who: admin, body: {} })
    const banned = await app.ask('PUT', `${path}/ban`, { who: admin, body: { reason: 'noise' } })
    expect([banned.status, await banned.json()]).toEqual([200, { ok: true }])
    const body = { parent: 1, body: 'x', clientId: clientId() }
    await refusal('sign-in-required', 'POST', `/api/threads/${thread.id}/posts`, { who: troll, body })
    const cookie = { headers: { cookie: troll.cookie } }
    await refusal('sign-in-required', 'POST', `/api/threads/${thread.id}/posts`, { who: cookie, body })
    const signIn = { email: 'troll@example.test', password: 'correct horse battery' }
    expect((await app.ask('POST', '/api/auth/sign-in/email', { body: signIn })).status).toBe(403)
    // Reading needs no account, so nobody can be kept from it.
    await answer(threadSnapshot, 200, 'GET', `/api/threads/${thread.id}`, { who: troll })
    expect((await app.ask('DELETE', `${path}/ban`, { who: admin })).status).toBe(200)
    expect((await app.ask('POST', '/api/auth/sign-in/email', { body: signIn })).status).toBe(200)
  })

  test('are given roles by admins', async () => {
    const eve = await member(app, 'Eve')
    const { thread } = await newThread()
    const body = { body: 'moderated', seq: 1 }
    await refusal('forbidden', 'PATCH', `/api/threads/${thread.id}/posts/1`, { who: eve, body })
    await refusal('forbidden', 'PATCH', `/api/users/${eve.id}`, { who: eve, body: { role: 'admin' } })
    await refusal('invalid', 'PATCH', `/api/users/${eve.id}`, { who: admin, body: { role: 'owner' } })
    await refusal('invalid', 'PATCH', `/api/users/${visitor.id}`, { who: admin, body: { role: 'moderator' } })
    expect(
      (await app.ask('PATCH', `/api/users/${eve.id}`, { who: admin, body: { role: 'moderator' } })).status,
    ).toBe(200)
    await answer(postAnswer, 200, 'PATCH', `/api/threads/${thread.id}/posts/1`, { who: eve, body })
    expect(
      (await app.ask('PATCH', `/api/users/${eve.id}`, { who: admin, body: { role: 'member' } })).status,
    ).toBe(200)
    await refusal('forbidden', 'DELETE', `/api/threads/${thread.id}/posts/1`, { who: eve })
  })

  test.each(['bearer', 'cookie'])('are known by their %s', async (by) => {
    const headers: Record<string, string> =
      by === 'bearer' ? { authorization: `Bearer ${ada.token}` } : { cookie: ada.cookie }
    const made = await app.ask('POST', '/api/threads', { headers, body: { title: 't', body: 'b' } })
    expect(made.status).toBe(201)
    const forged: Record<string, string> =
      by === 'bearer'
        ? { authorization: `Bearer ${ada.token}x` }
        : // The first character of the signature: of the last one some bits are padding, and may be changed.
          { cookie: ada.cookie.replace(/(?<==[^.]*\.)./, (first) => (first === 'A' ? 'B' : 'A')) }
    await refusal('sign-in-required', 'POST', '/api/threads', {
      headers: forged,
      body: { title: 't', body: 'b' },
    })
  })

  test('who sign out are nobody', async () => {
    const leaving = await guest(app, 'Leaving')
    expect((await app.ask('POST', '/api/auth/sign-out', { who: leaving })).status).toBe(200)
    await refusal('sign-in-required', 'POST', '/api/threads', {
      who: leaving,
      body: { title: 't', body: 'b' },
    })
  })
})
