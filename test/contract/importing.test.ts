import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readDisqus } from '../../server/importing/disqus.ts'
import { readGiscus } from '../../server/importing/giscus.ts'
import { readHackerNews } from '../../server/importing/hackernews.ts'
import { importComments } from '../../server/importing/import-comments.ts'
import { readIsso } from '../../server/importing/isso.ts'
import type { SourceRecord } from '../../server/importing/records.ts'
import { readRemark42 } from '../../server/importing/remark42.ts'
import { createReport, type ReportEntry } from '../../server/importing/report.ts'
import { readWordPress } from '../../server/importing/wordpress.ts'
import { ensureLinks } from '../../server/links/link-rows.ts'
import type { Db } from '../../server/store/database.ts'
import { readThread } from '../../server/store/read.ts'
import { createRenderer } from '../../server/threads/render.ts'
import type { Post } from '../../shared/post.ts'
import {
  disqusKinds,
  disqusXml,
  expectedOf,
  giscusAnswers,
  giscusKinds,
  hackerNewsItems,
  hackerNewsKinds,
  hackerNewsNested,
  issoDatabase,
  issoKinds,
  leftOut,
  makeForum,
  pageOf,
  remark42Kinds,
  remark42Lines,
  wordOf,
  wordPressKinds,
  wordPressXml,
  type Expected,
  type Kind,
  type MadeForum,
} from '../helpers/import-files.ts'
import { describeStores, publicUrl } from '../helpers/store.ts'

const base = 'https://blog.example'
const render = createRenderer({ publicUrl })
let directory: string
beforeAll(() => void (directory = fs.mkdtempSync(path.join(os.tmpdir(), 'numinex-importing-'))))
afterAll(() => fs.rmSync(directory, { recursive: true }))

/** A text in pieces that end anywhere. */
async function* pieces(text: string, size = 7_919): AsyncGenerator<string> {
  for (let at = 0; at < text.length; at += size) yield await Promise.resolve(text.slice(at, at + size))
}

async function imported(db: Db, source: string, records: AsyncIterable<SourceRecord>) {
  const entries: ReportEntry[] = []
  const report = createReport((entry) => void entries.push(entry))
  const linkIds = async (tx: Parameters<typeof ensureLinks>[0], urls: readonly string[]) =>
    (await ensureLinks(tx, urls)).map(({ id }) => id)
  const error = await importComments(
    { db, render, ensureLinks: linkIds, report },
    { source, base },
    records,
  ).then(
    () => undefined,
    (thrown: unknown) => thrown as Error,
  )
  return { counts: report.counts, entries, error }
}

interface Format {
  name: string
  kinds: readonly Kind[]
  deep?: boolean
  brokenLeaves?: boolean
  records(forum: MadeForum): AsyncIterable<SourceRecord>
  /** Its id of a comment. */
  idOf(id: number): string
  /** What its report says of each kind. */
  reasons: Partial<Record<Kind, string>>
  /** Records beside the comments that are left out. */
  others?: Record<string, number>
  /** Stories or discussions with a text of their own. */
  roots?: number
  /** Who wrote what was deleted, where that is not told. */
  forgets?: string
  nameOf?(id: number, name: string): string
  /** How many reacted to a comment. */
  reactions?(id: number): Record<string, number>
  /** Each tenth comment was edited a minute later. */
  edits?: boolean
  /** The second page is closed. */
  closes?: boolean
}

