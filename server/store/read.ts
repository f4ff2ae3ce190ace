import { sql } from 'kysely'
import type { Embed, Post } from '../../shared/post.ts'
import type { Thread } from '../../shared/thread.ts'
import type { ThreadSnapshot } from '../../shared/http.ts'
import { limits } from '../../shared/limits.ts'
import { toLinkEmbed, toPost, toPostEmbed, toThread } from './wire.ts'
import type { Db, Tx } from './database.ts'

/** A whole thread, head and posts from one snapshot of the database; undefined where there is none. */
export function readThread(db: Db, thread: string): Promise<ThreadSnapshot | undefined> {
  return readChanges(db, thread, 0)
}

/**
 * What changed in a thread since `after`: each changed post once, as it is now, in the order of its latest change.
 * Head and posts come from one snapshot of the database. A head lower than `after` (the database was restored)
 * gives the whole thread.
 */
export function readChanges(db: Db, thread: string, after: number): Promise<ThreadSnapshot | undefined> {
  return inSnapshot(db, async (tx) => {
    const row = await readHead(tx, thread)
    if (row === undefined) return undefined
    const { seq, ...info } = row
    if (seq === after) return { thread: info, posts: [], seq }
    return { thread: info, posts: await loadPosts(tx, thread, { after: after > seq ? 0 : after }), seq }
  })
}

/**
 * The latest changes of a thread since `after`, at most `limit` of them, and its head, from one snapshot of the
 * database. None is missing after `from`, which is `after` unless there were more.
 */
export function readLatest(
  db: Db,
  thread: string,
  after: number,
  limit: number,
): Promise<(ThreadSnapshot & { from: number }) | undefined> {
  return inSnapshot(db, async (tx) => {
    const row = await readHead(tx, thread)
    if (row === undefined) return undefined
    const { seq, ...info } = row
    if (after >= seq) return { thread: info, posts: [], seq, from: after }
    const posts = await loadPosts(tx, thread, { after, latest: limit + 1 })
    const overflow = posts.length > limit ? posts.shift() : undefined
    return { thread: info, posts, seq, from: overflow?.seq ?? after }
  })
}

/** Reads what belongs together, from one snapshot of the database. */
export function inSnapshot<T>(db: Db, work: (tx: Tx) => Promise<T>): Promise<T> {
  return db.transaction().setIsolationLevel('repeatable read').setAccessMode('read only').execute(work)
}

/** The heads of many threads in one query; threads that do not exist are missing from the answer. */
export async function readHeads(db: Tx, threads: readonly string[]): Promise<Map<string, number>> {
  if (threads.length === 0) return new Map()
  const rows = await db
    .selectFrom('threads')
    .select(['id', 'seq'])
    .where('id', '=', sql<string>`any(${threads})`)
    .execute()
  return new Map(rows.map(({ id, seq }) => [id, seq]))
}

/** A thread's own columns, and its head. */
export async function readHead(db: Tx, thread: string): Promise<(Thread & { seq: number }) | undefined> {
  const row = await db
    .selectFrom('threads as t')
    .leftJoin('links as l', 'l.id', 't.link_id')
    .select(['t.id', 't.title', 't.url', 't.locked', 't.created_at', 't.seq', 't.link_id'])
    .select([
      'l.state',
      'l.url as link_url',
      'l.title as link_title',
      'l.site',
      'l.description',
      'l.image_url',
    ])
    .where('t.id', '=', thread)
    .executeTakeFirst()
  if (row === undefined) return undefined
  return { ...toThread(row), seq: row.seq }
}

