import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { member, openApp, type AskOptions, type TestApp, type Visitor } from '../helpers/app.ts'

/** What many read: made once, without mixing readers up, and never behind what was written here. */
let app: TestApp
let ada: Visitor
let bob: Visitor
let thread: string
const words = 'Words that many people read. '.repeat(100)

beforeAll(async () => {
  app = await openApp()
  ada = await member(app, 'Ada-the-viewer')
  bob = await member(app, 'Bob-the-viewer')
  const author = await member(app, 'Author')
  const made = await app.ask('POST', '/api/threads', { who: author, body: { title: 'Read', body: words } })
  thread = ((await made.json()) as { thread: { id: string } }).thread.id
  await post(author, words)
})
afterAll(() => app.close())

async function post(who: Visitor, body: string): Promise<number> {
  const reply = { parent: 1, body, clientId: crypto.randomUUID() }
  const answer = await app.ask('POST', `/api/threads/${thread}/posts`, { who, body: reply })
  expect(answer.status).toBe(201)
  return ((await answer.json()) as { post: { number: number } }).post.number
}

const paths = (): [path: string, headers?: Record<string, string>][] => [
  [`/api/threads/${thread}`],
  [`/api/threads/${thread}`, { 'accept-encoding': 'gzip' }],
  [`/api/threads/${thread}/posts?after=1`],
  [`/t/${thread}`],
  [`/t/${thread}`, { 'accept-encoding': 'br' }],
  [`/t/${thread}/2`],
  [`/t/${thread}/feed.xml`],
]

async function read(path: string, options: AskOptions = {}, method = 'GET') {
  const answer = await app.ask(method, path, options)
  const bytes = Buffer.from(await answer.arrayBuffer())
  return { answer, bytes, text: bytes.toString() }
}

/** Reads until the node has a room for the thread, as readers who come again make it have one. */
async function warm(): Promise<void> {
  for (const [path, headers] of [...paths(), ...paths()]) await read(path, { headers: headers ?? {} })
  for (const who of [ada, bob]) await read(`/t/${thread}`, { who })
  for (let before = -1; before !== app.queries(); await sleep(20)) {
    before = app.queries()
    await read(`/api/threads/${thread}`)
  }
}

describe('a thread that nobody changes', () => {
  test('costs no query, however it is read', async () => {
    await warm()
    const before = app.queries()
    for (let i = 0; i < 5; i++) {
      for (const [path, headers] of paths()) {
        for (const method of ['GET', 'HEAD']) {
          const { answer } = await read(path, { headers: headers ?? {} }, method)
          expect(answer.status, path).toBe(200)
        }
      }
      // Who they are is remembered, too.
      for (const who of [ada, bob]) expect((await read(`/t/${thread}`, { who })).answer.status).toBe(200)
      const { answer } = await read(`/api/threads/${thread}`)
      const known = { 'if-none-match': answer.headers.get('etag')! }
      expect((await read(`/api/threads/${thread}`, { headers: known })).answer.status).toBe(304)
    }
    expect(app.queries() - before).toBe(0)
  })

  test('is read once for all who come at the same time', async () => {
    await warm()
    await post(ada, 'Once')
    const before = app.queries()
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => read(`/t/${thread}`, { headers: { 'accept-encoding': 'gzip' } })),
    )
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1)
    // The head, if the room has not heard yet, then thread, posts, reactions and embeds.
    expect(app.queries() - before).toBeLessThanOrEqual(5)
  })

  test.each(['unknown00', 'zzzzzzzzzz'])('and that is not there, is not found: %s', async (id) => {
    for (const path of [`/api/threads/${id}`, `/t/${id}`, `/t/${id}/feed.xml`]) {
      for (let i = 0; i < 3; i++) expect((await read(path)).answer.status, path).toBe(404)
    }
  })
})

describe('what was written', () => {
  test('is there for who reads next, in every shape', async () => {
    await warm()
    for (let i = 0; i < 10; i++) {
      const mark = `Mark-${i}-of-many`
      await post(i % 2 === 0 ? ada : bob, mark)
      for (const [path, headers] of paths()) {
        if (headers !== undefined || path.endsWith('/2')) continue
        expect((await read(path)).text, path).toContain(mark)
      }
    }
  })

  test('has another tag', async () => {
    const { answer } = await read(`/api/threads/${thread}`)
    const known = { headers: { 'if-none-match': answer.headers.get('etag')! } }
    expect((await read(`/api/threads/${thread}`, known)).answer.status).toBe(304)
    await post(ada, 'Changed')
    const changed = await read(`/api/threads/${thread}`, known)
    expect([changed.answer.status, changed.text.includes('Changed')]).toEqual([200, true])
    expect(changed.answer.headers.get('etag')).not.toBe(answer.headers.get('etag'))
  })
})

