import { sql, type Transaction } from 'kysely'
import { Problem } from '../../shared/errors.ts'
import { limits } from '../../shared/limits.ts'
import type { Post, PostState } from '../../shared/post.ts'
import type { Thread } from '../../shared/thread.ts'
import { sqlState, transact, type Db, type Tx } from './database.ts'
import { loadPosts, readHead, readPost } from './read.ts'
import type { Database } from './schema.ts'
import { embedRows, type StoredEmbed } from './embeds.ts'

/** One durable change of a thread, as it was committed under its seq. */
export type Change = { seq: number; post: Post } | { seq: number; info: Thread }

/** What the text of a post became. */
export interface Content {
  body: string
  html: string
  excerpt: string
  embeds: readonly StoredEmbed[]
}

export interface NewPost extends Content {
  thread: string
  parent: number | null
  authorId: string
  clientId: string | null
  quote: { number: number; text: string } | null
  state?: PostState
  /** Whether a lock of the thread does not hold for this writer. */
  evenLocked?: boolean
}

export interface Inserted {
  post: Post
  created: boolean
  /** The post itself where it was created, and posts of the thread that showed its number before there was such a post. */
  changes: Change[]
  /** Whether posts of other threads did so. */
  shownElsewhere: boolean
}

/**
 * Adds a post, or returns the one that the same author wrote under the same `clientId` before.
 * One statement takes the next seq and number and writes the rows, so the thread's row is locked for as short as can be.
 * Problems: thread-not-found, thread-locked.
 */
export async function insertPost(db: Db, input: NewPost): Promise<Inserted> {
  try {
    return await transact(db, async (tx) => {
      const { rows } = await sql<{ number: number }>`
        with head as (
          update threads
          set seq = seq + 1, last_number = last_number + 1, post_count = post_count + 1, last_activity_at = now()
          where id = ${input.thread} and (not locked or ${input.evenLocked ?? false})
          returning seq, last_number
        ), written as (
          insert into posts (thread_id, number, parent, author_id, body, html, excerpt, state,
                             quote_number, quote_text, client_id, seq, body_seq)
          select ${input.thread}, last_number, ${input.parent}::integer, ${input.authorId}, ${input.body}, ${input.html},
                 ${input.excerpt}, ${input.state ?? 'complete'}, ${input.quote?.number ?? null}::integer,
                 ${input.quote?.text ?? null}, ${input.clientId}, seq, seq
          from head
          returning number
        )
        select number from written`.execute(tx)
      const number = rows[0]?.number
      if (number === undefined) {
        throw new Problem((await readHead(tx, input.thread)) ? 'thread-locked' : 'thread-not-found')
      }
      await insertEmbeds(tx, input.thread, number, input.embeds)
      if (input.quote) await dropDeletedQuote(tx, input.thread, number)
      const post = (await readPost(tx, input.thread, number))!
      const { own, elsewhere } = await findWaiting(tx, input.thread, number)
      const changes: Change[] = [{ seq: post.seq, post }]
      if (own.length > 0) changes.push(...(await stampAfter(tx, input.thread, post.seq, own)))
      return { post, created: true, changes, shownElsewhere: elsewhere }
    })
  } catch (error) {
    // The same request came before: that one's post stands, and this transaction has left nothing.
    const isTwin = sqlState(error) === '23505' && input.clientId !== null
    const winner = isTwin ? await findByClientId(db, input.authorId, input.clientId!) : undefined
    if (winner) return { post: winner, created: false, changes: [], shownElsewhere: false }
    throw error
  }
}

/** A post may be deleted between the check of a quote of it and the commit of the quote, and nothing of it may stay. */
async function dropDeletedQuote(tx: Transaction<Database>, thread: string, number: number): Promise<void> {
  // A statement of its own: it sees what was committed while this transaction waited for the thread's row.
  await sql`
    update posts set quote_text = null
    from posts as quoted
    where posts.thread_id = ${thread} and posts.number = ${number}
      and quoted.thread_id = ${thread} and quoted.number = posts.quote_number and quoted.state = 'deleted'`.execute(
    tx,
  )
}

/** Who shows a post that has only now come to be: so far as one that is missing. */
async function findWaiting(tx: Transaction<Database>, thread: string, number: number) {
  const embedders = await findEmbedders(tx, { thread, number })
  const own = (embedders.get(thread) ?? []).filter((each) => each !== number)
  return { own, elsewhere: [...embedders.keys()].some((each) => each !== thread) }
}

/** Gives further posts the seqs after `seq`, which this transaction has taken. */
async function stampAfter(
  tx: Transaction<Database>,
  thread: string,
  seq: number,
  numbers: readonly number[],
): Promise<Change[]> {
  let last = seq
  await stamp(tx, thread, numbers, () => ++last)
  await tx.updateTable('threads').set({ seq: last }).where('id', '=', thread).execute()
  return (await loadPosts(tx, thread, { after: seq })).map((post) => ({ seq: post.seq, post }))
}

