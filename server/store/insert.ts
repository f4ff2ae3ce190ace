import { sql, type Transaction } from 'kysely'
import { Problem } from '../../shared/errors.ts'
import type { Post, PostState } from '../../shared/post.ts'
import { stamp, type Change } from './change.ts'
import { embedRows, insertEmbeds, type Content } from './content.ts'
import { sqlState, transact, type Db, type Tx } from './database.ts'
import { loadPosts, readHead, readPost } from './read.ts'
import type { Database } from './schema.ts'
import { runColumns, toPost, type PostColumns } from './wire.ts'

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
  /** Whether posts of other threads showed its number before there was such a post. */
  shownElsewhere: boolean
}

/**
 * Adds a post, or returns the one that the same author wrote under the same `clientId` before. `changes` are the post
 * itself where it was created, and posts of the thread that showed its number before there was such a post.
 * Problems: thread-not-found, thread-locked.
 */
export async function insertPost(db: Db, input: NewPost): Promise<Inserted & { changes: Change[] }> {
  try {
    const { inserted, changes } = await insertPosts(db, input.thread, [input])
    return { ...inserted[0]!, changes }
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

/**
 * Adds posts to a thread, all of them or, where it throws, none. One statement takes the next seqs and numbers and writes
 * the rows, so the thread's row is locked for as short as can be. Of what came out, `changes` is told for all together.
 * Problems: thread-not-found, thread-locked.
 */
export async function insertPosts(
  db: Db,
  thread: string,
  inputs: readonly NewPost[],
): Promise<{ inserted: Inserted[]; changes: Change[] }> {
  return await transact(db, async (tx) => {
    const fresh = await writeRows(tx, thread, inputs, 'anyhow')
    if (fresh.length === 0) {
      throw new Problem((await readHead(tx, thread)) ? 'thread-locked' : 'thread-not-found')
    }
    const numbers = fresh.map(({ number }) => number)
    const embeds = inputs.flatMap((input, i) => embedRows(thread, numbers[i]!, input.embeds))
    await insertEmbeds(tx, embeds)
    for (const [i, input] of inputs.entries()) await input.also?.(tx, numbers[i]!)
    if (inputs.some(({ quote }) => quote !== null)) await dropDeletedQuotes(tx, thread, numbers)
    const plain =
      embeds.length === 0 && inputs.every(({ quote, also }) => quote === null && also === undefined)
    const posts = plain ? fresh : await loadPosts(tx, thread, { numbers })
    const { own, elsewhere } = await findWaiting(tx, thread, numbers)
    const changes: Change[] = posts.map((post) => ({ seq: post.seq, post }))
    if (own.length > 0) changes.push(...(await stampAfter(tx, thread, posts.at(-1)!.seq, own)))
    const inserted = posts.map((post) => ({
      post,
      created: true,
      shownElsewhere: elsewhere.has(post.number),
    }))
    return { inserted, changes }
  })
}

/** A reply that shows nothing but its own text. */
export type PlainPost = NewPost & { parent: number; embeds: readonly []; quote: null; also?: never }

/**
 * Adds plain replies to a thread in one statement, which is its own transaction: one round trip instead of five. All of them
 * are written or, with an empty answer, none: where they need more than that (`insertPosts`), or may not be written.
 */
export async function insertPlain(db: Db, thread: string, inputs: readonly PlainPost[]): Promise<Post[]> {
  return await writeRows(db, thread, inputs, 'if nothing else')
}

/**
 * Writes the rows and gives the posts as they are with nothing added to them; none where the thread is not there, or takes
 * no posts from one of the writers.
 * With `if nothing else`, none either where a post that is answered is not there or deleted, where somebody shows a
 * post of these numbers already, or where the thread changed while the statement waited for it: what it saw
 * of other rows, and decided by, would not be what stands when it commits.
 */
async function writeRows(
  db: Tx,
  thread: string,
  inputs: readonly NewPost[],
  when: 'anyhow' | 'if nothing else',
): Promise<Post[]> {
  const column = <T>(of: (input: NewPost) => T) => inputs.map(of)
  const careful = when === 'if nothing else'
  const { rows } = await sql<Omit<PostColumns, 'html'>>`
    with input as (
      select * from unnest(
        ${column(({ parent }) => parent)}::integer[], ${column(({ authorId }) => authorId)}::text[],
        ${column(({ body }) => body)}::text[], ${column(({ html }) => html)}::text[],
        ${column((input) => input.excerpt)}::text[], ${column(({ state = 'complete' }) => state)}::text[],
        ${column(({ quote }) => quote?.number ?? null)}::integer[],
        ${column(({ quote }) => quote?.text ?? null)}::text[], ${column(({ clientId }) => clientId)}::text[]
      ) with ordinality
        as input (parent, author_id, body, html, excerpt, state, quote_number, quote_text, client_id, i)
    ), ${careful ? sql`seen as materialized (select seq, last_number from threads where id = ${thread}),` : sql``}
    head as (
      update threads as t
      set seq = t.seq + ${inputs.length}, last_number = t.last_number + ${inputs.length},
          post_count = post_count + ${inputs.length}, last_activity_at = now()
      ${careful ? sql`from seen` : sql``}
      where id = ${thread} and (not locked or ${inputs.every(({ evenLocked = false }) => evenLocked)})
      ${careful ? nothingElse(thread, inputs.length) : sql``}
      returning t.seq - ${inputs.length} as seq, t.last_number - ${inputs.length} as number
    ), written as (
      insert into posts (thread_id, number, parent, author_id, body, html, excerpt, state,
                         quote_number, quote_text, client_id, seq, body_seq)
      select ${thread}, head.number + i, parent, author_id, body, html, excerpt, state,
             quote_number, quote_text, client_id, head.seq + i, head.seq + i
      from head, input
      returning number, parent, author_id, state, created_at, edited_at, quote_number, quote_text, client_id, seq
    )
    select written.*, name, kind, image, ${sql.join(runColumns.map((name) => sql`null as ${sql.ref(name)}`))}
    from written cross join lateral (select name, kind, image from users where id = author_id limit 1) as author
    order by number`.execute(db)
  return rows.map((row, i) => toPost({ ...row, html: inputs[i]!.html }, [], undefined))
}

/**
 * Conditions on the thread's row. A statement that waited for the row's lock is asked again with the row as it is by then,
 * but with `seen` and all other rows as they were before.
 * The plan is made once a connection, and may be from when tables were nearly empty and one index as good as another. So
 * what is answered is looked for in an order that only the primary key has (where there is no such post, a foreign key says
 * so), and authors are looked up one by one and not joined.
 */
function nothingElse(thread: string, count: number) {
  return sql`
    and t.seq = seen.seq
    and not exists (
      select from input where coalesce(
        (
          select posts.state from posts
          where thread_id = ${thread} and number >= input.parent order by number limit 1
        ), 'deleted'
      ) = 'deleted'
    )
    and not exists (
      select from post_embeds
      where target_thread = ${thread}
        and target_number > seen.last_number and target_number <= seen.last_number + ${count}
    )`
}

/** A post may be deleted between the check of a quote of it and the commit of the quote, and nothing of it may stay. */
async function dropDeletedQuotes(
  tx: Transaction<Database>,
  thread: string,
  numbers: readonly number[],
): Promise<void> {
  // A statement of its own: it sees what was committed while this transaction waited for the thread's row.
  await sql`
    update posts set quote_text = null
    from posts as quoted
    where posts.thread_id = ${thread} and posts.number = any(${numbers})
      and quoted.thread_id = ${thread} and quoted.number = posts.quote_number and quoted.state = 'deleted'`.execute(
    tx,
  )
}

/** Who shows posts that have only now come to be: so far as ones that are missing. */
async function findWaiting(tx: Transaction<Database>, thread: string, numbers: readonly number[]) {
  const rows = await tx
    .selectFrom('post_embeds')
    .select(['thread_id', 'number', 'target_number'])
    .where('target_thread', '=', thread)
    .where('target_number', '=', sql<number>`any(${numbers})`)
    .orderBy('number')
    .execute()
  const own = rows.filter((row) => row.thread_id === thread && !numbers.includes(row.number))
  const elsewhere = rows.filter((row) => row.thread_id !== thread)
  return {
    own: [...new Set(own.map(({ number }) => number))],
    elsewhere: new Set(elsewhere.map(({ target_number }) => target_number)),
  }
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
