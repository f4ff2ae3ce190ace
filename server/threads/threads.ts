import type { ChangeThread, CreateThread, ThreadPage, ThreadSnapshot } from '../../shared/http.ts'
import { Problem } from '../../shared/errors.ts'
import { threadId } from '../../shared/post.ts'
import { readChanges, readHead, readThread } from '../store/read.ts'
import { insertThread, listThreads, updateThread, type Cursor } from '../store/threads.ts'
import { authorize, type Actor } from './access.ts'
import { prepareContent } from './content.ts'
import { newThreadId } from './ids.ts'
import type { ThreadParts } from './parts.ts'
import { refreshEmbedders, refreshSettled } from './posts.ts'
import { publishChanges } from './publish.ts'

/** Opens a thread with its root post. Problems: sign-in-required. */
export async function createThread(
  parts: ThreadParts,
  actor: Actor | null,
  input: CreateThread,
): Promise<ThreadSnapshot> {
  const author = authorize(actor, 'create-thread')
  const id = newThreadId()
  const content = await prepareContent(parts, id, input.body)
  const [linkId = null] = input.url === undefined ? [] : await parts.links.request([input.url])
  const { title, url = null } = input
  await insertThread(parts.db, { ...content, id, title, url, linkId, authorId: author.id })
  const snapshot = await getThread(parts, id)
  void refreshSettled(parts, id, snapshot.posts[0]!)
  return snapshot
}

/** A thread whole. Problems: thread-not-found. */
export async function getThread({ db }: Pick<ThreadParts, 'db'>, id: string): Promise<ThreadSnapshot> {
  const snapshot = await readThread(db, id)
  if (snapshot === undefined) throw new Problem('thread-not-found')
  return snapshot
}

/** What changed in a thread since `after`. Problems: thread-not-found. */
export async function getChanges(
  { db }: Pick<ThreadParts, 'db'>,
  id: string,
  after: number,
): Promise<ThreadSnapshot> {
  const changes = await readChanges(db, id, after)
  if (changes === undefined) throw new Problem('thread-not-found')
  return changes
}

/** Locks, unlocks or renames a thread. Problems: sign-in-required, forbidden, thread-not-found. */
export async function changeThread(
  parts: ThreadParts,
  actor: Actor | null,
  id: string,
  change: ChangeThread,
): Promise<ThreadSnapshot['thread']> {
  authorize(actor, 'change-thread')
  const { locked, title } = change
  const columns = { ...(locked !== undefined && { locked }), ...(title !== undefined && { title }) }
  if (Object.keys(columns).length > 0)
    publishChanges(parts.bus, id, await updateThread(parts.db, id, columns))
  if (title !== undefined) void refreshEmbedders(parts, { thread: id })
  const head = await readHead(parts.db, id)
  if (head === undefined) throw new Problem('thread-not-found')
  const { seq: _, ...thread } = head
  return thread
}

/** A page of threads, most recent activity first. Problems: bad-request for a cursor that is none of ours. */
export async function getThreads(
  { db }: Pick<ThreadParts, 'db'>,
  cursor: string | undefined,
): Promise<ThreadPage> {
  const { threads, next } = await listThreads(db, cursor === undefined ? null : decodeCursor(cursor))
  return { threads, next: next && encodeCursor(next) }
}

function encodeCursor({ at, id }: Cursor): string {
  return Buffer.from(`${at} ${id}`).toString('base64url')
}

function decodeCursor(text: string): Cursor {
  // A year beyond 30,000 is none that a thread was active in, and none that the database knows.
  const [, at, id] = /^(-?\d{1,18}) (\w+)$/.exec(Buffer.from(text, 'base64url').toString()) ?? []
  if (!at || !threadId.safeParse(id).success) throw new Problem('bad-request', { detail: 'unknown cursor' })
  return { at, id: id! }
}
