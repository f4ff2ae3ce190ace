import { sql, type Insertable } from 'kysely'
import { limits } from '../../shared/limits.ts'
import { changeThread, stamp } from '../store/change.ts'
import { embedRows } from '../store/content.ts'
import type { Db } from '../store/database.ts'
import type { Database, PostsTable, ReactionsTable } from '../store/schema.ts'
import type { Renderer } from '../threads/render.ts'
import { embedsOf, prepare, type EnsureLinks, type Prepared, type Tx } from './content.ts'
import { importLimits } from './limits.ts'
import type { Planned } from './plan.ts'
import { ensurePlaceholders } from './placeholders.ts'
import { peopleOf, reactionRows } from './reactions.ts'
import type { Reason } from './records.ts'
import type { Report } from './report.ts'
import { splitBody } from './split-body.ts'

export interface WriteParts {
  readonly db: Db
  readonly render: Renderer
  readonly ensureLinks: EnsureLinks
  readonly report: Report
  onProgress?(written: number): void
  /** Ends the import between two transactions; it is thrown. */
  readonly signal?: AbortSignal | undefined
}

/** A post to be written: a comment, or a further part of one that is too long. */
interface Draft {
  sourceId: string
  /** Null for the thread's first post. */
  parent: string | null
  planned: Planned
  part: number
  prepared: Prepared
}

/**
 * Writes comments to a thread in their order, a batch a transaction: what is there already, from an earlier import or by
 * one that runs beside this, is passed over. Numbers and seqs are taken as by any other writer, so that pages and nodes
 * that have the thread open go on from where they are.
 */
export async function writeComments(
  parts: WriteParts,
  at: { source: string; thread: string },
  comments: readonly Planned[],
): Promise<void> {
  const ids = comments.flatMap(({ comment, parent }) => [comment.sourceId, parent ?? comment.sourceId])
  const numbers = await findNumbers(parts.db, at, ids)
  const todo = comments.filter(({ comment }) => !numbers.has(comment.sourceId))
  parts.report.counts.known += comments.length - todo.length
  for (let from = 0; from < todo.length; from += importLimits.batch) {
    parts.signal?.throwIfAborted()
    const batch = todo.slice(from, from + importLimits.batch)
    const drafts = batch.flatMap((planned) => draftsOf(parts.render, at.thread, planned))
    const people = batch.flatMap(({ comment }) => [comment.author, ...peopleOf(comment.reactions)])
    const { accounts, made } = await ensurePlaceholders(parts.db, at.source, people)
    parts.report.counts.authors += made
    const written = await writeBatch(parts, at, drafts, numbers, accounts)
    for (const [sourceId, number] of written) numbers.set(sourceId, number)
    for (const draft of drafts) if (written.has(draft.sourceId)) tell(parts.report, draft)
    parts.onProgress?.(parts.report.counts.posts)
  }
}

function draftsOf(render: Renderer, thread: string, planned: Planned): Draft[] {
  const { sourceId, body } = planned.comment
  return splitBody(body, limits.bodyMax).map((piece, part) => ({
    sourceId: partId(sourceId, part),
    parent: part === 0 ? planned.parent : partId(sourceId, part - 1),
    planned,
    part,
    prepared: prepare(render, piece, thread),
  }))
}

function partId(sourceId: string, part: number): string {
  return part === 0 ? sourceId : `${sourceId} (part ${part + 1})`
}

/** Writes drafts in one transaction, and returns the numbers of those that were not there yet. */
async function writeBatch(
  { db, ensureLinks }: WriteParts,
  { source, thread }: { source: string; thread: string },
  drafts: readonly Draft[],
  known: ReadonlyMap<string, number>,
  accounts: ReadonlyMap<string, string>,
): Promise<Map<string, number>> {
  const written = new Map<string, number>()
  await changeThread(db, thread, async (tx, next) => {
    // The transaction may be tried again.
    written.clear()
    const there = await findNumbers(
      tx,
      { source, thread },
      drafts.map(({ sourceId }) => sourceId),
    )
    const todo = drafts.filter(({ sourceId }) => !there.has(sourceId))
    if (todo.length === 0) return
    const head = await tx
      .selectFrom('threads')
      .select(['last_number', 'last_activity_at'])
      .where('id', '=', thread)
      .executeTakeFirstOrThrow()
    const embeds = await embedsOf(
      tx,
      ensureLinks,
      todo.map(({ prepared }) => prepared),
    )
    const posts: Insertable<PostsTable>[] = []
    const reactions: Insertable<ReactionsTable>[] = []
    for (const [index, draft] of todo.entries()) {
      const number = head.last_number + index + 1
      written.set(draft.sourceId, number)
      const parent =
        draft.parent === null
          ? 1
          : (written.get(draft.parent) ?? there.get(draft.parent) ?? known.get(draft.parent) ?? 1)
      posts.push(postRow(draft, { thread, number, parent, seq: next(), author: accountOf(draft, accounts) }))
      if (draft.part === 0) {
        const { createdAt, reactions: all } = draft.planned.comment
        reactions.push(...reactionRows({ thread, number, createdAt }, all, accounts))
      }
    }
    await tx.insertInto('posts').values(posts).execute()
    const embedded = embeds.flatMap((list, index) => embedRows(thread, posts[index]!.number, list))
    await insertInBatches(tx, 'post_embeds', embedded)
    await insertInBatches(tx, 'reactions', reactions)
    await tx
      .insertInto('imported_posts')
      .values(
        [...written].map(([sourceId, number]) => ({
          source,
          source_id: sourceId,
          thread_id: thread,
          number,
        })),
      )
      .execute()
    const live = posts.filter(({ state }) => state !== 'deleted')
    const latest = live.reduce(
      (last, { created_at: at }) => Math.max(last, (at as Date).getTime()),
      head.last_activity_at.getTime(),
    )
    await tx
      .updateTable('threads')
      .set((eb) => ({
        last_number: head.last_number + todo.length,
        post_count: eb('post_count', '+', live.length),
        last_activity_at: new Date(latest),
      }))
      .where('id', '=', thread)
      .execute()
    await stamp(tx, thread, await findWaiting(tx, thread, head.last_number), next)
  })
  return written
}

