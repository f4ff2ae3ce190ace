import { randomBytes } from 'node:crypto'
import type { Db } from '../store/database.ts'
import { accountTables } from './tables.ts'

/**
 * The secret that signs sessions. `configured` (AUTH_SECRET) overrides everything; all nodes must then be given the
 * same one. Without it, one is made at the first start and kept in the database, so that one mechanism serves every
 * mode: restarts keep people signed in and all nodes agree, whoever comes first. Whoever can write to the database could
 * make sessions anyway; set AUTH_SECRET where its backups are read by more people than those.
 */
export async function loadSecret(db: Db, configured?: string): Promise<string> {
  if (configured !== undefined) return configured
  const tables = accountTables(db)
  const key = 'auth-secret'
  await tables
    .insertInto('settings')
    .values({ key, value: randomBytes(32).toString('base64url') })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  const row = await tables
    .selectFrom('settings')
    .select('value')
    .where('key', '=', key)
    .executeTakeFirstOrThrow()
  return row.value
}
