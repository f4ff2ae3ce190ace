import { sql, type Transaction } from 'kysely'
import { Problem } from '../../shared/errors.ts'
import type { Post, PostState } from '../../shared/post.ts'
import { stamp, type Change } from './change.ts'
import { findEmbedders, insertEmbeds, type Content } from './content.ts'
import { sqlState, transact, type Db } from './database.ts'
import { loadPosts, readHead, readPost } from './read.ts'
import type { Database } from './schema.ts'

export interface NewPost extends Content {
  thread: string
  parent: number | null
  authorId: string
  clientId: string | null
  quote: { number: number; text: string } | null
  state?: PostState
  /** Whether a lock of the thread does not hold for this writer. */
  evenLocked?: boolean
  /** Written in the same transaction, once the post has its number: nothing is written where it throws. */
  also?: (tx: Transaction<Database>, number: number) => Promise<void>
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
      await input.also?.(tx, number)
      if (input.quote) await dropDeletedQuote(tx, input.thread, number)
      const post = (await readPost(tx, input.thread, number))!
      const { own, elsewhere } = await findWaiting(tx, input.thread, number)
      const changes: Change[] = [{ seq: post.seq, post }]
      if (own.length > 0) changes.push(...(await stampAfter(tx, input.thread, post.seq, own)))
      return { post, created: true, changes, shownElsewhere: elsewhere }
    })
  } catch (error) {
    // The same request came before: that one's post stands, even where it would be refused by now, and this
    // transaction has left nothing.
    const mayHaveTwin = input.clientId !== null && (sqlState(error) === '23505' || error instanceof Problem)
    const winner = mayHaveTwin
      ? await findByClientId(db, input.thread, input.authorId, input.clientId!)
      : undefined
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

/** The post that an author wrote in a thread under a `clientId`, whatever became of it since. */
export async function findByClientId(
  db: Db,
  thread: string,
  authorId: string,
  clientId: string,
): Promise<Post | undefined> {
  const row = await db
    .selectFrom('posts')
    .select('number')
    .where('author_id', '=', authorId)
    .where('thread_id', '=', thread)
    .where('client_id', '=', clientId)
    .executeTakeFirst()
  return row && readPost(db, thread, row.number)
}
