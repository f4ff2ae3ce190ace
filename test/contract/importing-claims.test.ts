import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { pino } from 'pino'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { claimLinkCommand, importCommentsCommand } from '../../server/commands/import-comments.ts'
import { openStore } from '../../server/commands/open.ts'
import { readConfig } from '../../server/config.ts'
import { createSites } from '../../server/embedding/sites.ts'
import {
  claimByEmail,
  claimPlaceholder,
  findClaim,
  findPlaceholders,
  startClaim,
} from '../../server/importing/claim.ts'
import { readDisqus } from '../../server/importing/disqus.ts'
import { importComments } from '../../server/importing/import-comments.ts'
import { readHackerNews } from '../../server/importing/hackernews.ts'
import type { SourceRecord } from '../../server/importing/records.ts'
import { readRemark42 } from '../../server/importing/remark42.ts'
import { createReport, type ReportEntry } from '../../server/importing/report.ts'
import { originOf, sitePages } from '../../server/importing/site-pages.ts'
import { lockDataDir } from '../../server/store/data-dir.ts'
import type { Db } from '../../server/store/database.ts'
import { loadPosts, readThread } from '../../server/store/read.ts'
import { insertSite } from '../../server/store/sites.ts'
import { reply } from '../../server/threads/posts.ts'
import { addSite } from '../../shared/site.ts'
import { guest, member, openApp, type TestApp } from '../helpers/app.ts'
import { disqusKinds, disqusXml, expectedOf, makeForum, pageOf } from '../helpers/import-files.ts'
import { addUser, describeStores, publicUrl, threadParts } from '../helpers/store.ts'

const siteId = 'k3v9x2q7ab'

async function* one(text: string): AsyncGenerator<string> {
  yield await Promise.resolve(text)
}

async function makeSite(db: Db): Promise<void> {
  const origins = ['https://blog.example', 'https://old.example']
  const rules = { keep: ['p'], aliases: { 'old.example': 'blog.example' }, trailingSlash: true, index: true }
  await insertSite(db, siteId, addSite.parse({ name: 'The blog', origins, rules }))
}

/** Imports for the site, or without one. */
async function imported(db: Db, records: AsyncIterable<SourceRecord>, from = 'disqus', forSite = true) {
  const entries: ReportEntry[] = []
  const report = createReport((entry) => void entries.push(entry))
  const parts = { ...threadParts(db), sites: createSites({ db }), publicUrl }
  const site = (await parts.sites.find(siteId))!
  await importComments(
    {
      ...parts,
      ensureLinks: async (tx, urls) => await threadParts(tx).links.request(urls),
      report,
      openPage: forSite ? sitePages(parts, site) : undefined,
    },
    { source: forSite ? `${from}@${siteId}` : from, base: forSite ? originOf(site) : undefined },
    records,
  )
  return { counts: report.counts, entries }
}

const disqusPost = (
  id: string,
  more: { thread?: string; author?: string; message?: string; at?: string; parent?: string } = {},
) =>
  `<post dsq:id="${id}"><message><![CDATA[${more.message ?? `text ${id}`}]]></message><createdAt>${more.at ?? '2015-01-01T00:00:00Z'}</createdAt><isDeleted>false</isDeleted><isSpam>false</isSpam><author><name>${more.author ?? 'Ada'}</name><isAnonymous>false</isAnonymous><username>${(more.author ?? 'ada').toLowerCase()}</username><email>${more.author ?? 'Ada'}@Mail.example</email></author><thread dsq:id="${more.thread ?? 't'}"/>${more.parent === undefined ? '' : `<parent dsq:id="${more.parent}"/>`}</post>`
const disqusFile = (link: string, ...posts: string[]) =>
  readDisqus(
    one(
      `<disqus><thread dsq:id="t"><link>${link}</link><title>Essay</title><createdAt>2014-01-01T00:00:00Z</createdAt></thread>${posts.join('')}</disqus>`,
    ),
  )

