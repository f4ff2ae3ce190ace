import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { decodeThreadMessages } from '../../server/bus/messages.ts'
import { siteLimits } from '../../server/embedding/limits.ts'
import { openPageThread, pageThreadId, siteOfThread } from '../../server/embedding/page-threads.ts'
import { createSites } from '../../server/embedding/sites.ts'
import { deleteSite, insertSite } from '../../server/store/sites.ts'
import { newThreadId } from '../../server/threads/ids.ts'
import type { ThreadSnapshot } from '../../shared/http.ts'
import { limits } from '../../shared/limits.ts'
import { addSite, type NewSite } from '../../shared/site.ts'
import { guest, member, openApp, type TestApp, type Visitor } from '../helpers/app.ts'
import { listen } from '../helpers/bus.ts'
import { addUser, describePostgres, publicUrl, threadParts } from '../helpers/store.ts'

const input = (more: object = {}): NewSite =>
  addSite.parse({
    name: 'Blog',
    origins: [
      'https://blog.example',
      'https://*.blog.example',
      'http://blog.example',
      'http://www.blog.example',
    ],
    rules: { keep: ['id'], aliases: { 'www.blog.example': 'blog.example' } },
    ...more,
  })

describe('threads of pages', () => {
  let app: TestApp
  let gus: Visitor
  let admin: Visitor
  let site: string

  beforeAll(async () => {
    app = await openApp()
    admin = await member(app, 'Root')
    gus = await guest(app, 'Gus')
    const answer = await app.ask('POST', '/api/sites', { who: admin, body: input() })
    site = ((await answer.json()) as { site: { id: string } }).site.id
  })
  beforeEach(() => sql`truncate threads cascade`.execute(app.db))
  afterAll(() => app.close())

  async function open(url: string, title?: string, who: Visitor | undefined = gus): Promise<ThreadSnapshot> {
    const body = { url, ...(title !== undefined && { title }) }
    const answer = await app.ask('POST', '/api/embed/threads', { who: who!, body })
    expect(answer.status, await answer.clone().text()).toBe(200)
    return (await answer.json()) as ThreadSnapshot
  }

  async function refusal(body: object, who: { headers: Record<string, string> } = gus): Promise<unknown> {
    return await (await app.ask('POST', '/api/embed/threads', { who, body })).json()
  }

  async function post(thread: string, body: string, who = gus): Promise<number> {
    const answer = await app.ask('POST', `/api/threads/${thread}/posts`, {
      who,
      body: { parent: 1, body, clientId: Math.random().toString(36).slice(2) },
    })
    expect(answer.status).toBe(201)
    return ((await answer.json()) as { post: { number: number } }).post.number
  }

  test('are made by who comments first, under an id that was known before', async () => {
    const made = await open('http://www.blog.example/a_b/?utm_source=x&id=7#comments', ' On\n_chairs_ \u202e')
    expect(made.thread).toMatchObject({
      id: pageThreadId(site, 'blog.example/a_b?id=7'),
      title: 'On _chairs_',
      url: 'http://blog.example/a_b/?id=7',
    })
    expect(made.thread.id).toMatch(/^[1-9A-HJ-NP-Za-km-z]{10}$/)
    expect(made.posts).toMatchObject([
      {
        number: 1,
        parent: null,
        author: { id: `site-${site}`, name: 'Blog', kind: 'person' },
        state: 'complete',
      },
    ])
    expect(made.posts[0]!.html.trim()).toBe(
      '<p><a href="http://blog.example/a_b/?id=7" rel="nofollow ugc noopener">blog.example/a_b?id=7</a></p>',
    )
    expect(made.posts[0]!.embeds).toBeUndefined()
    expect(await post(made.thread.id, 'First')).toBe(2)
  })

  test('are found by every address of the page', async () => {
    const { thread } = await open('https://blog.example/a', 'First title')
    for (const url of [
      'http://blog.example/a/',
      'https://www.blog.example/a/index.html',
      'https://blog.example:443/a?fbclid=1#x',
      'HTTPS://BLOG.EXAMPLE/%61',
    ]) {
      const found = await open(url, 'Another title')
      expect(found.thread, url).toEqual(thread)
    }
    for (const url of [
      'https://blog.example/b',
      'https://blog.example/a?id=1',
      'https://old.blog.example/a',
    ]) {
      expect((await open(url)).thread.id, url).not.toBe(thread.id)
    }
    const counted = await app.db.selectFrom('threads').select('id').where('site_id', '=', site).execute()
    expect(counted).toHaveLength(4)
  })

  test.each<[what: string, url: string, html: string]>([
    [
      'Markdown',
      'https://blog.example/*a*_b_[c](d)`e`~~f~~$x$#1@check&amp;!<i>',
      '<a href="https://blog.example/*a*_b_%5Bc%5D(d)%60e%60~~f~~$x$#1@check&amp;!%3Ci%3E"',
    ],
    [
      'an entity',
      'https://blog.example/&copy;',
      '<a href="https://blog.example/&amp;copy;" rel="nofollow ugc noopener">blog.example/&amp;copy;</a>',
    ],
    [
      'another script',
      'https://blog.example/stühle',
      '<a href="https://blog.example/st%C3%BChle" rel="nofollow ugc noopener">blog.example/st%C3%BChle</a>',
    ],
  ])('have a root that links to the page, with %s in its address', async (_, url, html) => {
    const { posts } = await open(url)
    const without = url.includes('#') ? html.slice(0, html.indexOf('#')) : html
    expect(posts[0]!.html).toContain(without)
    expect(posts[0]!.html.match(/</g)).toHaveLength(4)
  })

  test('are called by their address where the page has no title, and by as much of it as fits', async () => {
    for (const title of [undefined, '', ' \n', '\u202e', '\u0000']) {
      await sql`truncate threads cascade`.execute(app.db)
      expect((await open('https://blog.example/a', title)).thread.title, JSON.stringify(title)).toBe(
        'blog.example/a',
      )
    }
    const long = await open('https://blog.example/b', `${'x'.repeat(limits.titleMax - 2)}🌱🌱🌱`)
    expect(long.thread.title.length).toBeLessThanOrEqual(limits.titleMax)
    expect(long.thread.title).toMatch(/^x+…$/)
    const deep = await open(`https://blog.example/${'y'.repeat(limits.titleMax)}`)
    expect(deep.thread.title).toMatch(/^blog\.example\/y+…$/)
  })

  test('are for pages of sites alone', async () => {
    for (const url of [
      'https://evil.example/a',
      'https://evil-blog.example/a',
      'https://blog.example.evil.com/a',
      'https://blog.example:8443/a',
      'http://old.blog.example/a',
      'https://blog.example./a',
      'https://x@blog.example/a',
      'https://evil.com\\@blog.example/a',
      'https://evil.com#.blog.example',
      `${publicUrl}/t/k3v9x2q7ab`,
    ]) {
      expect(['page-not-allowed', 'invalid'], url).toContain(
        ((await refusal({ url })) as { code: string }).code,
      )
    }
    expect(await refusal({ url: 'https://evil.example/a' })).toMatchObject({
      status: 403,
      code: 'page-not-allowed',
      detail: `Pages of https://evil.example may not have threads on ${publicUrl}.`,
    })
    expect(await refusal({ url: 'javascript:alert(1)' })).toMatchObject({ code: 'invalid' })
    expect(await refusal({ url: 'https://blog.example/a' }, { headers: {} })).toMatchObject({
      code: 'sign-in-required',
    })
    const long = `https://blog.example/${'é'.repeat(siteLimits.pageKeyMax / 6)}`
    expect(await refusal({ url: long })).toMatchObject({ code: 'invalid', issues: [{ path: '/url' }] })
    expect(await app.db.selectFrom('threads').select('id').execute()).toEqual([])
  })

  test('can have keys as long as any that are allowed', async () => {
    // What no database could compress.
    const path = Array.from({ length: 1_900 }, () => Math.floor(Math.random() * 36).toString(36)).join('')
    const { thread } = await open(`https://blog.example/${path}`)
    expect((await open(`https://blog.example/${path}`)).thread.id).toBe(thread.id)
  })

  test('are told of to those who wait for them', async () => {
    const id = pageThreadId(site, 'blog.example/waited-for')
    const heard = await listen(app.parts.bus, id)
    await open('https://blog.example/waited-for')
    await open('https://blog.example/waited-for')
    await expect.poll(() => heard.messages).toHaveLength(1)
    const message = decodeThreadMessages(heard.messages[0]!)[0]
    expect(message).toMatchObject({ kind: 'change', seq: 1 })
    expect(JSON.parse((message as { line: string }).line)).toMatchObject({
      type: 'post',
      thread: id,
      seq: 1,
      post: { number: 1, author: { name: 'Blog' } },
    })
    await heard.unsubscribe()
  })

  describe('are counted', () => {
    const counts = async (...asked: [name: 'url' | 'thread', value: string][]) => {
      const query = asked.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&')
      const answer = await app.ask('GET', `/embed/counts?${query}`, {
        headers: { origin: 'https://blog.example' },
      })
      return { answer, json: (await answer.json()) as { counts: Record<string, number>; code?: string } }
    }

    test('without their root, by the addresses as they were given', async () => {
      const { thread } = await open('https://blog.example/a')
      const other = await open('https://blog.example/empty')
      await post(thread.id, 'One')
      const two = await post(thread.id, 'Two')
      const own = await app.ask('POST', '/api/threads', { who: admin, body: { title: 'T', body: 'Root' } })
      const plain = ((await own.json()) as ThreadSnapshot).thread.id
      await post(plain, 'Reply')
      const asked = () =>
        counts(
          ['url', 'https://blog.example/a'],
          ['url', 'HTTP://www.Blog.example/a/#x'],
          ['url', 'https://blog.example/empty'],
          ['url', 'https://blog.example/none'],
          ['url', 'https://evil.example/a'],
          ['url', 'nonsense'],
          ['url', '__proto__'],
          ['thread', thread.id],
          ['thread', other.thread.id],
          ['thread', plain],
          ['thread', 'k3v9x2q7ab'],
          ['thread', 'nonsense'],
        )
      const expected = {
        'https://blog.example/a': 2,
        'HTTP://www.Blog.example/a/#x': 2,
        'https://blog.example/empty': 0,
        'https://blog.example/none': 0,
        [thread.id]: 2,
        [other.thread.id]: 0,
        [plain]: 2,
      }
      const { answer, json } = await asked()
      expect(json).toEqual({ counts: expected })
      expect(answer.headers.get('access-control-allow-origin')).toBe('*')
      expect(answer.headers.get('cache-control')).toBe('public, max-age=30')

      // What was deleted does not count, and a root that was deleted is not taken off twice.
      expect((await app.ask('DELETE', `/api/threads/${thread.id}/posts/${two}`, { who: gus })).status).toBe(
        200,
      )
      await sql`update posts set state = 'deleted' where thread_id = ${other.thread.id}`.execute(app.db)
      await sql`update threads set post_count = 0 where id = ${other.thread.id}`.execute(app.db)
      expect((await asked()).json.counts).toMatchObject({
        'https://blog.example/a': 1,
        [thread.id]: 1,
        [other.thread.id]: 0,
      })
    })

    test('so many at a time', async () => {
      const urls = (count: number) =>
        Array.from({ length: count }, (_, n): ['url', string] => ['url', `https://blog.example/${n}`])
      expect((await counts()).json).toEqual({ counts: {} })
      const most = await counts(...urls(limits.countsPerRequest))
      expect(Object.keys(most.json.counts)).toHaveLength(limits.countsPerRequest)
      expect((await counts(...urls(limits.countsPerRequest + 1))).json.code).toBe('invalid')
      expect((await counts(...urls(limits.countsPerRequest), ['thread', 'k3v9x2q7ab'])).json.code).toBe(
        'invalid',
      )
      expect((await counts(['url', 'x'.repeat(limits.urlMax + 1)])).json.code).toBe('invalid')
    })
  })

  test('are known as such, also when their site is gone', async () => {
    const added = await app.ask('POST', '/api/sites', {
      who: admin,
      body: { name: 'Gone', origins: ['https://gone.example'] },
    })
    const gone = ((await added.json()) as { site: { id: string } }).site.id
    const page = (await open('https://gone.example/a')).thread.id
    const own = await app.ask('POST', '/api/threads', { who: admin, body: { title: 'T', body: 'Root' } })
    const plain = ((await own.json()) as ThreadSnapshot).thread.id
    const parts = { db: app.db, sites: createSites(app) }
    expect(await siteOfThread(parts, page)).toMatchObject({ site: { id: gone, name: 'Gone' }, isPage: true })
    expect(await siteOfThread(parts, plain)).toEqual({ site: undefined, isPage: false })
    await expect(siteOfThread(parts, newThreadId())).rejects.toMatchObject({ code: 'thread-not-found' })
    await app.ask('DELETE', `/api/sites/${gone}`, { who: admin })
    parts.sites.forget()
    expect(await siteOfThread(parts, page)).toEqual({ site: undefined, isPage: true })
    expect(await refusal({ url: 'https://gone.example/a' })).toMatchObject({ code: 'page-not-allowed' })
    expect((await app.ask('GET', `/api/threads/${page}`)).status).toBe(200)
  })
})