const formats: Format[] = [
  {
    name: 'disqus',
    kinds: disqusKinds,
    records: (forum) => readDisqus(pieces(disqusXml(forum))),
    idOf: String,
    reasons: {},
    closes: true,
  },
  {
    name: 'wordpress',
    kinds: wordPressKinds,
    records: (forum) => readWordPress(pieces(wordPressXml(forum))),
    idOf: (id) => `${base}#comment-${id}`,
    reasons: {},
    others: { 'not-a-comment': 12 },
  },
  {
    name: 'remark42',
    kinds: remark42Kinds,
    records: (forum) => readRemark42(pieces(remark42Lines(forum))),
    idOf: (id) => `c-${id}`,
    reasons: {},
    reactions: () => ({ '👍': 1, '👎': 1 }),
    edits: true,
    closes: true,
  },
  {
    name: 'isso',
    kinds: issoKinds,
    brokenLeaves: true,
    records(forum) {
      const file = path.join(fs.mkdtempSync(path.join(directory, 'isso-')), 'comments.db')
      issoDatabase(file, forum)
      return readIsso(file, base)
    },
    idOf: (id) => `${base}#comment-${id}`,
    reasons: {},
    forgets: 'Anonymous',
    reactions: (id) => ({ '👍': id % 3, '👎': id % 2 }),
    edits: true,
  },
  {
    name: 'giscus',
    kinds: giscusKinds,
    deep: false,
    brokenLeaves: true,
    records: (forum) => readGiscus(pieces(giscusAnswers(forum))),
    idOf: (id) => `DC_${id}`,
    reasons: {},
    nameOf: (id) => `user${id}`,
    reactions: (id) => ({ '👍': 2, '❤️': id % 4 }),
    edits: true,
    closes: true,
  },
  {
    name: 'hackernews',
    kinds: hackerNewsKinds,
    brokenLeaves: true,
    records: (forum) => readHackerNews(pieces(hackerNewsNested(forum))),
    idOf: String,
    reasons: { spam: 'hidden' },
    roots: 1,
    forgets: 'Deleted account',
  },
  {
    name: 'hackernews items',
    kinds: hackerNewsKinds,
    brokenLeaves: true,
    records: (forum) => readHackerNews(pieces(hackerNewsItems(forum))),
    idOf: String,
    reasons: { spam: 'hidden' },
    roots: 1,
    forgets: 'Deleted account',
  },
]

interface There {
  id: string
  thread: string
  post: Post
}

async function allThere(db: Db, source: string): Promise<Map<string, There>> {
  const rows = await db.selectFrom('imported_posts').selectAll().where('source', '=', source).execute()
  const threads = [...new Set(rows.map((row) => row.thread_id))]
  const posts = new Map<string, Post>()
  for (const thread of threads) {
    for (const post of (await readThread(db, thread))!.posts) posts.set(`${thread}/${post.number}`, post)
  }
  return new Map(
    rows.map((row) => [
      row.source_id,
      { id: row.source_id, thread: row.thread_id, post: posts.get(`${row.thread_id}/${row.number}`)! },
    ]),
  )
}

function checkTree(format: Format, forum: MadeForum, expected: Expected[], there: Map<string, There>): void {
  const byId = new Map(forum.comments.map((comment) => [comment.id, comment]))
  for (const each of expected) {
    const found = there.get(format.idOf(each.id))
    expect(found, `${format.name} ${each.id}`).toBeDefined()
    const { post, thread } = found!
    const parent = each.parent === null ? 1 : there.get(format.idOf(each.parent))!.post.number
    expect([each.id, post.parent, post.createdAt]).toEqual([each.id, parent, new Date(each.at).toISOString()])
    expect(post.state).toBe(each.deleted ? 'deleted' : 'complete')
    if (each.deleted) expect(post.html).toBe('')
    else expect(post.html).toContain(wordOf(byId.get(each.id)!))
    const name = format.nameOf?.(byId.get(each.id)!.author, each.name) ?? each.name
    expect(post.author.name).toBe(each.deleted ? (format.forgets ?? name) : name)
    const edited = format.edits === true && each.id % 10 === 0 && !each.deleted
    expect(post.editedAt).toBe(edited ? new Date(each.at + 60_000).toISOString() : null)
    const reactions = each.deleted ? {} : (format.reactions?.(each.id) ?? {})
    expect(Object.fromEntries(post.reactions.map(({ emoji, count }) => [emoji, count]))).toEqual(
      Object.fromEntries(Object.entries(reactions).filter(([, count]) => count > 0)),
    )
    if (each.parent !== null) expect(thread).toBe(there.get(format.idOf(each.parent))!.thread)
  }
  // In the order of their times, but none before what it replies to.
  const effective = new Map<number, number>()
  for (const each of expected)
    effective.set(each.id, Math.max(each.at, each.parent === null ? 0 : effective.get(each.parent)!))
  for (let thread = 0; thread < forum.threads; thread++) {
    const times = expected
      .filter((each) => each.thread === thread)
      .map((each) => ({ time: effective.get(each.id)!, ...there.get(format.idOf(each.id))!.post }))
      .toSorted((a, b) => a.number - b.number)
      .map(({ time }) => time)
    expect(times.length).toBeGreaterThan(20)
    expect(times).toEqual(times.toSorted((a, b) => a - b))
  }
}

