import { transact, type Db } from '../store/database.ts'
import { changeThread } from '../store/change.ts'
import { embedRows, insertEmbeds } from '../store/content.ts'
import { newThreadId } from '../threads/ids.ts'
import type { Renderer } from '../threads/render.ts'
import { embedsOf, prepare, type EnsureLinks } from './content.ts'
import { ensurePlaceholders } from './placeholders.ts'
import { peopleOf, reactionRows } from './reactions.ts'
import type { Reason } from './records.ts'
import type { WaitingThread } from './spool.ts'

export interface TargetParts {
  readonly db: Db
  readonly render: Renderer
  readonly ensureLinks: EnsureLinks
  /**
   * Finds or makes the thread of a page of the site that comments are imported for; `refused` where the site does not
   * have the page. Without it threads stand for themselves.
   */
  readonly openPage?: ((page: OpenPage) => Promise<{ thread: string } | { refused: string }>) | undefined
}

export interface OpenPage {
  url: string
  title: string | undefined
}

/** A thread to write to. `rootIsText`: its first post is what the source has as the thread's own text. */
export interface Target {
  thread: string
  made: boolean
  rootIsText: boolean
}

/** The thread that a thread of the source is here: the one that it became before, its page's, or a new one. */
export async function findOrMakeThread(
  parts: TargetParts,
  source: string,
  waiting: WaitingThread,
): Promise<Target | { skip: Reason; detail?: string }> {
  const { db, openPage } = parts
  const known = await db
    .selectFrom('imported_threads as i')
    .innerJoin('threads as t', 't.id', 'i.thread_id')
    .leftJoin('imported_posts as p', (join) =>
      join.onRef('p.source', '=', 'i.source').onRef('p.source_id', '=', 'i.source_id'),
    )
    .select(['i.thread_id', 'p.number'])
    .where('i.source', '=', source)
    .where('i.source_id', '=', waiting.sourceId)
    .executeTakeFirst()
  if (known) return { thread: known.thread_id, made: false, rootIsText: known.number === 1 }
  if (openPage === undefined) return { ...(await makeThread(parts, source, waiting)), made: true }

  if (waiting.url === null) return { skip: 'no-address' }
  const opened = await openPage({ url: waiting.url, title: waiting.title || undefined })
  if ('refused' in opened) return { skip: 'page-not-allowed', detail: opened.refused }
  const { thread } = opened
  await db
    .insertInto('imported_threads')
    .values({ source, source_id: waiting.sourceId, thread_id: thread })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  return { thread, made: await beginThen(db, thread, waiting), rootIsText: false }
}

/** Where nobody has said anything on a page yet, its thread begins when the page's comments did. Whether that is so. */
async function beginThen(db: Db, thread: string, { createdAt, closed }: WaitingThread): Promise<boolean> {
  const changes = await changeThread(db, thread, async (tx, next) => {
    const begun = new Date(createdAt ?? Date.now())
    const head = await tx
      .selectFrom('threads')
      .select('last_number')
      .where('id', '=', thread)
      .executeTakeFirstOrThrow()
    if (head.last_number > 1) return
    await tx
      .updateTable('threads')
      .set({ created_at: begun, last_activity_at: begun, locked: closed, info_seq: next() })
      .where('id', '=', thread)
      .execute()
    await tx
      .updateTable('posts')
      .set({ created_at: begun, seq: next() })
      .where('thread_id', '=', thread)
      .where('number', '=', 1)
      .execute()
  })
  return changes.length > 0
}

/** A thread of its own, whose first post is the source's text, or names the page. */
async function makeThread(
  { db, render, ensureLinks }: TargetParts,
  source: string,
  waiting: WaitingThread,
): Promise<{ thread: string; rootIsText: boolean }> {
  const { url, root, sourceId } = waiting
  const id = newThreadId()
  const title = waiting.title || (url === null ? 'Untitled' : shownUrl(url))
  const author = root?.author ?? pageAuthor(url, source)
  const body =
    root?.body ?? (url === null ? title.replace(/[\\`*_[\]<>#$~&!|]/g, '\\$&') : linkTo(url, title))
  const prepared = prepare(render, body, id)
  const { accounts } = await ensurePlaceholders(db, source, [author, ...peopleOf(root?.reactions ?? [])])
  const createdAt = new Date(waiting.createdAt ?? Date.now())
  await transact(db, async (tx) => {
    const [linkId = null] = url === null ? [] : await ensureLinks(tx, [url])
    const [embeds] = await embedsOf(tx, ensureLinks, [prepared])
    await tx
      .insertInto('threads')
      .values({
        id,
        title,
        url,
        link_id: linkId,
        locked: waiting.closed,
        seq: 1,
        info_seq: 1,
        last_number: 1,
        post_count: 1,
        created_at: createdAt,
        last_activity_at: createdAt,
      })
      .execute()
    await tx
      .insertInto('posts')
      .values({
        thread_id: id,
        number: 1,
        parent: null,
        author_id: accounts.get(author.sourceId)!,
        body: prepared.body,
        html: prepared.html,
        excerpt: prepared.excerpt,
        state: 'complete',
        quote_number: null,
        quote_text: null,
        client_id: null,
        created_at: createdAt,
        edited_at: null,
        seq: 1,
        body_seq: 1,
      })
      .execute()
    await insertEmbeds(tx, embedRows(id, 1, embeds!))
    await tx.insertInto('imported_threads').values({ source, source_id: sourceId, thread_id: id }).execute()
    if (root === null) return
    await tx
      .insertInto('imported_posts')
      .values({ source, source_id: sourceId, thread_id: id, number: 1 })
      .execute()
    const at = { thread: id, number: 1, createdAt: createdAt.getTime() }
    const reactions = reactionRows(at, root.reactions, accounts)
    if (reactions.length > 0) await tx.insertInto('reactions').values(reactions).execute()
  })
  return { thread: id, rootIsText: root !== null }
}

/** Who opens a thread that no author of the source did: the site whose page it is about. */
function pageAuthor(url: string | null, source: string) {
  const name = url === null ? source : new URL(url).host
  return { sourceId: `page-author:${name}`, name: name.slice(0, 60), emailHash: null }
}

function shownUrl(url: string): string {
  return url.replace(/^https?:\/\//, '').slice(0, 200)
}

function linkTo(url: string, title: string): string {
  const address = url.replace(/[()\\*_]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
  return `[${title.replace(/[\\`*_[\]<>#$~&!|]/g, '\\$&')}](${address})`
}