describeStores('comments of a site', (store) => {
  beforeEach(() => makeSite(store.db))

  test('come into the threads of its pages, whatever the file calls those, behind what is there', async () => {
    const { db } = store
    const parts = { ...threadParts(db), sites: createSites({ db }), publicUrl }
    const site = (await parts.sites.find(siteId))!
    const opened = await sitePages(parts, site)({ url: 'https://blog.example/a/', title: 'Here' })
    const thread = (opened as { thread: string }).thread
    const bob = await addUser(db, 'bob')
    await reply(parts, bob, thread, { parent: 1, body: 'first\n\n' + `/t/${thread}/3`, clientId: 'c1' })
    const before = (await readThread(db, thread))!

    const posts = [disqusPost('2', { at: '2015-01-02T00:00:00Z', parent: '1' }), disqusPost('1')]
    const { counts } = await imported(db, disqusFile('http://old.example/a/index.html?utm=1#x', ...posts))
    expect(counts).toMatchObject({ threadsMade: 0, threadsFound: 1, posts: 2, authors: 1, skipped: {} })
    const after = (await readThread(db, thread))!
    expect(
      after.posts
        .toSorted((a, b) => a.number - b.number)
        .map(({ number, parent, author }) => [number, parent, author.name]),
    ).toEqual([
      [1, null, 'The blog'],
      [2, 1, 'bob'],
      [3, 1, 'Ada'],
      [4, 3, 'Ada'],
    ])
    // Seqs go on without a gap, and the post that showed number 3 before it was there shows it now.
    expect(after.seq).toBe(before.seq + 3)
    const changed = await loadPosts(db, thread, { after: before.seq })
    expect(changed.map(({ number, seq }) => [number, seq - before.seq])).toEqual([
      [3, 1],
      [4, 2],
      [2, 3],
    ])
    expect(changed[2]!.embeds).toMatchObject([{ kind: 'post', number: 3, state: 'found' }])
    const row = await db.selectFrom('threads').selectAll().where('id', '=', thread).executeTakeFirstOrThrow()
    expect(row.last_activity_at.getTime()).toBeGreaterThan(Date.now() - 60_000)

    // A later export has more; the parent is one that came before.
    const more = await imported(
      db,
      disqusFile('https://blog.example/a', ...posts, disqusPost('3', { parent: '2', author: 'Eve' })),
    )
    expect(more.counts).toMatchObject({ posts: 1, known: 2, authors: 1 })
    expect((await loadPosts(db, thread, { numbers: [5] }))[0]).toMatchObject({
      parent: 4,
      author: { name: 'Eve' },
    })
  })

  test('make the threads of pages that have none, with the times of the comments', async () => {
    const { db } = store
    await imported(db, disqusFile('/b?p=7&x=1', disqusPost('1')))
    const [thread] = await db.selectFrom('threads').selectAll().execute()
    expect(thread).toMatchObject({
      site_id: siteId,
      page_key: 'blog.example/b?p=7',
      title: 'Essay',
      post_count: 2,
    })
    expect(thread!.created_at.toISOString()).toBe('2014-01-01T00:00:00.000Z')
    expect(thread!.last_activity_at.toISOString()).toBe('2015-01-01T00:00:00.000Z')
    const posts = await loadPosts(db, thread!.id, { after: 0 })
    expect(posts.map(({ number, createdAt }) => [number, createdAt.slice(0, 4)])).toEqual([
      [1, '2014'],
      [2, '2015'],
    ])
  })

  test('of pages elsewhere, or of none, are left out and told of', async () => {
    const { db } = store
    const { counts, entries } = await imported(
      db,
      disqusFile('https://evil.example/', disqusPost('1'), disqusPost('2', { thread: 'x' })),
    )
    expect(counts.skipped).toEqual({ 'page-not-allowed': 1, 'thread-skipped': 1, 'unknown-thread': 1 })
    expect(entries).toContainEqual({
      what: 'skipped',
      kind: 'thread',
      sourceId: 't',
      line: 1,
      reason: 'page-not-allowed',
      detail: 'https://evil.example/',
    })
    const nowhere = await imported(db, disqusFile('javascript:alert(1)', disqusPost('1')))
    expect(nowhere.counts.skipped).toEqual({ 'no-address': 1, 'thread-skipped': 1 })
    expect(await db.selectFrom('threads').select('id').execute()).toEqual([])
    expect(await db.selectFrom('placeholders').select('source_id').execute()).toEqual([])
  })

  test('begin with the text of a discussion, where it has one', async () => {
    const { db } = store
    const item = {
      id: 9,
      type: 'story',
      author: 'pg',
      title: 'T',
      url: 'https://blog.example/hn',
      text: 'Ask: <i>why</i>',
      created_at: '2014-05-05T00:00:00Z',
      children: [
        {
          id: 10,
          type: 'comment',
          author: 'x',
          text: 'Because',
          created_at: '2014-05-06T00:00:00Z',
          children: [],
        },
      ],
    }
    await imported(db, readHackerNews(one(JSON.stringify(item))), 'hackernews')
    const thread = (await db.selectFrom('threads').select('id').executeTakeFirstOrThrow()).id
    const posts = await loadPosts(db, thread, { after: 0 })
    expect(posts.map(({ number, parent, author: { name } }) => [number, parent, name])).toEqual([
      [1, null, 'The blog'],
      [2, 1, 'pg'],
      [3, 1, 'x'],
    ])
    expect(posts[1]!.html).toContain('<em>why</em>')
    expect(
      (await imported(db, readHackerNews(one(JSON.stringify(item))), 'hackernews')).counts,
    ).toMatchObject({ posts: 0, known: 2 })
  })

  test('that are hostile are harmless, and those that are too long are all there', async () => {
    const { db } = store
    const long =
      Array.from({ length: 3_000 }, (_, i) => `<p>Paragraph ${i} of many.</p>`).join('') + 'x'.repeat(30_000)
    const posts = [
      disqusPost('1', {
        message: `a\0b<script>alert(1)</script><a href="javascript:alert(1)">x</a>${'<div>'.repeat(20_000)}deep`,
      }),
      disqusPost('2', { message: long, at: '2015-01-02T00:00:00Z' }),
      disqusPost('3', { message: 'an answer', parent: '2', at: '2015-01-03T00:00:00Z' }),
      disqusPost('4', { message: 'y'.repeat(5_000_000) }),
      disqusPost('5', { message: '<p></p><script>x</script>' }),
      disqusPost('6', { author: 'x'.repeat(3_000), message: '![pic](https://a.example/i.png) &lol;' }),
    ]
    const { counts } = await imported(db, disqusFile('https://blog.example/h', ...posts))
    expect(counts.skipped).toEqual({ 'too-long': 1, empty: 1 })
    expect(counts.noted).toEqual({ split: 1 })
    const thread = (await db.selectFrom('threads').select('id').executeTakeFirstOrThrow()).id
    const all = await loadPosts(db, thread, { after: 0 })
    expect(all.map(({ html }) => html).join('')).not.toMatch(/<script|javascript:|\0|<img/)
    const parts = all.filter(({ createdAt }) => createdAt.startsWith('2015-01-02'))
    expect(parts.length).toBeGreaterThan(1)
    const text = parts.map(({ html }) => html).join('')
    for (let i = 0; i < 3_000; i++) expect(text).toContain(`Paragraph ${i} of many.`)
    // Each part answers the one before, and others the first.
    expect(parts.slice(1).map(({ parent }) => parent)).toEqual(parts.slice(0, -1).map(({ number }) => number))
    expect(all.at(-1)).toMatchObject({ parent: parts[0]!.number })
    expect((await imported(db, disqusFile('https://blog.example/h', ...posts))).counts).toMatchObject({
      posts: 0,
      known: 4,
    })
  })
})