describeStores('comments from elsewhere', (store, database) => {
  test.each(formats)(
    '$name: tree, order, authors and times are as they were; nothing comes twice',
    async (format) => {
      const { db } = store
      const forum = makeForum({ seed: 17, ...format })
      const expected = expectedOf(forum)
      const first = await imported(db, format.name, format.records(forum))
      expect(first.error).toBeUndefined()
      expect(forum.comments.length).toBeGreaterThan(1_000)
      expect(first.counts.posts).toBe(expected.length + (format.roots ?? 0))
      expect(first.counts.deleted).toBe(expected.filter(({ deleted }) => deleted).length)
      const skipped: Record<string, number> = { ...format.others }
      for (const [kind, count] of Object.entries(leftOut(forum)))
        skipped[format.reasons[kind as Kind] ?? kind] = count
      expect(first.counts.skipped).toEqual(skipped)
      for (const kind of format.kinds)
        if (kind !== 'deleted') expect(leftOut(forum)[kind], kind).toBeGreaterThan(0)

      const there = await allThere(db, format.name)
      checkTree(format, forum, expected, there)
      const threads = await db.selectFrom('threads').selectAll().execute()
      expect(threads).toHaveLength(forum.threads)
      const urls = threads.map(({ url }) => url!).filter((url) => url.startsWith(base))
      const pages = Array.from({ length: forum.threads }, (_, thread) => pageOf(thread).url)
      expect(urls.toSorted()).toEqual(pages.slice(format.roots ?? 0).toSorted())
      expect(threads.filter(({ locked }) => locked).map(({ url }) => url)).toEqual(
        format.closes === true ? [pageOf(1).url] : [],
      )
      for (const thread of threads) {
        const { posts, seq } = (await readThread(db, thread.id))!
        expect([thread.seq, thread.last_number]).toEqual([seq, posts.length])
        expect(thread.post_count).toBe(posts.filter(({ state }) => state !== 'deleted').length)
        const latest = Math.max(
          ...posts.filter(({ state }) => state !== 'deleted').map((p) => Date.parse(p.createdAt)),
        )
        expect(thread.last_activity_at.getTime()).toBe(latest)
      }

      const before = await db.selectFrom('posts').selectAll().orderBy('thread_id').orderBy('number').execute()
      const again = await imported(db, format.name, format.records(makeForum({ seed: 17, ...format })))
      expect(again.counts).toMatchObject({ posts: 0, threadsMade: 0, authors: 0, known: expected.length })
      expect(
        await db.selectFrom('posts').selectAll().orderBy('thread_id').orderBy('number').execute(),
      ).toEqual(before)
      expect(await db.selectFrom('threads').selectAll().execute()).toHaveLength(forum.threads)
    },
  )

  test('an import that was broken off goes on and ends as one that was not', async () => {
    const { db } = store
    const forum = () => makeForum({ seed: 23, kinds: disqusKinds, threads: 3, comments: 1_500 })
    const records = () => readDisqus(pieces(disqusXml(forum())))
    let written = 0
    const stop = new AbortController()
    const report = createReport(() => undefined)
    const stopped = importComments(
      {
        db,
        render,
        ensureLinks: async (tx, urls) => (await ensureLinks(tx, urls)).map(({ id }) => id),
        report,
        signal: stop.signal,
        onProgress(done) {
          if ('written' in done && (written = done.written) > 600)
            stop.abort(new Error('the operator stops it'))
        },
      },
      { source: 'disqus', base },
      records(),
    )
    await expect(stopped).rejects.toThrow('the operator stops it')
    const there = await allThere(db, 'disqus')
    expect(there.size).toBe(written)
    expect(there.size).toBeLessThan(expectedOf(forum()).length)
    const second = await imported(db, 'disqus', records())
    expect(second.counts.posts + there.size).toBe(expectedOf(forum()).length)
    checkTree(formats[0]!, forum(), expectedOf(forum()), await allThere(db, 'disqus'))
  })

  test('a file that was cut off ends with an error, and what was whole is there', async () => {
    const { db } = store
    const forum = makeForum({ seed: 5, kinds: [], threads: 2, comments: 200 })
    const whole = disqusXml(forum)
    const { error, counts } = await imported(
      db,
      'disqus',
      readDisqus(pieces(whole.slice(0, whole.length * 0.7))),
    )
    expect(error?.message).toMatch(/^line \d+: the file ends before its end/)
    expect(counts.posts).toBeGreaterThan(100)
    expect(counts.posts).toBe((await allThere(db, 'disqus')).size)
    const rest = await imported(db, 'disqus', readDisqus(pieces(whole)))
    expect(rest.error).toBeUndefined()
    expect((await allThere(db, 'disqus')).size).toBe(200)
    if (database === 'PGlite') {
      const none = await imported(db, 'disqus', readDisqus(pieces('{"version":1}')))
      expect(none.error?.message).toBe('the file is not an export of Disqus')
    }
  })
})
