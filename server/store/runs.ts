import { sql, type Selectable, type Transaction } from 'kysely'
import type { Manifest } from '../../shared/run.ts'
import { changeThread, type Change } from './change.ts'
import { embedRows, insertEmbeds, type Content } from './content.ts'
import { settleBudget, type Spent } from './budgets.ts'
import type { Db, Tx } from './database.ts'
import type { Database, RunsTable } from './schema.ts'

export type RunRow = Selectable<RunsTable>

/** Who writes a run: only its latest epoch may. */
export interface Holder {
  readonly id: string
  readonly epoch: number
}

export type NewRun = Pick<
  RunRow,
  | 'id'
  | 'thread_id'
  | 'number'
  | 'persona_id'
  | 'persona_version'
  | 'asker_id'
  | 'client_id'
  | 'request'
  | 'since'
  | 'external'
  | 'model'
  | 'offline'
  | 'owner'
  | 'reserved'
  | 'day'
>

/** A lease from now on, by the database's clock, which all nodes share. */
const lease = (ms: number) => sql<Date>`now() + ${ms} * interval '1 millisecond'`

export async function insertRun(tx: Transaction<Database>, run: NewRun, leaseMs: number): Promise<void> {
  await tx
    .insertInto('runs')
    .values({ ...run, lease_until: lease(leaseMs) })
    .execute()
}

export function findRun(db: Tx, thread: string, number: number): Promise<RunRow | undefined> {
  return db
    .selectFrom('runs')
    .selectAll()
    .where('thread_id', '=', thread)
    .where('number', '=', number)
    .executeTakeFirst()
}

/** The run that someone asked for under a `clientId`. */
export function findRunByClientId(
  db: Tx,
  thread: string,
  askerId: string,
  clientId: string,
): Promise<RunRow | undefined> {
  return db
    .selectFrom('runs')
    .selectAll()
    .where('asker_id', '=', askerId)
    .where('thread_id', '=', thread)
    .where('client_id', '=', clientId)
    .executeTakeFirst()
}

/** The replies of a thread that are being written, with their text so far. */
export function streamingRuns(
  db: Tx,
  thread: string,
): Promise<Pick<RunRow, 'id' | 'number' | 'epoch' | 'text'>[]> {
  return db
    .selectFrom('runs')
    .select(['id', 'number', 'epoch', 'text'])
    .where('thread_id', '=', thread)
    .where('state', '=', 'streaming')
    .orderBy('number')
    .execute()
}

/**
 * Prolongs the lease and keeps what was written so far. Undefined when the run is no longer this holder's: it ended, or
 * another node took it for abandoned.
 */
export async function renewRun(
  db: Tx,
  { id, epoch }: Holder,
  leaseMs: number,
  written?: Pick<RunRow, 'text' | 'reasoning'>,
): Promise<{ stopRequested: boolean } | undefined> {
  const row = await db
    .updateTable('runs')
    .set({ lease_until: lease(leaseMs) })
    .$if(written !== undefined, (q) =>
      q.set({
        ...written!,
        length: written!.text.length,
        ...(written!.text !== '' && { first_text_at: sql<Date>`coalesce(first_text_at, now())` }),
      }),
    )
    .where('id', '=', id)
    .where('epoch', '=', epoch)
    .where('state', '=', 'streaming')
    .returning('stop_requested')
    .executeTakeFirst()
  return row && { stopRequested: row.stop_requested }
}

/** Notes what the model is given to read, and which model that is. Whether the run is still this holder's. */
export async function describeRun(
  db: Tx,
  { id, epoch }: Holder,
  about: { manifest?: Manifest; model: string; offline: boolean },
): Promise<boolean> {
  const { manifest, model, offline } = about
  const { numUpdatedRows } = await db
    .updateTable('runs')
    .set({ model, offline, ...(manifest && { manifest: JSON.stringify(manifest) }) })
    .where('id', '=', id)
    .where('epoch', '=', epoch)
    .where('state', '=', 'streaming')
    .executeTakeFirst()
  return numUpdatedRows > 0n
}

/** Lets a run go before its lease is over, for another node to take up. */
export async function releaseRun(db: Tx, { id, epoch }: Holder): Promise<void> {
  await db
    .updateTable('runs')
    .set({ lease_until: sql<Date>`now()` })
    .where('id', '=', id)
    .where('epoch', '=', epoch)
    .where('state', '=', 'streaming')
    .execute()
}

/** Makes `owner` the holder of a run whose lease is over; undefined when there is none. Of several nodes one gets it. */
export async function claimRun(db: Tx, owner: string, leaseMs: number): Promise<RunRow | undefined> {
  return await db
    .updateTable('runs')
    .set((eb) => ({ owner, epoch: eb('epoch', '+', 1), lease_until: lease(leaseMs) }))
    .where('id', '=', (eb) =>
      eb
        .selectFrom('runs')
        .select('id')
        .where('state', '=', 'streaming')
        .where('lease_until', '<', sql<Date>`now()`)
        .orderBy('lease_until')
        .limit(1)
        .forUpdate()
        .skipLocked(),
    )
    // Looked at again under the row's lock.
    .where('state', '=', 'streaming')
    .where('lease_until', '<', sql<Date>`now()`)
    .returningAll()
    .executeTakeFirst()
}

/** Tells whoever writes the run to stop, in case the word on the bus is lost. Whether it is being written. */
export async function requestStop(db: Tx, id: string): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('runs')
    .set({ stop_requested: true })
    .where('id', '=', id)
    .where('state', '=', 'streaming')
    .executeTakeFirst()
  return numUpdatedRows > 0n
}

/** How a run ended. */
export interface Ending {
  readonly state: 'complete' | 'stopped' | 'interrupted' | 'failed'
  readonly reason: string | null
  readonly reasoning: string | null
  readonly spent: Spent
  readonly content: Content
}