describeStores('claiming', (store) => {
  beforeEach(() => makeSite(store.db))

  test('gives posts and reactions to their author, and so do later imports', async () => {
    const { db } = store
    await addUser(db, 'me', { name: 'Ada L.' })
    const lines = (count: number) =>
      readRemark42(
        one(
          [
            '{"version":1}',
            ...Array.from({ length: count }, (_, i) =>
              JSON.stringify({
                id: `c${i}`,
                pid: '',
                text: `t${i}`,
                user: { id: 'gh_1', name: 'ada' },
                locator: { url: 'https://blog.example/r' },
                time: '2015-01-01T00:00:00Z',
              }),
            ),
          ].join('\n'),
        ),
      )
    await imported(db, lines(2), 'remark42')
    const [placeholder] = await findPlaceholders(db, 'remark42', 'ada')
    expect(placeholder).toMatchObject({
      name: 'ada',
      source: `remark42@${siteId}`,
      sourceId: 'gh_1',
      posts: 2,
    })
    const thread = (await db.selectFrom('threads').select('id').executeTakeFirstOrThrow()).id
    const reaction = { thread_id: thread, number: 2, emoji: '👍' }
    await db
      .insertInto('reactions')
      .values([
        { ...reaction, user_id: 'me' },
        { ...reaction, user_id: placeholder!.userId },
        { ...reaction, emoji: '🎉', user_id: placeholder!.userId },
      ])
      .execute()
    await claimPlaceholder({ db }, placeholder!.userId, 'me')
    const posts = await loadPosts(db, thread, { after: 0 })
    expect(posts.map(({ author }) => author.name)).toEqual(['The blog', 'Ada L.', 'Ada L.'])
    expect(posts[1]!.reactions.toSorted((a, b) => (a.emoji < b.emoji ? 1 : -1))).toEqual([
      { emoji: '👍', count: 1, by: ['me'] },
      { emoji: '🎉', count: 1, by: ['me'] },
    ])
    expect(await db.selectFrom('users').select('id').where('id', '=', placeholder!.userId).execute()).toEqual(
      [],
    )
    await expect(claimPlaceholder({ db }, placeholder!.userId, 'me')).rejects.toThrow('Nobody is left')
    // Nor can who claimed it be claimed by others.
    await expect(claimPlaceholder({ db }, 'me', 'bob')).rejects.toThrow('Nobody is left')
    expect(await findPlaceholders(db, 'remark42', 'gh_1')).toEqual([])
    expect((await imported(db, lines(3), 'remark42')).counts).toMatchObject({
      posts: 1,
      known: 2,
      authors: 0,
    })
    expect((await loadPosts(db, thread, { numbers: [4] }))[0]!.author.id).toBe('me')
  })

  test('by an address that the site vouches for reaches what was imported for that site, and nothing else', async () => {
    const { db } = store
    await addUser(db, 'me')
    await imported(
      db,
      disqusFile('https://blog.example/e', disqusPost('1'), disqusPost('2', { author: 'Eve' })),
    )
    await imported(db, disqusFile('https://blog.example/e', disqusPost('1')), 'disqus', false)
    const stored = JSON.stringify(await db.selectFrom('placeholders').selectAll().execute())
    expect(stored).not.toMatch(/mail\.example/i)
    expect(await claimByEmail({ db }, { siteId: 'other', userId: 'me', email: 'ada@mail.example' })).toBe(0)
    expect(await claimByEmail({ db }, { siteId, userId: 'me', email: ' ADA@mail.example' })).toBe(1)
    expect(await claimByEmail({ db }, { siteId, userId: 'me', email: 'ada@mail.example' })).toBe(0)
    const mine = await db.selectFrom('posts').select('body').where('author_id', '=', 'me').execute()
    expect(mine).toEqual([{ body: 'text 1' }])
  })

  test('codes are kept hashed, hold for one author, and end', async () => {
    const { db } = store
    await imported(db, disqusFile('https://blog.example/e', disqusPost('1')))
    const [placeholder] = await findPlaceholders(db, `disqus@${siteId}`, 'ada@MAIL.example')
    const first = await startClaim(db, placeholder!)
    const second = await startClaim(db, placeholder!)
    expect(await findClaim(db, first.code)).toBeUndefined()
    expect(await findClaim(db, second.code)).toMatchObject({ name: 'Ada', posts: 1 })
    expect(JSON.stringify(await db.selectFrom('placeholders').selectAll().execute())).not.toContain(
      second.code,
    )
    await db
      .updateTable('placeholders')
      .set({ claim_expires_at: new Date(Date.now() - 1_000) })
      .execute()
    expect(await findClaim(db, second.code)).toBeUndefined()
  })
})