/** Gives each of these posts a seq of its own, for what they show has changed. */
async function stamp(
  tx: Transaction<Database>,
  thread: string,
  numbers: readonly number[],
  next: () => number,
): Promise<void> {
  for (const number of numbers) {
    await tx
      .updateTable('posts')
      .set({ seq: next() })
      .where('thread_id', '=', thread)
      .where('number', '=', number)
      .execute()
  }
}

/** The post that an author wrote under a `clientId`, whatever became of it since. */
export async function findByClientId(db: Db, authorId: string, clientId: string): Promise<Post | undefined> {
  const row = await db
    .selectFrom('posts')
    .select(['thread_id', 'number'])
    .where('author_id', '=', authorId)
    .where('client_id', '=', clientId)
    .executeTakeFirst()
  return row && readPost(db, row.thread_id, row.number)
}

async function insertEmbeds(
  tx: Transaction<Database>,
  thread: string,
  number: number,
  embeds: readonly StoredEmbed[],
) {
  if (embeds.length > 0)
    await tx
      .insertInto('post_embeds')
      .values(embedRows(thread, number, embeds))
      .execute()
}

/**
 * Changes posts of one thread in one transaction, which holds the thread's row from its start. `next` takes the next
 * seq, one for each row that changes. Returns the changes in their order; none where `work` took no seq.
 * Every writer locks the thread before its posts, so that no two wait for each other.
 * Problems: thread-not-found, and what `work` throws, with nothing written.
 */
async function changeThread(
  db: Db,
  thread: string,
  work: (tx: Transaction<Database>, next: () => number) => Promise<void>,
): Promise<Change[]> {
  return await transact(db, async (tx) => {
    const row = await tx
      .selectFrom('threads')
      .select(['seq', 'info_seq'])
      .where('id', '=', thread)
      .forNoKeyUpdate()
      .executeTakeFirst()
    if (row === undefined) throw new Problem('thread-not-found')
    let seq = row.seq
    await work(tx, () => ++seq)
    if (seq === row.seq) return []
    await tx.updateTable('threads').set({ seq }).where('id', '=', thread).execute()
    const posts = await loadPosts(tx, thread, { after: row.seq })
    const changes: Change[] = posts.map((post) => ({ seq: post.seq, post }))
    const { seq: _, ...info } = (await readHead(tx, thread))!
    const stamped = await tx
      .selectFrom('threads')
      .select('info_seq')
      .where('id', '=', thread)
      .executeTakeFirstOrThrow()
    if (stamped.info_seq > row.seq) changes.push({ seq: stamped.info_seq, info })
    return changes.sort((a, b) => a.seq - b.seq)
  })
}

/** The row of a post that must be there to be changed. Problems: post-not-found, post-deleted. */
async function livePost(tx: Transaction<Database>, thread: string, number: number) {
  const row = await tx
    .selectFrom('posts')
    .selectAll()
    .where('thread_id', '=', thread)
    .where('number', '=', number)
    .executeTakeFirst()
  if (row === undefined) throw new Problem('post-not-found')
  if (row.state === 'deleted') throw new Problem('post-deleted')
  return row
}

/**
 * Puts a new text in the place of the one that the editor saw at `seen`; the old one is kept as a revision.
 * Problems: thread-not-found, post-not-found, post-deleted, edit-conflict.
 */
export function updatePost(
  db: Db,
  at: { thread: string; number: number },
  content: Content,
  by: { editorId: string; seen: number },
): Promise<Change[]> {
  return changeThread(db, at.thread, async (tx, next) => {
    const row = await livePost(tx, at.thread, at.number)
    if (row.body_seq > by.seen) throw new Problem('edit-conflict')
    if (row.body === content.body) return
    await tx
      .insertInto('revisions')
      .values({
        thread_id: at.thread,
        number: at.number,
        seq: row.body_seq,
        body: row.body,
        editor_id: by.editorId,
      })
      .execute()
    const seq = next()
    await tx
      .updateTable('posts')
      .set({
        body: content.body,
        html: content.html,
        excerpt: content.excerpt,
        edited_at: new Date(),
        seq,
        body_seq: seq,
      })
      .where('thread_id', '=', at.thread)
      .where('number', '=', at.number)
      .execute()
    await tx
      .deleteFrom('post_embeds')
      .where('thread_id', '=', at.thread)
      .where('number', '=', at.number)
      .execute()
    await insertEmbeds(tx, at.thread, at.number, content.embeds)
    await touchQuoters(tx, at, next, { onlyEmbeds: true })
  })
}

/**
 * Takes a post's text away: from the post, its revisions, and every quote of it in its thread. The row stays, so that
 * its number is never given out again and replies keep their place.
 * Problems: thread-not-found, post-not-found, post-deleted.
 */
