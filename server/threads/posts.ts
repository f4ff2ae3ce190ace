import { Problem } from '../../shared/errors.ts'
import type { CreatePost, EditPost } from '../../shared/http.ts'
import type { Post } from '../../shared/post.ts'
import { citationsOf } from '../ai/citations.ts'
import { topics } from '../bus/bus.ts'
import type { LiveText } from '../bus/live-text.ts'
import { readBody, readPost } from '../store/read.ts'
import { type Change } from '../store/change.ts'
import { findEmbedders } from '../store/content.ts'
import { findByClientId } from '../store/insert.ts'
import { findRun, withoutDeleted } from '../store/runs.ts'
import { erasePost, setReaction, touchPosts, updatePost } from '../store/posts.ts'
import { authorize, can, type Action, type Actor } from './access.ts'
import { knownEmbeds, prepareContent, textOf } from './content.ts'
import type { ThreadParts } from './parts.ts'
import { publishChanges } from './publish.ts'
import { containsQuote } from './render.ts'

/** Where a post stands. */
export interface Place {
  thread: string
  number: number
}

/**
 * Writes a reply and tells every viewer. The same `clientId` again returns the first post.
 * Problems: sign-in-required, thread-locked, thread-not-found, post-not-found, post-deleted, quote-mismatch.
 */
export async function reply(
  parts: ThreadParts,
  actor: Actor | null,
  thread: string,
  input: CreatePost,
): Promise<Post> {
  try {
    return await write(parts, actor, thread, input)
  } catch (error) {
    // A request that is sent again must get its first answer, even where it would be refused by now.
    const refused = actor !== null && error instanceof Problem
    const first = refused && (await findByClientId(parts.db, thread, actor.id, input.clientId))
    if (first) return first
    throw error
  }
}

async function write(
  parts: ThreadParts,
  actor: Actor | null,
  thread: string,
  input: CreatePost,
): Promise<Post> {
  const { db, render, links, together } = parts
  const { id: authorId } = authorize(actor, 'reply')
  const evenLocked = can(actor, 'reply', { locked: true })
  const { parent, clientId, quote = null } = input
  const rendered = render(input.body, { thread })
  const text = { ...textOf(input.body, rendered), thread, parent, authorId, clientId, evenLocked }
  if (quote === null && rendered.refs.length === 0) {
    const post = await together.writePlain({ ...text, embeds: [], quote })
    if (post) return post
  }
  await authorizeAt(parts, actor, 'reply', { thread, number: parent })
  if (quote) {
    const quoted = await readBody(db, thread, quote.number)
    if (!quoted || !containsQuote(render(quoted, { thread }).text, quote.text))
      throw new Problem('quote-mismatch')
  }
  const embeds = await knownEmbeds(links, rendered)
  const { post, created, shownElsewhere } = await together.write({ ...text, embeds, quote })
  if (created) {
    if (shownElsewhere) void refreshEmbedders(parts, { thread, number: post.number })
    void refreshSettled(parts, thread, post)
  }
  return post
}

/** Replaces a post's text. Problems: those of access, post-not-found, post-deleted, edit-conflict. */
export async function edit(
  parts: ThreadParts,
  actor: Actor | null,
  at: Place,
  input: EditPost,
): Promise<Post> {
  const editor = await authorizeAt(parts, actor, 'edit-post', at)
  const manifest = (await findRun(parts.db, at.thread, at.number))?.manifest
  const citations = manifest ? citationsOf(await withoutDeleted(parts.db, manifest), at.thread) : undefined
  const content = await prepareContent(parts, at.thread, input.body, citations)
  const changes = await updatePost(parts.db, at, content, { editorId: editor.id, seen: input.seq })
  const post = await settle(parts, at, changes)
  void refreshSettled(parts, at.thread, post)
  return post
}

/** Takes a post's text away; whoever still writes it ends at once. Problems: those of access, post-not-found, post-deleted. */
export async function remove(
  parts: ThreadParts & { readonly liveText: LiveText },
  actor: Actor | null,
  at: Place,
): Promise<Post> {
  await authorizeAt(parts, actor, 'delete-post', at)
  const post = await settle(parts, at, await erasePost(parts.db, at))
  if (post.run !== undefined) {
    void parts.bus.publish(topics.stops, post.run)
    await parts.liveText.forget(post.run)
  }
  return post
}

