import { sql } from 'kysely'
import { expect, test, vi } from 'vitest'
import { appointFirstAdmin } from '../../server/accounts/first-admin.ts'
import type { Tx } from '../../server/store/database.ts'
import { describeWith } from '../helpers/services.ts'
import { openPostgres } from './accounts-fixture.ts'

async function addAccount(db: Tx, id: string): Promise<void> {
  await sql`insert into users (id, name, email) values (${id}, ${id}, ${id})`.execute(db)
  await sql`insert into accounts (id, user_id, provider_id, account_id) values (${id}, ${id}, 'credential', ${id})`.execute(
    db,
  )
}

// The embedded database has one connection, so there one sign-up always sees what the other did.
describeWith('postgres', 'the first admin', () => {
  test.each(['commits', 'fails'])(
    'is one, when two sign-ups do not see each other and the first %s',
    async (end) => {
      const database = await openPostgres()
      const { db } = database
      let settled = false
      let second: Promise<void> | undefined
      const first = db.transaction().execute(async (tx) => {
        await addAccount(tx, 'first')
        await appointFirstAdmin(tx)
        await addAccount(db, 'second')
        second = appointFirstAdmin(db).finally(() => (settled = true))
        await vi.waitUntil(async () => {
          const waiting = await sql`select from pg_locks where not granted`.execute(tx)
          return settled || waiting.rows.length > 0
        })
        if (end === 'fails') throw new Error('fails')
      })
      expect(
        await first.then(
          () => 'commits',
          (error: Error) => error.message,
        ),
      ).toBe(end)
      await second
      const admins = await db.selectFrom('users').select('id').where('role', '=', 'admin').execute()
      expect(admins).toEqual([{ id: end === 'commits' ? 'first' : 'second' }])
      await database.close()
    },
  )

  test('is the oldest account that can sign in, whoever settles it', async () => {
    const database = await openPostgres()
    const { db } = database
    await sql`insert into users (id, name, email) values ('imported', 'imported', 'imported')`.execute(db)
    await addAccount(db, 'first')
    await addAccount(db, 'second')
    await appointFirstAdmin(db)
    await sql`update users set role = 'member'`.execute(db)
    await appointFirstAdmin(db)
    expect(await db.selectFrom('users').select('id').where('role', '=', 'admin').execute()).toEqual([])
    await sql`delete from settings`.execute(db)
    await appointFirstAdmin(db)
    const admins = await db.selectFrom('users').select('id').where('role', '=', 'admin').execute()
    expect(admins).toEqual([{ id: 'first' }])
    await database.close()
  })
})
