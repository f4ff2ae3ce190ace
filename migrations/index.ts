import type { Migration } from 'kysely'
import * as accounts from './001_accounts.ts'
import * as threads from './002_threads.ts'
import * as ai from './003_ai.ts'
import * as embedding from './004_embedding.ts'

/** All migrations in the order in which they run. Published ones are never changed; a new one is added below. */
export const migrations: Record<string, Migration> = {
  '001_accounts': accounts,
  '002_threads': threads,
  '003_ai': ai,
  '004_embedding': embedding,
}