describe('bytes', () => {
  test('are the same however they were packed, and HEAD tells of them', async () => {
    for (const path of [
      `/api/threads/${thread}`,
      `/t/${thread}`,
      `/t/${thread}/1`,
      `/t/${thread}/feed.xml`,
    ]) {
      const plain = await read(path, { headers: { 'accept-encoding': 'identity' } })
      const gzip = await read(path, { headers: { 'accept-encoding': 'gzip' } })
      const br = await read(path, { headers: { 'accept-encoding': 'gzip, br' } })
      const encodings = [plain, gzip, br].map(({ answer }) => answer.headers.get('content-encoding'))
      expect(encodings, path).toEqual([null, 'gzip', 'br'])
      expect(gunzipSync(gzip.bytes).equals(plain.bytes), path).toBe(true)
      expect(brotliDecompressSync(br.bytes).equals(plain.bytes), path).toBe(true)
      for (const each of [plain, gzip, br]) {
        expect(each.answer.headers.get('content-length')).toBe(String(each.bytes.length))
        expect(each.answer.headers.get('vary')).toMatch(/^accept-encoding\b/)
      }
      const head = await read(path, { headers: { 'accept-encoding': 'gzip' } }, 'HEAD')
      expect(head.bytes.length).toBe(0)
      const told = (answer: Response) => ({ ...Object.fromEntries(answer.headers), 'x-request-id': '' })
      expect(told(head.answer)).toEqual(told(gzip.answer))
    }
  })

  test("of a reader's own page are joined of what is the same for all and what is not", async () => {
    for (const path of [`/t/${thread}`, `/t/${thread}/2`]) {
      const own = (accept: string) => read(path, { who: ada, headers: { 'accept-encoding': accept } })
      const plain = await own('identity')
      expect(plain.text).toContain('Ada-the-viewer')
      expect(plain.answer.headers.get('content-encoding')).toBeNull()
      for (const accept of ['gzip', 'gzip, deflate, br']) {
        for (let i = 0; i < 2; i++) {
          const gzip = await own(accept)
          expect(gzip.answer.headers.get('content-encoding')).toBe('gzip')
          expect(gunzipSync(gzip.bytes).equals(plain.bytes), path).toBe(true)
          expect(gzip.bytes.length).toBeLessThan(plain.bytes.length / 2)
          expect(gzip.answer.headers.get('content-length')).toBe(String(gzip.bytes.length))
          expect(gzip.answer.headers.get('vary')).toMatch(/^accept-encoding\b/)
        }
      }
      for (const { answer, bytes } of [plain, await own('br'), await own('gzip;q=0, br')]) {
        expect(answer.headers.get('content-encoding')).toBeNull()
        expect(bytes.equals(plain.bytes)).toBe(true)
        expect(answer.headers.get('content-length')).toBe(String(bytes.length))
      }
    }
  })

  test('may be kept as before', async () => {
    const kept = async (path: string) => (await read(path)).answer.headers.get('cache-control')
    expect(await kept(`/api/threads/${thread}`)).toBe('no-cache')
    expect(await kept(`/t/${thread}`)).toBe('private, no-cache')
    expect(await kept(`/t/${thread}/feed.xml`)).toBe('public, max-age=60')
  })
})

describe('a page', () => {
  test('says nothing of one reader to another', async () => {
    const says = (who: Visitor) => `id="viewer">{"id":"${who.id}"`
    const between = /(?<=<div id="who">).*?<\/script>/s
    const own = async (who?: Visitor) => (await read(`/t/${thread}`, { ...(who && { who }) })).text
    const { text: anyone } = await read(`/t/${thread}`)
    for (let i = 0; i < 3; i++) {
      for (const who of [ada, bob]) {
        const page = await own(who)
        expect(page).toContain(says(who))
        expect(page).not.toContain(says(who === ada ? bob : ada))
        expect(page).toContain('id="sign-out-form"')
        const cookie = (await read(`/t/${thread}`, { headers: { cookie: who.cookie } })).text
        expect(cookie).toContain(says(who))
        // Nothing else is different.
        expect(page.replace(between, '')).toBe(anyone.replace(between, ''))
      }
      expect(await own()).toBe(anyone)
    }
    expect(anyone).toContain('id="viewer">null<')
    expect((await read(`/t/${thread}`)).answer.headers.get('vary')).toContain('cookie')
    expect((await read(`/t/${thread}`, { who: ada })).answer.headers.get('vary')).toContain('cookie')
  })

  test('of a post is another than that of its thread', async () => {
    const [whole, first, second] = await Promise.all(
      [`/t/${thread}`, `/t/${thread}/1`, `/t/${thread}/2`].map(async (path) => (await read(path)).text),
    )
    expect(whole).toContain('"focus":null')
    expect(first).toContain('"focus":1')
    expect(second).toContain('"focus":2')
    for (const wrong of ['99999', '0', 'x', '1.5']) {
      expect((await read(`/t/${thread}/${wrong}`)).answer.status, wrong).toBe(404)
    }
  })
})

test('a frame is made once for each way to ask for it', async () => {
  const admin = ada
  const site = { name: 'Site', origins: ['https://host.example'] }
  expect((await app.ask('POST', '/api/sites', { who: admin, body: site })).status).toBe(201)
  const frame = async (more: string) =>
    (await read(`/embed/frame?host=https://host.example&thread=${thread}${more}`)).text
  expect(await frame('')).toBe(await frame(''))
  expect(await frame('&locale=de')).toContain('lang="de"')
  expect(await frame('&collapsed=true')).toContain('<details')
  expect(await frame('')).not.toContain('<details')
  expect(await frame('&post=2')).toContain('"branch":2')
  expect(await frame(`&look=${encodeURIComponent('{"theme":"dark"}')}`)).toContain('data-theme="dark"')
  expect(await frame('&post=99999')).toContain('cannot be shown')
})
