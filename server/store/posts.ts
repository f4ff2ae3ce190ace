import { sql, type Transaction } from 'kysely'
import { Problem } from '../../shared/errors.ts'
import { limits } from '../../shared/limits.ts'
import { changeThread, livePost, stamp, type Change } from './change.ts'
import { embedRows, insertEmbeds, type Content } from './content.ts'
import type { Db } from './database.ts'
import { eraseRun, eraseThoughts } from './runs.ts'
import type { Database } from './schema.ts'

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
    await insertEmbeds(tx, embedRows(at.thread, at.number, content.embeds))
    await touchQuoters(tx, at, next, { onlyEmbeds: true })
  })
}

/**
 * Takes a post's text away: from the post, its revisions, every quote of it in its thread, and what models thought aloud
 * about it there. The row stays, so that its number is never given out again and replies keep their place.
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
    await eraseRun(tx, at)
    await eraseThoughts(tx, at)
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
