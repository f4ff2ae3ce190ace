import fs from 'node:fs'
import { Problem } from '../../shared/errors.ts'
import { number, string, type Fields } from './fields.ts'
import type { SourceRecord } from './records.ts'
import { looseAuthor, timeOfSeconds, unescaped } from './values.ts'

/** What of the SQLite package is used here. */
type Sqlite = typeof import('node-sqlite3-wasm')

/**
 * Isso's database file: it has no export. A comment's `mode` is 1 where it is shown, 2 while it waits for approval and 4
 * where it was deleted and has replies; times are seconds; texts are Markdown; a thread's `uri` is a path on the site.
 * Ids are those of one database, so the site's address goes before them.
 * The format: isso/db/comments.py and isso/db/threads.py of https://github.com/isso-comments/isso.
 * Problems: invalid.
 */
export async function* readIsso(file: string, base: string): AsyncGenerator<SourceRecord, void, void> {
  const { Database, SQLite3Error } = await loadSqlite()
  if (file === '-' || !(await isDatabase(file)))
    throw new Problem('invalid', { detail: `the file is not a database of Isso: it is not of SQLite` })
  const db = new Database(file, { readOnly: true })
  try {
    yield* readThreads(db, base)
    yield* readComments(db, base)
  } catch (error) {
    if (!(error instanceof SQLite3Error)) throw error
    throw new Problem('invalid', { detail: `the database cannot be read: ${error.message}`, cause: error })
  } finally {
    db.close()
  }
}

async function loadSqlite(): Promise<Sqlite> {
  try {
    return (await import('node-sqlite3-wasm')).default
  } catch (cause) {
    throw new Problem('invalid', {
      detail: 'reading databases of Isso needs the package node-sqlite3-wasm',
      cause,
    })
  }
}

async function isDatabase(file: string): Promise<boolean> {
  const handle = await fs.promises.open(file)
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(16), 0, 16, 0)
    return bytesRead === 16 && buffer.toString('latin1') === 'SQLite format 3\0'
  } finally {
    await handle.close()
  }
}

function* rows(db: InstanceType<Sqlite['Database']>, sql: string): Generator<Fields, void, void> {
  const statement = db.prepare(sql)
  try {
    for (const row of statement.iterate()) yield row as Fields
  } finally {
    statement.finalize()
  }
}

function* readThreads(
  db: InstanceType<Sqlite['Database']>,
  base: string,
): Generator<SourceRecord, void, void> {
  for (const { id, uri, title } of rows(db, 'select id, uri, title from threads order by id')) {
    const url = string(uri)
    yield {
      kind: 'thread',
      sourceId: `${base}#thread-${string(id)}`,
      line: null,
      url: url || null,
      title: unescaped(string(title)),
      createdAt: null,
    }
  }
}

function* readComments(
  db: InstanceType<Sqlite['Database']>,
  base: string,
): Generator<SourceRecord, void, void> {
  const sql = `select id, tid, parent, created, modified, mode, cast(text as text) as text, author, email, likes, dislikes
    from comments order by id`
  for (const row of rows(db, sql)) {
    const nameOfComment = (id: unknown) => `${base}#comment-${string(id)}`
    const sourceId = nameOfComment(row['id'])
    const thread = `${base}#thread-${string(row['tid'])}`
    const parent = row['parent'] === null ? null : nameOfComment(row['parent'])
    const skip = { kind: 'skip', sourceId, line: null, place: { thread, parent } } as const
    const mode = number(row['mode'])
    if (mode === 2) yield { ...skip, reason: 'unapproved' }
    else if (mode !== 1 && mode !== 4)
      yield { ...skip, reason: 'broken', detail: `its mode is ${string(row['mode']) || 'missing'}` }
    else {
      const editedAt = timeOfSeconds(row['modified'])
      yield {
        kind: 'comment',
        sourceId,
        line: null,
        thread,
        parent,
        // Of a deleted one the name is gone, and must not become that of all with the same address.
        author:
          mode === 4
            ? looseAuthor('', '')
            : looseAuthor(unescaped(string(row['author'])), string(row['email'])),
        text: { markdown: string(row['text']) },
        createdAt: timeOfSeconds(row['created']),
        editedAt: Number.isNaN(editedAt) ? null : editedAt,
        deleted: mode === 4,
        reactions: [
          { emoji: '👍', count: number(row['likes']) },
          { emoji: '👎', count: number(row['dislikes']) },
        ],
      }
    }
  }
}
