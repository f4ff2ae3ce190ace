import { Migrator } from 'kysely'
import { migrations } from '../../migrations/index.ts'
import type { Db } from './database.ts'

/**
 * Brings the tables to the newest version, or to the one named; several nodes may do so at once. Returns the names
 * of the migrations that ran. Throws what stopped it, with nothing of that migration left behind.
 */
export async function migrate(db: Db, target?: string): Promise<string[]> {
  const migrator = new Migrator({ db, provider: { getMigrations: () => Promise.resolve(migrations) } })
  const { error, results } =
    target === undefined ? await migrator.migrateToLatest() : await migrator.migrateTo(target)
  if (error !== undefined)
    throw error instanceof Error ? error : new Error('migration failed', { cause: error })
  return (results ?? []).map((result) => `${result.migrationName} ${result.direction.toLowerCase()}`)
}
