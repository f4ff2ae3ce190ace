import type { Transaction } from 'kysely'
import { Problem } from '../../shared/errors.ts'
import { readHead } from '../store/read.ts'
import type { Db } from '../store/database.ts'
import type { Database } from '../store/schema.ts'
import { fileFormat, formatLine, type FilePost } from './file-format.ts'

type Tx = Transaction<Database>

/** Posts read at a time. */
const batchSize = 500

/**
 * Writes a thread as lines for a file, in constant memory and as it stood at one moment. Revisions are not part of it.
 * Problems: thread-not-found.
 */
export async function exportThread(
  parts: { db: Db; write(line: string): Promise<void>; onProgress?(done: number, total: number): void },
  thread: string,
): Promise<void> {
  const { db, write } = parts
  await db
    .transaction()
    .setIsolationLevel('repeatable read')
    .setAccessMode('read only')
    .execute(async (tx) => {
      const head = await readHead(tx, thread)
      if (head === undefined) throw new Problem('thread-not-found')
      const total = await countPosts(tx, thread)
      await write(
        formatLine({
          format: fileFormat.name,
          version: fileFormat.version,
          thread: {
            id: head.id,
            title: head.title,
            ...(head.url !== null && { url: head.url }),
            createdAt: head.createdAt,
            ...(head.locked && { locked: true }),
          },
          posts: total,
        }),
      )
      for (const author of await readAuthors(tx, thread)) await write(formatLine({ author }))
      let done = 0
      for (let last = 0; ;) {
        const posts = await readBatch(tx, thread, last)
        for (const post of posts) await write(formatLine({ post }))
        done += posts.length
        parts.onProgress?.(done, total)
        if (posts.length < batchSize) return
        last = posts.at(-1)!.number
      }
    })
}

async function countPosts(tx: Tx, thread: string): Promise<number> {
  const row = await tx
    .selectFrom('posts')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('thread_id', '=', thread)
    .executeTakeFirstOrThrow()
  return row.count
}

/** All who wrote or reacted. */
function readAuthors(tx: Tx, thread: string) {
  return tx
    .selectFrom('users')
    .select(['id', 'name', 'kind'])
    .where((eb) =>
      eb.or([
        eb('id', 'in', eb.selectFrom('posts').select('author_id').where('thread_id', '=', thread)),
        eb('id', 'in', eb.selectFrom('reactions').select('user_id').where('thread_id', '=', thread)),
      ]),
    )
    .orderBy('created_at')
    .orderBy('id')
    .execute()
}

async function readBatch(tx: Tx, thread: string, after: number): Promise<FilePost[]> {
  const rows = await tx
    .selectFrom('posts')
    .selectAll()
    .where('thread_id', '=', thread)
    .where('number', '>', after)
    .orderBy('number')
    .limit(batchSize)
    .execute()
  if (rows.length === 0) return []
  const reactions = new Map<number, Map<string, string[]>>()
  const given = await tx
    .selectFrom('reactions')
    .select(['number', 'emoji', 'user_id'])
    .where('thread_id', '=', thread)
    .where('number', '>', after)
    .where('number', '<=', rows.at(-1)!.number)
    .orderBy('created_at')
    .orderBy('user_id')
    .execute()
  for (const { number, emoji, user_id } of given) {
    const ofPost = reactions.get(number) ?? new Map<string, string[]>()
    reactions.set(number, ofPost.set(emoji, [...(ofPost.get(emoji) ?? []), user_id]))
  }
  return rows.map((row): FilePost => {
    const place = {
      number: row.number,
      parent: row.parent,
      author: row.author_id,
      createdAt: row.created_at.toISOString(),
    }
    if (row.state === 'deleted') return { ...place, state: 'deleted' }
    const ofPost = reactions.get(row.number)
    return {
      ...place,
      // A reply may have ended before its first word.
      ...(row.body !== '' && { body: row.body }),
      ...(row.edited_at && { editedAt: row.edited_at.toISOString() }),
      // A reply that is still being written leaves as far as it got.
      ...(row.state !== 'complete' && { state: row.state === 'streaming' ? 'interrupted' : row.state }),
      ...(row.quote_number !== null && { quote: { number: row.quote_number, text: row.quote_text } }),
      ...(ofPost && { reactions: [...ofPost].map(([emoji, by]) => ({ emoji, by })) }),
    } as FilePost
  })
}