describePostgres('threads of pages that many open at once', (store) => {
  test('are made once, and told of once', async () => {
    const ada = await addUser(store.db, 'ada')
    const id = newThreadId()
    await insertSite(store.db, id, input())
    const parts = { ...threadParts(store.db), sites: createSites(store), publicUrl }
    const heard = await listen(parts.bus, pageThreadId(id, 'blog.example/a'))
    const opened = await Promise.all(
      ['', '/', '?x=1', '#y', '/index.html', '?z', '//', '#z'].map((end, n) =>
        openPageThread(parts, ada, { url: `https://blog.example/a${end}`, title: `Title ${n}` }),
      ),
    )
    expect(new Set(opened.map(({ thread }) => JSON.stringify(thread))).size).toBe(1)
    expect(await store.db.selectFrom('posts').select('number').execute()).toEqual([{ number: 1 }])
    await expect.poll(() => heard.messages.length).toBe(1)
  })

  test('are not made for a site that was deleted a moment ago', async () => {
    const ada = await addUser(store.db, 'ada')
    const id = newThreadId()
    await insertSite(store.db, id, input())
    const sites = createSites(store)
    expect((await sites.find(id))?.name).toBe('Blog')
    await deleteSite(store.db, id)
    const parts = { ...threadParts(store.db), sites, publicUrl }
    await expect(openPageThread(parts, ada, { url: 'https://blog.example/a' })).rejects.toMatchObject({
      code: 'page-not-allowed',
    })
    expect(await store.db.selectFrom('threads').select('id').execute()).toEqual([])
    // It is not asked again.
    expect(await sites.find(id)).toBeUndefined()
  })
})