describe('the page for claiming', () => {
  let app: TestApp
  beforeAll(async () => void (app = await openApp()))
  afterAll(() => app.close())

  test('an admin makes a link, and its reader takes the posts over', async () => {
    const { db } = app
    const admin = await member(app, 'Admin')
    const ada = await member(app, 'Ada')
    await makeSite(db)
    await imported(
      db,
      disqusFile('https://blog.example/e', disqusPost('1'), disqusPost('2', { author: 'Ada&lt;b>' })),
    )

    const ask = (who: typeof ada, author: string) =>
      app.ask('POST', '/api/claims', { who, body: { source: 'disqus', author } })
    expect((await ask(ada, 'ada')).status).toBe(403)
    expect((await ask(admin, 'nobody')).status).toBe(404)
    const link = (await (await ask(admin, 'ada<b>')).json()) as { url: string; posts: number }
    expect(link.posts).toBe(1)
    const { pathname, search, searchParams } = new URL(link.url)
    const code = searchParams.get('code')!

    const html = { accept: 'text/html' }
    const stranger = await app.ask('GET', pathname + search, { headers: html })
    const page = await stranger.text()
    expect(page).toContain('Ada&lt;b>')
    expect(page).toContain('sign in')
    expect(page).not.toContain('These are mine')
    expect(await (await app.ask('GET', pathname + search, { who: ada, headers: html })).text()).toContain(
      'These are mine',
    )
    expect((await app.ask('GET', `${pathname}?code=x`, { headers: html })).status).toBe(422)

    const form = { 'content-type': 'application/x-www-form-urlencoded' }
    const send = (headers: Record<string, string>, given = code) =>
      app.ask('POST', '/claim', { body: `code=${given}`, headers: { ...form, ...headers } })
    const cookie = { cookie: ada.cookie, origin: publicUrl }
    expect((await send({})).status).toBe(401)
    const visitor = await guest(app, 'Visitor')
    expect((await send({ cookie: visitor.cookie, origin: publicUrl })).status).toBe(401)
    expect((await send({ ...cookie, origin: 'https://evil.example' })).status).toBe(403)
    expect((await send({ ...cookie, 'sec-fetch-site': 'cross-site' })).status).toBe(403)
    expect((await send(cookie, 'wrong')).status).toBe(422)
    const done = await send(cookie)
    expect(done.status).toBe(200)
    expect(await done.text()).toMatch(/one comment by.*yours now/)
    const mine = await db.selectFrom('posts').select('body').where('author_id', '=', ada.id).execute()
    expect(mine).toEqual([{ body: 'text 2' }])
    expect((await send(cookie)).status).toBe(422)
    // The code is in no log.
    expect(app.log()).not.toContain(code)
  })
})

