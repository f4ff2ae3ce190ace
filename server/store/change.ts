import type { Transaction } from 'kysely'
import { Problem } from '../../shared/errors.ts'
import type { Post } from '../../shared/post.ts'
import type { Thread } from '../../shared/thread.ts'
import { transact, type Db } from './database.ts'
import { loadPosts, readHead } from './read.ts'
import type { Database } from './schema.ts'

/** One durable change of a thread, as it was committed under its seq. */
export type Change = { seq: number; post: Post } | { seq: number; info: Thread }

/**
 * Changes posts of one thread in one transaction, which holds the thread's row from its start. `next` takes the next
 * seq, one for each row that changes. Returns the changes in their order; none where `work` took no seq.
 * Every writer locks the thread before its posts, so that no two wait for each other.
 * Problems: thread-not-found, and what `work` throws, with nothing written.
 */
export async function changeThread(
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
export async function livePost(tx: Transaction<Database>, thread: string, number: number) {
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

/** Gives each of these posts a seq of its own, for what they show has changed. */
export async function stamp(
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
