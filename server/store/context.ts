import { sql } from 'kysely'
import type { PostState } from '../../shared/post.ts'
import type { Tx } from './database.ts'

/** A post without its text: all of a long thread can be had at once. `bytes` is the size of its text. */
export interface PostSketch {
  readonly thread: string
  readonly number: number
  readonly parent: number | null
  readonly state: PostState
  readonly authorId: string
  readonly quoted: number | null
  readonly bytes: number
}

/** What a thread discusses, and its posts without their texts, in order; undefined where there is no such thread. */
export async function sketchThread(
  tx: Tx,
  thread: string,
): Promise<{ title: string; url: string | null; posts: PostSketch[] } | undefined> {
  const head = await tx
    .selectFrom('threads')
    .select(['title', 'url'])
    .where('id', '=', thread)
    .executeTakeFirst()
  if (head === undefined) return undefined
  const rows = await tx
    .selectFrom('posts')
    .select(['number', 'parent', 'state', 'author_id', 'quote_number'])
    // Reads no text: the size stands beside it.
    .select(sql<number>`octet_length(body)`.as('bytes'))
    .where('thread_id', '=', thread)
    .orderBy('number')
    .execute()
  const posts = rows.map(({ author_id, quote_number, ...row }) => ({
    ...row,
    thread,
    authorId: author_id,
    quoted: quote_number,
  }))
  return { ...head, posts }
}

/** Something that the post `by` embeds. */
export interface SketchedEmbed {
  readonly by: number
  readonly url?: string
  readonly post?: PostSketch
}

/** What posts embed, in their order: addresses of pages, and posts as sketches. What is missing is left out. */
export async function sketchEmbeds(
  tx: Tx,
  thread: string,
  numbers: readonly number[],
): Promise<SketchedEmbed[]> {
  if (numbers.length === 0) return []
  const rows = await tx
    .selectFrom('post_embeds as e')
    .leftJoin('links as l', 'l.id', 'e.link_id')
    .leftJoin('posts as p', (join) =>
      join.onRef('p.thread_id', '=', 'e.target_thread').onRef('p.number', '=', 'e.target_number'),
    )
    .select(['e.number as by', 'l.url', 'p.thread_id', 'p.number', 'p.parent', 'p.state', 'p.author_id'])
    .select('p.quote_number')
    .select(sql<number>`octet_length(p.body)`.as('bytes'))
    .where('e.thread_id', '=', thread)
    .where('e.number', '=', sql<number>`any(${numbers})`)
    .orderBy('e.number')
    .orderBy('e.position')
    .execute()
  return rows.flatMap((row): SketchedEmbed[] => {
    const { by, url, thread_id, number, parent, state, author_id, quote_number, bytes } = row
    if (url !== null) return [{ by, url }]
    if (thread_id === null || number === null || state === null || author_id === null) return []
    return [
      {
        by,
        post: { thread: thread_id, number, parent, state, authorId: author_id, quoted: quote_number, bytes },
      },
    ]
  })
}

/** A post's text, as much of it as was asked for, and who wrote it. */
export interface PostText {
  readonly thread: string
  /** The title of its thread. */
  readonly title: string
  readonly number: number
  readonly parent: number | null
  readonly author: string
  readonly byAi: boolean
  readonly createdAt: Date
  readonly quote: { readonly number: number; readonly text: string } | null
  readonly body: string
}

/** The texts of posts, cut after `most` characters. */
export async function readTexts(
  tx: Tx,
  posts: readonly { readonly thread: string; readonly number: number }[],
  most: number,
): Promise<PostText[]> {
  if (posts.length === 0) return []
  const threads = posts.map(({ thread }) => thread)
  const numbers = posts.map(({ number }) => number)
  const { rows } = await sql<{
    thread: string
    title: string
    number: number
    parent: number | null
    author: string
    kind: string
    created_at: Date
    quote_number: number | null
    quote_text: string | null
    body: string
  }>`
    select p.thread_id as thread, t.title, p.number, p.parent, u.name as author, u.kind, p.created_at,
           p.quote_number, p.quote_text, left(p.body, ${most}::integer) as body
    from unnest(${threads}::text[], ${numbers}::integer[]) as wanted (thread, number)
    join posts as p on p.thread_id = wanted.thread and p.number = wanted.number
    join threads as t on t.id = p.thread_id
    join users as u on u.id = p.author_id`.execute(tx)
  return rows.map(({ kind, created_at, quote_number, quote_text, ...row }) => ({
    ...row,
    byAi: kind === 'ai',
    createdAt: created_at,
    quote: quote_number === null || quote_text === null ? null : { number: quote_number, text: quote_text },
  }))
}