/** Posts as they go over the wire, in the order of their latest change. */
export async function loadPosts(
  db: Tx,
  thread: string,
  which: { after: number; latest?: number } | { numbers: readonly number[] },
): Promise<Post[]> {
  const latest = 'after' in which ? which.latest : undefined
  const rows = await db
    .selectFrom('posts as p')
    .innerJoin('users as u', 'u.id', 'p.author_id')
    .leftJoin('runs as r', (join) =>
      join.onRef('r.thread_id', '=', 'p.thread_id').onRef('r.number', '=', 'p.number'),
    )
    .leftJoin('users as a', 'a.id', 'r.asker_id')
    .select(['p.number', 'p.parent', 'p.html', 'p.state', 'p.created_at', 'p.edited_at', 'p.quote_number'])
    .select(['p.quote_text', 'p.seq', 'p.client_id', 'u.id as author_id', 'u.name', 'u.kind', 'u.image'])
    .select(['r.id as run_id', 'r.request', 'r.reason'])
    .select(['a.id as asker_id', 'a.name as asker_name', 'a.kind as asker_kind', 'a.image as asker_image'])
    .where('p.thread_id', '=', thread)
    .where((eb) =>
      'after' in which
        ? eb('p.seq', '>', which.after)
        : eb('p.number', '=', sql<number>`any(${which.numbers})`),
    )
    .orderBy('p.seq', latest === undefined ? 'asc' : 'desc')
    .$if(latest !== undefined, (q) => q.limit(latest!))
    .execute()
  if (rows.length === 0) return []
  if (latest !== undefined) rows.reverse()
  // A long list of numbers is slower than reading the thread's few reactions and embeds whole.
  const numbers = rows.length > 200 ? undefined : rows.map((row) => row.number)
  const reactions = await loadReactions(db, thread, numbers)
  const embeds = await loadEmbeds(db, thread, numbers)
  return rows.map((row) => toPost(row, reactions.get(row.number) ?? [], embeds.get(row.number)))
}

async function loadReactions(db: Tx, thread: string, numbers: readonly number[] | undefined) {
  const rows = await db
    .selectFrom('reactions')
    .select(['number', 'emoji'])
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .select(
      sql<
        string[]
      >`(array_agg(user_id order by created_at, user_id))[1:${sql.lit(limits.reactorsListed)}]`.as('by'),
    )
    .where('thread_id', '=', thread)
    .$if(numbers !== undefined, (q) => q.where('number', '=', sql<number>`any(${numbers})`))
    .groupBy(['number', 'emoji'])
    .orderBy('number')
    .orderBy(sql`min(created_at)`)
    .orderBy('emoji')
    .execute()
  const byNumber = new Map<number, Post['reactions']>()
  for (const { number, emoji, count, by } of rows) {
    const list = byNumber.get(number)
    if (list) list.push({ emoji, count, by })
    else byNumber.set(number, [{ emoji, count, by }])
  }
  return byNumber
}

async function loadEmbeds(db: Tx, thread: string, numbers: readonly number[] | undefined) {
  const rows = await db
    .selectFrom('post_embeds as e')
    .leftJoin('links as l', 'l.id', 'e.link_id')
    .leftJoin('posts as p', (join) =>
      join.onRef('p.thread_id', '=', 'e.target_thread').onRef('p.number', '=', 'e.target_number'),
    )
    .leftJoin('users as u', 'u.id', 'p.author_id')
    .leftJoin('threads as t', 't.id', 'p.thread_id')
    .select(['e.number', 'e.position', 'e.link_id', 'e.target_thread', 'e.target_number'])
    .select(['l.url', 'l.state as link_state', 'l.title', 'l.site', 'l.description', 'l.image_url'])
    .select(['p.state', 'p.excerpt', 'u.id as author_id', 'u.name', 'u.kind', 'u.image'])
    .select('t.title as thread_title')
    .where('e.thread_id', '=', thread)
    .$if(numbers !== undefined, (q) => q.where('e.number', '=', sql<number>`any(${numbers})`))
    .execute()
  const byNumber = new Map<number, Embed[]>()
  for (const row of rows) {
    const list = byNumber.get(row.number) ?? []
    byNumber.set(row.number, list)
    list[row.position] =
      row.link_id === null
        ? toPostEmbed(row as Parameters<typeof toPostEmbed>[0])
        : toLinkEmbed({ ...row, id: row.link_id, url: row.url!, state: row.link_state! })
  }
  return byNumber
}

/** The Markdown source of a post; undefined where there is no such post. Empty once it is deleted. */
export async function readBody(db: Tx, thread: string, number: number): Promise<string | undefined> {
  const row = await db
    .selectFrom('posts')
    .select('body')
    .where('thread_id', '=', thread)
    .where('number', '=', number)
    .executeTakeFirst()
  return row?.body
}

/** One post as it goes over the wire. */
export async function readPost(db: Tx, thread: string, number: number): Promise<Post | undefined> {
  return (await loadPosts(db, thread, { numbers: [number] }))[0]
}
