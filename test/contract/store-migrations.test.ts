import { Migrator, NO_MIGRATIONS, sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { migrations } from '../../migrations/index.ts'
import type { Db } from '../../server/store/database.ts'
import { migrate } from '../../server/store/migrate.ts'
import { openTestPglite } from '../helpers/pglite.ts'
import { addThread, addUser, openPostgres } from '../helpers/store.ts'
import { describeWith } from '../helpers/services.ts'

/** All that migrations make, as the database itself tells it. */
async function schemaOf(db: Db): Promise<string[]> {
  const { rows } = await sql<{ line: string }>`
    select format('%s.%s %s %s %s', table_name, column_name, data_type, is_nullable, column_default) as line
    from information_schema.columns where table_schema = 'public' and table_name not like 'kysely%'
    union all
    select indexdef from pg_indexes where schemaname = 'public' and tablename not like 'kysely%'
    union all
    select format('%s %s', conrelid::regclass, pg_get_constraintdef(oid)) from pg_constraint
    where connamespace = 'public'::regnamespace and conrelid::regclass::text not like 'kysely%'
    union all
    select format('type %s', typname) from pg_type where typnamespace = 'public'::regnamespace and typtype = 'e'
    order by 1`.execute(db)
  return rows.map(({ line }) => line)
}

function tests(open: typeof openTestPglite): void {
  test('go up, down to nothing, and up again to the same tables', { timeout: 90_000 }, async () => {
    const { database, end } = await open()
    const { db } = database
    try {
      const names = Object.keys(migrations)
      expect(await migrate(db)).toEqual(names.map((name) => `${name} up`))
      expect(await migrate(db)).toEqual([])
      const first = await schemaOf(db)
      expect(first.length).toBeGreaterThan(50)
      await addUser(db, 'ada')
      await addThread(db, 'ada')
      const migrator = new Migrator({ db, provider: { getMigrations: () => Promise.resolve(migrations) } })
      const { error, results } = await migrator.migrateTo(NO_MIGRATIONS)
      expect(error).toBeUndefined()
      expect(results?.map(({ migrationName }) => migrationName)).toEqual(names.toReversed())
      expect(await schemaOf(db)).toEqual([])
      expect(await migrate(db)).toEqual(names.map((name) => `${name} up`))
      expect(await schemaOf(db)).toEqual(first)
      // One step at a time leads to the same.
      for (const name of names.toReversed().slice(1)) await migrate(db, name)
      await migrate(db)
      expect(await schemaOf(db)).toEqual(first)
    } finally {
      await end()
    }
  })

  test('that several nodes run at once run once', { timeout: 90_000 }, async () => {
    const { database, end } = await open()
    const { db } = database
    try {
      const ran = await Promise.all([migrate(db), migrate(db), migrate(db)])
      expect(ran.flat()).toEqual(Object.keys(migrations).map((name) => `${name} up`))
    } finally {
      await end()
    }
  })
}

describe('migrations on PGlite', () => tests(openTestPglite))
describeWith('postgres', 'migrations on Postgres', () => tests(openPostgres))
