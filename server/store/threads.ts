import { sql } from 'kysely'
import type { ThreadPage } from '../../shared/http.ts'
import type { Author } from '../../shared/post.ts'
import { limits } from '../../shared/limits.ts'
import { transact, type Db } from './database.ts'
import { toAuthor, toThread } from './wire.ts'
import { changeThread, stamp, type Change } from './change.ts'
import { embedRows, findEmbedders, insertEmbeds, type Content } from './content.ts'

export interface NewThread extends Content {
  id: string
  title: string
  url: string | null
  linkId: string | null
  authorId: string
  /** The page whose thread it is, by its site and its key there. */
  page?: { siteId: string; key: string }
}

/** Writes a thread and its root post, which is number 1 at seq 1. */
export async function insertThread(db: Db, input: NewThread): Promise<void> {
  await transact(db, async (tx) => {
    await tx
      .insertInto('threads')
      .values({
        id: input.id,
        title: input.title,
        url: input.url,
        link_id: input.linkId,
        seq: 1,
        info_seq: 1,
        last_number: 1,
        post_count: 1,
        site_id: input.page?.siteId ?? null,
        page_key: input.page?.key ?? null,
      })
      .execute()
    await tx
      .insertInto('posts')
      .values({
        thread_id: input.id,
        number: 1,
        parent: null,
        author_id: input.authorId,
        body: input.body,
        html: input.html,
        excerpt: input.excerpt,
        state: 'complete',
        quote_number: null,
        quote_text: null,
        client_id: null,
        edited_at: null,
        seq: 1,
        body_seq: 1,
      })
      .execute()
    await insertEmbeds(tx, embedRows(input.id, 1, input.embeds))
  })
}

/** Where a page of the list begins: after this thread, most recent activity first. */
export interface Cursor {
  /** When it was last active, in microseconds since 1970: what the database counts in, and more than a Date holds. */
  at: string
  id: string
}

/** Threads by latest activity, a page at a time; threads without posts are left out. */
export async function listThreads(
  db: Db,
  cursor: Cursor | null,
  size: number = limits.threadsPerPage,
): Promise<{ threads: ThreadPage['threads']; next: Cursor | null }> {
  const rows = await db
    .selectFrom('threads as t')
    .innerJoin('posts as p', (join) => join.onRef('p.thread_id', '=', 't.id').on('p.number', '=', 1))
    .innerJoin('users as u', 'u.id', 'p.author_id')
    .leftJoin('links as l', 'l.id', 't.link_id')
    .select(['t.id', 't.title', 't.url', 't.locked', 't.seq', 't.post_count', 't.created_at', 't.link_id'])
    .select(sql<string>`(extract(epoch from t.last_activity_at) * 1000000)::bigint::text`.as('at'))
    .select('t.last_activity_at')
    .select(['p.excerpt', 'u.id as author_id', 'u.name', 'u.kind', 'u.image'])
    .select([
      'l.url as link_url',
      'l.state',
      'l.title as link_title',
      'l.site',
      'l.description',
      'l.image_url',
    ])
    .where('t.post_count', '>', 0)
    .$if(cursor !== null, (q) =>
      q.where(sql<boolean>`(t.last_activity_at, t.id)
          < (timestamptz 'epoch' + ${cursor!.at}::bigint * interval '1 microsecond', ${cursor!.id})`),
    )
    .orderBy('t.last_activity_at', 'desc')
    .orderBy('t.id', 'desc')
    .limit(size + 1)
    .execute()
  const page = rows.slice(0, size)
  const last = page.at(-1)
  const participants = await readParticipants(
    db,
    page.map((row) => row.id),
  )
  return {
    threads: page.map((row) => ({
      ...toThread(row),
      seq: row.seq,
      posts: row.post_count,
      author: toAuthor(row),
      excerpt: row.excerpt,
      lastActivityAt: row.last_activity_at.toISOString(),
      participants: participants.get(row.id) ?? { people: [], peopleCount: 0, ai: [] },
    })),
    next: rows.length > size && last ? { at: last.at, id: last.id } : null,
  }
}

const participantsListed = 5

async function readParticipants(db: Db, threads: readonly string[]) {
  const byThread = new Map<string, { people: Author[]; peopleCount: number; ai: Author[] }>()
  if (threads.length === 0) return byThread
  const rows = await db
    .selectFrom('posts as p')
    .innerJoin('users as u', 'u.id', 'p.author_id')
    .select(['p.thread_id', 'u.id as author_id', 'u.name', 'u.kind', 'u.image'])
    .where('p.thread_id', '=', sql<string>`any(${threads})`)
    .where('p.state', '<>', 'deleted')
    .groupBy(['p.thread_id', 'u.id', 'u.name', 'u.kind', 'u.image'])
    .orderBy(sql`min(p.number)`)
    .execute()
  for (const { thread_id, ...columns } of rows) {
    const author = toAuthor(columns)
    const entry = byThread.get(thread_id) ?? { people: [], peopleCount: 0, ai: [] }
    byThread.set(thread_id, entry)
    if (author.kind === 'ai') entry.ai.push(author)
    else if (++entry.peopleCount <= participantsListed) entry.people.push(author)
  }
  return byThread
}

/** How many posts threads have, without the roots of pages' threads; threads that do not exist are missing. */
export async function countComments(db: Db, threads: readonly string[]): Promise<Map<string, number>> {
  if (threads.length === 0) return new Map()
  const rows = await db
    .selectFrom('threads as t')
    .innerJoin('posts as p', (join) => join.onRef('p.thread_id', '=', 't.id').on('p.number', '=', 1))
    // A post that was deleted is not in the count any more.
    .select(
      sql<number>`t.post_count - (t.page_key is not null and p.state <> 'deleted')::integer`.as('count'),
    )
    .select('t.id')
    .where('t.id', '=', sql<string>`any(${threads})`)
    .execute()
  return new Map(rows.map(({ id, count }) => [id, count]))
}

/** Changes the thread itself; without any column it only stamps it (its link card arrived). Problems: thread-not-found. */
export function updateThread(
  db: Db,
  thread: string,
  columns: { locked?: boolean; title?: string },
): Promise<Change[]> {
  return changeThread(db, thread, async (tx, next) => {
    await tx
      .updateTable('threads')
      .set({ ...columns, info_seq: next() })
      .where('id', '=', thread)
      .execute()
    // Live quotes show the title of their thread.
    if (columns.title !== undefined) {
      await stamp(tx, thread, (await findEmbedders(tx, { thread })).get(thread) ?? [], next)
    }
  })
}