export function erasePost(db: Db, at: { thread: string; number: number }): Promise<Change[]> {
  return changeThread(db, at.thread, async (tx, next) => {
    await livePost(tx, at.thread, at.number)
    const seq = next()
    await tx
      .updateTable('posts')
      .set({
        body: '',
        html: '',
        excerpt: '',
        state: 'deleted',
        quote_number: null,
        quote_text: null,
        edited_at: null,
        seq,
        body_seq: seq,
      })
      .where('thread_id', '=', at.thread)
      .where('number', '=', at.number)
      .execute()
    for (const table of ['revisions', 'reactions', 'post_embeds'] as const) {
      await tx.deleteFrom(table).where('thread_id', '=', at.thread).where('number', '=', at.number).execute()
    }
    await tx
      .updateTable('threads')
      .set((eb) => ({ post_count: eb('post_count', '-', 1) }))
      .where('id', '=', at.thread)
      .execute()
    await touchQuoters(tx, at, next, { onlyEmbeds: false })
  })
}

/** Stamps the posts of the same thread that show `at`, so that their readers get them as they now are. */
async function touchQuoters(
  tx: Transaction<Database>,
  at: { thread: string; number: number },
  next: () => number,
  { onlyEmbeds }: { onlyEmbeds: boolean },
): Promise<void> {
  const rows = await tx
    .selectFrom('posts as p')
    .select(['p.number', 'p.quote_number'])
    .where('p.thread_id', '=', at.thread)
    .where('p.number', '<>', at.number)
    .where((eb) =>
      eb.or([
        ...(onlyEmbeds ? [] : [eb('p.quote_number', '=', at.number)]),
        eb.exists(
          eb
            .selectFrom('post_embeds as e')
            .select('e.position')
            .whereRef('e.thread_id', '=', 'p.thread_id')
            .whereRef('e.number', '=', 'p.number')
            .where('e.target_thread', '=', at.thread)
            .where('e.target_number', '=', at.number),
        ),
      ]),
    )
    .orderBy('p.number')
    .execute()
  for (const row of rows) {
    await tx
      .updateTable('posts')
      .set({ seq: next(), ...(!onlyEmbeds && row.quote_number === at.number && { quote_text: null }) })
      .where('thread_id', '=', at.thread)
      .where('number', '=', row.number)
      .execute()
  }
}

/** Stamps posts whose embeds changed elsewhere (a preview arrived, a quoted post of another thread changed). */
export function touchPosts(db: Db, thread: string, numbers: readonly number[]): Promise<Change[]> {
  return changeThread(db, thread, async (tx, next) => {
    const rows = await tx
      .selectFrom('posts')
      .select('number')
      .where('thread_id', '=', thread)
      .where('number', '=', sql<number>`any(${numbers})`)
      .orderBy('number')
      .execute()
    const there = rows.map(({ number }) => number)
    await stamp(tx, thread, there, next)
  })
}

/** Who shows a link, a post, or without a number any post of a thread: posts to touch, by thread. */
export async function findEmbedders(
  db: Tx,
  what: { link: string } | { thread: string; number?: number },
): Promise<Map<string, number[]>> {
  const rows = await db
    .selectFrom('post_embeds')
    .select(['thread_id', 'number'])
    .distinct()
    .where((eb) =>
      'link' in what
        ? eb('link_id', '=', what.link)
        : eb.and([
            eb('target_thread', '=', what.thread),
            ...(what.number === undefined ? [] : [eb('target_number', '=', what.number)]),
          ]),
    )
    .orderBy('thread_id')
    .orderBy('number')
    .execute()
  const byThread = new Map<string, number[]>()
  for (const { thread_id, number } of rows)
    byThread.set(thread_id, [...(byThread.get(thread_id) ?? []), number])
  return byThread
}

/**
 * Adds a person's reaction, or takes it away. Doing so twice changes nothing.
 * Problems: thread-not-found, post-not-found, post-deleted, too-many-reactions.
 */
export function setReaction(
  db: Db,
  at: { thread: string; number: number },
  reaction: { emoji: string; userId: string; on: boolean },
): Promise<Change[]> {
  return changeThread(db, at.thread, async (tx, next) => {
    await livePost(tx, at.thread, at.number)
    const { emoji, userId, on } = reaction
    if (on) {
      const others = await tx
        .selectFrom('reactions')
        .select('emoji')
        .distinct()
        .where('thread_id', '=', at.thread)
        .where('number', '=', at.number)
        .where('emoji', '<>', emoji)
        .execute()
      if (others.length >= limits.emojiPerPost) throw new Problem('too-many-reactions')
      const added = await tx
        .insertInto('reactions')
        .values({ thread_id: at.thread, number: at.number, emoji, user_id: userId })
        .onConflict((c) => c.doNothing())
        .returning('emoji')
        .executeTakeFirst()
      if (added === undefined) return
    } else {
      const removed = await tx
        .deleteFrom('reactions')
        .where('thread_id', '=', at.thread)
        .where('number', '=', at.number)
        .where('emoji', '=', emoji)
        .where('user_id', '=', userId)
        .returning('emoji')
        .executeTakeFirst()
      if (removed === undefined) return
    }
    await tx
      .updateTable('posts')
      .set({ seq: next() })
      .where('thread_id', '=', at.thread)
      .where('number', '=', at.number)
      .execute()
  })
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
