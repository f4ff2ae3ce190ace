import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openDatabase, type OpenDatabase } from '../../server/store/database.ts'
import { createDatabase, describeWith } from '../helpers/services.ts'
import type { TestDatabase } from '../helpers/postgres.ts'

describeWith('postgres', 'prepared statements', () => {
  let made: TestDatabase
  const open: OpenDatabase[] = []

  beforeAll(async () => {
    made = await createDatabase()
  })
  afterAll(async () => {
    for (const database of open) await database.close()
    await made.drop()
  })

  /** On one connection, so that what it has prepared can be asked of it. */
  async function connect(prepare?: boolean) {
    const options = { url: made.url, dataDir: '', poolSize: 1, ...(prepare !== undefined && { prepare }) }
    const database = await openDatabase({
      ...options,
      onError(error) {
        throw error
      },
    })
    open.push(database)
    const { db } = database
    const prepared = async () =>
      (await sql<{ statement: string }>`select statement from pg_prepared_statements`.execute(db)).rows.map(
        ({ statement }) => statement,
      )
    return { db, prepared }
  }

  test('what is asked often is prepared once, with its answers the same', async () => {
    const { db, prepared } = await connect()
    const twice = async (n: number) =>
      (await sql<{ twice: number }>`select ${n}::integer * 2 as twice`.execute(db)).rows[0]!.twice
    expect([await twice(1), await twice(2)]).toEqual([2, 4])
    expect(await prepared()).toEqual([])
    for (let n = 3; n < 10; n++) expect(await twice(n)).toBe(2 * n)
    expect(await prepared()).toEqual(['select $1::integer * 2 as twice'])
  })

  test('a table that changes breaks one statement at the most', async () => {
    const { db } = await connect()
    await sql`create table shape (a integer)`.execute(db)
    const read = () => sql`select * from shape where a > ${0}`.execute(db)
    for (let i = 0; i < 5; i++) await read()
    await sql`alter table shape add column b integer default 7`.execute(db)
    await sql`insert into shape (a) values (1)`.execute(db)
    await read().catch((error: { code?: string }) => expect(error.code).toBe('0A000'))
    expect((await read()).rows).toEqual([{ a: 1, b: 7 }])
  })

  test('nothing is prepared where that is switched off', async () => {
    const { db, prepared } = await connect(false)
    for (let n = 0; n < 10; n++) await sql`select ${n}::integer`.execute(db)
    expect(await prepared()).toEqual([])
  })
})