/**
 * Writes a run's end and its post's final text, in one transaction and as one change of the thread. No changes when the
 * run is no longer this holder's: then nothing is written.
 */
export async function endRun(
  db: Db,
  at: { thread: string; number: number },
  { id, epoch }: Holder,
  ending: Ending,
): Promise<Change[]> {
  return await changeThread(db, at.thread, async (tx, next) => {
    const { state, reason, spent, content } = ending
    // With the thread's row locked, so that no post of it is deleted between this and the commit.
    const reasoning = ending.reasoning !== null && (await readDeleted(tx, id)) ? null : ending.reasoning
    const run = await tx
      .updateTable('runs')
      .set({
        state,
        reason,
        reasoning,
        text: '',
        length: content.body.length,
        input_tokens: spent.input,
        output_tokens: spent.output,
        usage_estimated: spent.estimated,
        cost: spent.cost?.amount ?? null,
        currency: spent.cost?.currency ?? null,
        ended_at: sql<Date>`now()`,
      })
      .where('id', '=', id)
      .where('epoch', '=', epoch)
      .where('state', '=', 'streaming')
      .returning(['thread_id', 'asker_id', 'reserved', 'day', 'offline'])
      .executeTakeFirst()
    if (run === undefined) return
    await settleBudget(tx, run, run.offline ? 0 : spent.input + spent.output)
    const seq = next()
    await tx
      .updateTable('posts')
      .set({ body: content.body, html: content.html, excerpt: content.excerpt, state, seq, body_seq: seq })
      .where('thread_id', '=', at.thread)
      .where('number', '=', at.number)
      .execute()
    await insertEmbeds(tx, embedRows(at.thread, at.number, content.embeds))
  })
}

/** A post was deleted: the run that wrote or writes it ends, and nothing that it held stays. */
export async function eraseRun(
  tx: Transaction<Database>,
  at: { thread: string; number: number },
): Promise<void> {
  const run = await findRun(tx, at.thread, at.number)
  if (run === undefined) return
  await tx
    .updateTable('runs')
    .set({ text: '', request: null, reasoning: null, reason: null, manifest: null })
    .$if(run.state === 'streaming', (q) => q.set({ state: 'stopped', ended_at: sql<Date>`now()` }))
    .where('id', '=', run.id)
    .execute()
  if (run.state === 'streaming') await settleBudget(tx, run, run.reserved)
}

/**
 * A post was deleted: what models thought aloud about it goes as well, as far as its thread's replies are concerned. Those of
 * other threads would take a search through all runs; they are left to `withoutDeleted` whenever they are read.
 */
export async function eraseThoughts(
  tx: Transaction<Database>,
  at: { thread: string; number: number },
): Promise<void> {
  const read = JSON.stringify({ pieces: [{ kind: 'post', ...at }] })
  await tx
    .updateTable('runs')
    .set({ reasoning: null })
    .where('thread_id', '=', at.thread)
    .where('reasoning', 'is not', null)
    .where(sql<boolean>`manifest @> ${read}::jsonb`)
    .execute()
}

/** What a model read, without the posts that were deleted since. The same object where there are none. */
export async function withoutDeleted(db: Tx, manifest: Manifest): Promise<Manifest> {
  const posts = manifest.pieces.filter((piece) => piece.kind === 'post')
  if (posts.length === 0) return manifest
  const { rows } = await sql<{ thread: string; number: number }>`
    select p.thread_id as thread, p.number
    from unnest(${posts.map(({ thread }) => thread)}::text[], ${posts.map(({ number }) => number)}::int[])
      as read (thread_id, number)
    join posts p on p.thread_id = read.thread_id and p.number = read.number
    where p.state <> 'deleted'`.execute(db)
  const there = new Set(rows.map(({ thread, number }) => `${thread}/${number}`))
  const pieces = manifest.pieces.filter(
    (piece) => piece.kind !== 'post' || there.has(`${piece.thread}/${piece.number}`),
  )
  return pieces.length === manifest.pieces.length ? manifest : { ...manifest, pieces }
}

/** Whether something that a run read was deleted since. */
async function readDeleted(tx: Tx, id: string): Promise<boolean> {
  const run = await tx.selectFrom('runs').select('manifest').where('id', '=', id).executeTakeFirst()
  return !!run?.manifest && (await withoutDeleted(tx, run.manifest)) !== run.manifest
}

/** What an agent outside adds to its reply. */
export interface Piece {
  /** Where it begins, in UTF-16 units. */
  readonly from: number
  readonly text: string
  /** UTF-16 units that a reply may have. */
  readonly max: number
  readonly leaseMs: number
}

/**
 * Adds a piece to a run's text, and prolongs its lease. What is there already is passed over. The run as it is then, and
 * its length `before`; or why nothing was written, a number being the length that the text has.
 */
export async function appendToRun(
  tx: Transaction<Database>,
  id: string,
  { from, text, max, leaseMs }: Piece,
): Promise<{ run: RunRow; before: number } | 'ended' | 'too-large' | number> {
  // Locked, so that of two requests with the same piece one finds what the other wrote.
  const run = await tx
    .selectFrom('runs')
    .selectAll()
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirstOrThrow()
  if (run.state !== 'streaming') return 'ended'
  if (from > run.length) return run.length
  const added = text.slice(run.length - from)
  if (run.length + added.length > max) return 'too-large'
  const changed = await tx
    .updateTable('runs')
    .set({
      text: run.text + added,
      length: run.length + added.length,
      lease_until: lease(leaseMs),
      ...(added !== '' && { first_text_at: sql<Date>`coalesce(first_text_at, now())` }),
    })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow()
  return { run: changed, before: run.length }
}