describe('the commands', () => {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'numinex-moving-in-'))
  const config = readConfig({ DATA_DIR: path.join(directory, 'data'), PUBLIC_URL: 'https://talk.example' })
  const log = pino({ level: 'silent' })
  afterAll(() => fs.rmSync(directory, { recursive: true, force: true }))

  async function run(work: () => Promise<void>) {
    let [out, err] = ['', '']
    const stdout = vi
      .spyOn(process.stdout, 'write')
      .mockImplementation((text) => ((out += String(text)), true))
    const stderr = vi
      .spyOn(process.stderr, 'write')
      .mockImplementation((text) => ((err += String(text)), true))
    try {
      await work()
    } finally {
      stdout.mockRestore()
      stderr.mockRestore()
    }
    return { out, err }
  }

  test('import a file and report; print a link; say what is wrong', async () => {
    const file = path.join(directory, 'export.xml')
    const report = path.join(directory, 'report.json')
    const forum = makeForum({ seed: 3, kinds: disqusKinds, threads: 2, comments: 120 })
    fs.writeFileSync(file, disqusXml(forum))
    const { out, err } = await run(() => importCommentsCommand(config, log, file, { from: 'disqus', report }))
    expect(out).toContain(`posts: ${expectedOf(forum).length} imported`)
    expect(err).toMatch(/^skipped comment \d+ \(line \d+\): it is marked as spam$/m)
    const saved = JSON.parse(fs.readFileSync(report, 'utf8')) as {
      source: string
      records: object[]
      counts: { posts: number }
    }
    expect(saved.source).toBe('disqus')
    expect(saved.counts.posts).toBe(expectedOf(forum).length)
    expect(saved.records.length).toBe(err.split('\n').filter((line) => /^(skipped|noted)/.test(line)).length)

    const again = await run(() => importCommentsCommand(config, log, file, { from: 'disqus' }))
    expect(again.out).toContain(`posts: 0 imported, ${expectedOf(forum).length} there before`)

    const link = await run(() => claimLinkCommand(config, log, 'disqus', 'user0'))
    expect(link.out).toMatch(/^https:\/\/talk\.example\/claim\?code=[\w-]{24}\n$/)
    await expect(run(() => claimLinkCommand(config, log, 'disqus', 'nobody'))).rejects.toThrow(
      'Nobody was imported from disqus as nobody',
    )

    fs.writeFileSync(file, disqusXml(forum).slice(0, 20_000))
    await expect(run(() => importCommentsCommand(config, log, file, { from: 'disqus' }))).rejects.toThrow(
      /cut off\nWhat was whole before has been imported\./,
    )
    await expect(
      run(() => importCommentsCommand(config, log, file, { from: 'disqus', site: siteId })),
    ).rejects.toThrow(`There is no site ${siteId}.`)
    await expect(run(() => importCommentsCommand(config, log, file, { from: 'isso' }))).rejects.toThrow(
      '--base https://blog.example',
    )
    await expect(
      run(() => importCommentsCommand(config, log, file, { from: 'isso', base: 'https://x.example' })),
    ).rejects.toThrow('it is not of SQLite')

    // Where nothing is left behind for the next one to trip over.
    const unlock = lockDataDir(config.dataDir)
    await expect(run(() => importCommentsCommand(config, log, file, { from: 'disqus' }))).rejects.toThrow(
      'is in use by',
    )
    unlock()
    const { db, close } = await openStore(config, log)
    const urls = await db.selectFrom('threads').select('url').orderBy('url').execute()
    expect(urls.map(({ url }) => url)).toEqual([pageOf(0).url, pageOf(1).url])
    await close()
  })
})
