import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import { transact, type Db } from '../store/database.ts'
import type { WaitingAuthor } from './spool.ts'

/**
 * The accounts of authors from elsewhere, by their ids there; `made` counts those that are new. Nobody can sign in to
 * such an account. Where an author has claimed what was theirs, it is their own.
 */
export async function ensurePlaceholders(
  db: Db,
  source: string,
  authors: readonly WaitingAuthor[],
): Promise<{ accounts: Map<string, string>; made: number }> {
  const wanted = new Map(authors.map((author) => [author.sourceId, author]))
  const accounts = await find([...wanted.keys()])
  const missing = [...wanted.values()].filter(({ sourceId }) => !accounts.has(sourceId))
  if (missing.length === 0) return { accounts, made: 0 }
  const made = await transact(db, async (tx) => {
    const rows = missing.map((author) => ({ author, id: randomUUID() }))
    await tx
      .insertInto('users')
      .values(
        rows.map(({ author, id }) => ({
          id,
          name: author.name,
          kind: 'person' as const,
          role: 'member' as const,
          email: `${id}@imported.invalid`,
        })),
      )
      .execute()
    const taken = await tx
      .insertInto('placeholders')
      .values(
        rows.map(({ author, id }) => ({
          source,
          source_id: author.sourceId,
          user_id: id,
          email_hash: author.emailHash,
        })),
      )
      .onConflict((conflict) => conflict.doNothing())
      .returning('user_id')
      .execute()
    // Another import was faster with the others.
    const used = new Set(taken.map(({ user_id: id }) => id))
    const unused = rows.filter(({ id }) => !used.has(id)).map(({ id }) => id)
    if (unused.length > 0) await tx.deleteFrom('users').where('id', 'in', unused).execute()
    return used.size
  })
  for (const [sourceId, userId] of await find(missing.map((author) => author.sourceId)))
    accounts.set(sourceId, userId)
  return { accounts, made }

  async function find(sourceIds: string[]): Promise<Map<string, string>> {
    const rows = await db
      .selectFrom('placeholders')
      .select(['source_id', 'user_id'])
      .where('source', '=', source)
      .where('source_id', '=', sql<string>`any(${sourceIds})`)
      .execute()
    return new Map(rows.map((row) => [row.source_id, row.user_id]))
  }
}
