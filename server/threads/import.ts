import { randomUUID } from 'node:crypto'
import type { Insertable, Transaction } from 'kysely'
import { Problem } from '../../shared/errors.ts'
import { limits } from '../../shared/limits.ts'
import { excerpt } from '../../shared/markdown.ts'
import { transact, type Db } from '../store/database.ts'
import { embedRows, type StoredEmbed } from '../store/content.ts'
import type { Database, PostEmbedsTable, PostsTable, ReactionsTable } from '../store/schema.ts'
import { parseLine, type FileAuthor, type FileHeader, type FilePost } from './file-format.ts'
import { createFileValidator } from './file-validator.ts'
import { newThreadId } from './ids.ts'
import type { Renderer } from './render.ts'

export interface ImportParts {
  readonly db: Db
  readonly render: Renderer
  /** Makes rows for links within the transaction, and returns their ids in order. */
  ensureLinks(tx: Transaction<Database>, urls: readonly string[]): Promise<string[]>
  /** Told now and then how many of the posts are written. */
  onProgress?(done: number, total: number): void
}

type Tx = Transaction<Database>

/** Rows written by one statement. */
const batchSize = 500

/**
 * Reads a thread from the lines of a file, in constant memory and in one transaction: all of it is there afterwards,
 * or nothing. Returns the thread's id: the file's own, or a new one where it names none.
 * Problems: invalid, with the line and what is wrong there; also where the thread's id is taken.
 */
export async function importThread(parts: ImportParts, lines: AsyncIterable<string>): Promise<string> {
  const validator = createFileValidator()
  return await transact(parts.db, async (tx) => {
    let thread: ThreadWriter | undefined
    let number = 0
    for await (const text of lines) {
      const record = parseLine(text, ++number)
      validator.accept(record)
      if ('format' in record) thread = await openThread(parts, tx, record)
      else if ('author' in record) await thread!.author(record.author)
      else await thread!.post(record.post)
    }
    validator.finish()
    return await thread!.finish()
  })
}

interface ThreadWriter {
  author(author: FileAuthor): Promise<void>
  post(post: FilePost): Promise<void>
  finish(): Promise<string>
}

async function openThread(parts: ImportParts, tx: Tx, header: FileHeader): Promise<ThreadWriter> {
  const { thread, posts: total } = header
  const id = thread.id ?? newThreadId()
  const taken = await tx.selectFrom('threads').select('id').where('id', '=', id).executeTakeFirst()
  if (taken)
    throw new Problem('invalid', { detail: `line 1: thread.id: this site has a thread ${id} already` })
  const url = thread.url ?? null
  const [linkId = null] = url === null ? [] : await parts.ensureLinks(tx, [url])
  const createdAt = new Date(thread.createdAt)
  await tx
    .insertInto('threads')
    .values({
      id,
      title: thread.title,
      url,
      link_id: linkId,
      locked: thread.locked ?? false,
      created_at: createdAt,
    })
    .execute()

  const authors = new Map<string, string>()
  let posts: Insertable<PostsTable>[] = []
  let embeds: Insertable<PostEmbedsTable>[] = []
  let reactions: Insertable<ReactionsTable>[] = []
  let seq = 0
  let count = 0
  let lastNumber = 0
  let lastActivity = createdAt

  async function flush(): Promise<void> {
    if (posts.length > 0) await tx.insertInto('posts').values(posts).execute()
    if (embeds.length > 0) await tx.insertInto('post_embeds').values(embeds).execute()
    for (let i = 0; i < reactions.length; i += batchSize) {
      await tx
        .insertInto('reactions')
        .values(reactions.slice(i, i + batchSize))
        .execute()
    }
    posts = []
    embeds = []
    reactions = []
    parts.onProgress?.(seq, total)
  }

  return {
    async author(author) {
      authors.set(author.id, await adoptAuthor(tx, author))
    },
    async post(post) {
      const written = await toRows(parts, tx, id, post, authors)
      posts.push({ ...written.post, seq: ++seq, body_seq: seq })
      embeds.push(...written.embeds)
      reactions.push(...written.reactions)
      lastNumber = post.number
      if (post.state !== 'deleted') count++
      const createdAt = new Date(post.createdAt)
      if (createdAt > lastActivity) lastActivity = createdAt
      if (posts.length >= batchSize) await flush()
    },
    async finish() {
      await flush()
      await tx
        .updateTable('threads')
        .set({ seq, info_seq: 1, last_number: lastNumber, post_count: count, last_activity_at: lastActivity })
        .where('id', '=', id)
        .execute()
      return id
    },
  }
}

async function toRows(
  parts: ImportParts,
  tx: Tx,
  thread: string,
  post: FilePost,
  authors: Map<string, string>,
) {
  const base = {
    thread_id: thread,
    number: post.number,
    parent: post.parent,
    author_id: authors.get(post.author)!,
    client_id: null,
    created_at: new Date(post.createdAt),
  }
  if (post.state === 'deleted') {
    const nothing = { body: '', html: '', excerpt: '', quote_number: null, quote_text: null, edited_at: null }
    return { post: { ...base, ...nothing, state: post.state }, embeds: [], reactions: [] }
  }
  const body = post.body ?? ''
  const { html, text, refs } = parts.render(body, { thread })
  const links = await parts.ensureLinks(
    tx,
    refs.flatMap((ref) => (ref.kind === 'link' ? [ref.url] : [])),
  )
  let next = 0
  let reacted = 0
  const stored = refs.map((ref): StoredEmbed =>
    ref.kind === 'link' ? { link: links[next++]! } : { thread: ref.thread, number: ref.number },
  )
  return {
    post: {
      ...base,
      body,
      html,
      excerpt: excerpt(text, limits.excerptMax),
      state: post.state ?? 'complete',
      quote_number: post.quote?.number ?? null,
      quote_text: post.quote?.text ?? null,
      edited_at: post.editedAt ? new Date(post.editedAt) : null,
    },
    embeds: embedRows(thread, post.number, stored),
    reactions: (post.reactions ?? []).flatMap(({ emoji, by }) =>
      by.map((author) => ({
        thread_id: thread,
        number: post.number,
        emoji,
        user_id: authors.get(author)!,
        // Emoji are shown in the order of their first use, people in the order in which they chose them, and the file
        // tells no other times.
        created_at: new Date(Date.parse(post.createdAt) + reacted++),
      })),
    ),
  }
}

/**
 * The account of an author of the file: the one of this site where id, name and kind are the same (the thread comes
 * back to where it came from), otherwise a new one that nobody can sign in to.
 */
async function adoptAuthor(tx: Tx, { id, name, kind }: FileAuthor): Promise<string> {
  const known = await tx.selectFrom('users').select(['name', 'kind']).where('id', '=', id).executeTakeFirst()
  if (known?.name === name && known.kind === kind) return id
  const own = known ? randomUUID() : id
  await tx
    .insertInto('users')
    .values({
      id: own,
      name,
      kind,
      role: kind === 'guest' ? 'guest' : 'member',
      email: `${own}@imported.invalid`,
    })
    .execute()
  return own
}