/** Posts that showed one of the new numbers before there was such a post. */
async function findWaiting(tx: Tx, thread: string, last: number): Promise<number[]> {
  const rows = await tx
    .selectFrom('post_embeds')
    .select('number')
    .distinct()
    .where('thread_id', '=', thread)
    .where('target_thread', '=', thread)
    .where('target_number', '>', last)
    .where('number', '<=', last)
    .orderBy('number')
    .execute()
  return rows.map(({ number }) => number)
}

function accountOf({ planned }: Draft, accounts: ReadonlyMap<string, string>): string {
  return accounts.get(planned.comment.author.sourceId)!
}

function postRow(
  { planned, prepared }: Draft,
  at: { thread: string; number: number; parent: number; seq: number; author: string },
): Insertable<PostsTable> & { number: number } {
  const { createdAt, editedAt, deleted } = planned.comment
  return {
    thread_id: at.thread,
    number: at.number,
    parent: at.parent,
    author_id: at.author,
    body: prepared.body,
    html: deleted ? '' : prepared.html,
    excerpt: prepared.excerpt,
    state: deleted ? 'deleted' : 'complete',
    quote_number: null,
    quote_text: null,
    client_id: null,
    created_at: new Date(createdAt),
    edited_at: editedAt === null ? null : new Date(editedAt),
    seq: at.seq,
    body_seq: at.seq,
  }
}

/** Rows that one statement takes: each of its values is a parameter, and there are 65,535 at most. */
const rowsAtOnce = 2_000

async function insertInBatches<T extends 'post_embeds' | 'reactions'>(
  tx: Tx,
  table: T,
  rows: readonly Insertable<Database[T]>[],
): Promise<void> {
  for (let from = 0; from < rows.length; from += rowsAtOnce) {
    await tx
      .insertInto(table)
      .values(rows.slice(from, from + rowsAtOnce) as never)
      .execute()
  }
}

function tell({ counts, add }: Report, { planned, part }: Draft): void {
  counts.posts++
  const { sourceId, line, deleted, reactions } = planned.comment
  if (deleted) counts.deleted++
  const note = (reason: Reason, detail?: string) =>
    add({ what: 'noted', kind: 'comment', sourceId, line, reason, ...(detail !== undefined && { detail }) })
  if (part === 1) note('split')
  if (part > 0) return
  if (planned.note !== undefined) note(planned.note)
  counts.reactions += reactions.reduce(
    (sum, { count }) => sum + Math.min(count, importLimits.reactionsMax),
    0,
  )
  const cut = reactions.find(({ count }) => count > importLimits.reactionsMax)
  if (cut) note('reactions-cut', `${cut.count} ${cut.emoji}`)
}

/** The numbers of comments of the source that are in the thread. */
export async function findNumbers(
  db: Db | Tx,
  { source, thread }: { source: string; thread: string },
  sourceIds: readonly string[],
): Promise<Map<string, number>> {
  const numbers = new Map<string, number>()
  for (let from = 0; from < sourceIds.length; from += 5_000) {
    const rows = await db
      .selectFrom('imported_posts')
      .select(['source_id', 'number'])
      .where('source', '=', source)
      .where('source_id', '=', sql<string>`any(${sourceIds.slice(from, from + 5_000)})`)
      .where('thread_id', '=', thread)
      .execute()
    for (const row of rows) numbers.set(row.source_id, row.number)
  }
  return numbers
}