/** Sets or takes back the actor's reaction. Problems: those of access, post-not-found, post-deleted, too-many-reactions. */
export async function react(
  parts: ThreadParts,
  actor: Actor | null,
  at: Place,
  reaction: { emoji: string; on: boolean },
): Promise<Post> {
  const { id: userId } = await authorizeAt(parts, actor, 'react', at)
  const changes = await setReaction(parts.db, at, { ...reaction, userId })
  publishChanges(parts.bus, at.thread, changes)
  return await changedPost(parts, at, changes)
}

/**
 * The rules, asked about the post as it stands.
 * Problems: those of access, thread-not-found, post-not-found, post-deleted.
 */
export async function authorizeAt(
  { together }: Pick<ThreadParts, 'together'>,
  actor: Actor | null,
  action: Action,
  at: Place,
): Promise<Actor> {
  if (actor === null) return authorize(actor, action)
  const row = await together.look(at)
  if (row === undefined) throw new Problem('thread-not-found')
  if (row.authorId === null || row.state === null) throw new Problem('post-not-found')
  if (row.state === 'deleted') throw new Problem('post-deleted')
  if (row.state === 'streaming' && action === 'edit-post')
    throw new Problem('forbidden', { detail: unfinished })
  if (action === 'delete-post' && at.number === 1 && row.pageKey !== null)
    throw new Problem('forbidden', { detail: pageRoot })
  return authorize(actor, action, { authorId: row.authorId, locked: row.locked })
}

const pageRoot = 'All comments of the page are replies to this post.'

const unfinished = 'A reply that is being written cannot be edited. Stop it first.'

/** Tells the viewers of this thread, and then those of threads that quote the post. */
async function settle(parts: ThreadParts, at: Place, changes: Change[]): Promise<Post> {
  publishChanges(parts.bus, at.thread, changes)
  if (changes.length > 0) void refreshEmbedders(parts, at)
  return await changedPost(parts, at, changes)
}

async function changedPost({ db }: ThreadParts, at: Place, changes: Change[]): Promise<Post> {
  for (const change of changes) if ('post' in change && change.post.number === at.number) return change.post
  return (await readPost(db, at.thread, at.number))!
}

/**
 * Shows posts anew that embed a link, or posts of other threads that embed one of this thread, or without a number any.
 * Where this fails, who has such a thread open sees the old card until the next load, and a kept answer shows it for as
 * long as answers are kept.
 */
export async function refreshEmbedders(
  { db, bus, log }: Pick<ThreadParts, 'db' | 'bus' | 'log'>,
  what: { thread: string; number?: number } | { link: string },
): Promise<void> {
  try {
    for (const [thread, numbers] of await findEmbedders(db, what)) {
      // Those of its own thread were shown anew by the change itself.
      if ('thread' in what && thread === what.thread) continue
      publishChanges(bus, thread, await touchPosts(db, thread, numbers))
    }
  } catch (error) {
    log.warn({ err: error }, 'embeds could not be refreshed')
  }
}

/**
 * A link may be settled between the reading of its row and the commit of a post that shows it as pending, and whoever
 * settled it could not see that post: it is shown anew.
 */
export async function refreshSettled(
  parts: Pick<ThreadParts, 'db' | 'bus' | 'log'>,
  thread: string,
  post: Post,
): Promise<void> {
  const pending = (post.embeds ?? []).filter((embed) => embed.kind === 'link' && embed.state === 'pending')
  if (pending.length === 0) return
  try {
    const now = await readPost(parts.db, thread, post.number)
    const waiting = (now?.embeds ?? []).filter((embed) => embed.kind === 'link' && embed.state === 'pending')
    if (now?.seq === post.seq && waiting.length < pending.length) {
      publishChanges(parts.bus, thread, await touchPosts(parts.db, thread, [post.number]))
    }
  } catch (error) {
    parts.log.warn({ err: error }, 'embeds could not be refreshed')
  }
}
