import { sql, type Insertable, type Selectable, type Updateable } from 'kysely'
import { transact, type Db, type Tx } from './database.ts'
import type { PersonasTable, UsersTable } from './schema.ts'

/** A persona with what its account says of it. */
export interface PersonaRow extends Selectable<PersonasTable> {
  readonly name: string
  /** One emoji. */
  readonly image: string | null
  readonly banned: boolean
}

export type NewPersonaRow = Insertable<PersonasTable> & Pick<UsersTable, 'name' | 'image'>
export type PersonaChange = Updateable<PersonasTable> & Partial<Pick<UsersTable, 'name' | 'image'>>

/**
 * The accounts of personas have addresses that nobody can have, with their handles in them. So the accounts library, which
 * knows no other table, can tell which names are theirs.
 */
export const personaDomain = 'personas.invalid'
const addressOf = (handle: string) => `${handle}@${personaDomain}`

function selectPersonas(db: Tx) {
  return db
    .selectFrom('personas as p')
    .innerJoin('users as u', 'u.id', 'p.user_id')
    .selectAll('p')
    .select(['u.name', 'u.image'])
    .select(sql<boolean>`u.banned and (u.ban_expires is null or u.ban_expires > now())`.as('banned'))
}

/** All personas, in the order in which they are shown. */
export function readPersonas(db: Tx): Promise<PersonaRow[]> {
  return selectPersonas(db).orderBy('p.position').orderBy('p.handle').execute()
}

export function readPersona(db: Tx, handle: string): Promise<PersonaRow | undefined> {
  return selectPersonas(db).where('p.handle', '=', handle).executeTakeFirst()
}

export function readPersonaById(db: Tx, userId: string): Promise<PersonaRow | undefined> {
  return selectPersonas(db).where('p.user_id', '=', userId).executeTakeFirst()
}

/**
 * Puts a persona and its account there, at the end of the list where it has no position. False, and nothing is changed,
 * where the id or the handle is taken.
 */
export function insertPersona(db: Db, { name, image, ...row }: NewPersonaRow): Promise<boolean> {
  return transact(db, async (tx) => {
    const { user_id: id, handle } = row
    const account = await tx
      .insertInto('users')
      .values({ id, name, image, kind: 'ai', role: 'member', email: addressOf(handle) })
      .onConflict((conflict) => conflict.doNothing())
      .executeTakeFirst()
    if (account.numInsertedOrUpdatedRows !== 1n) return false
    const last = sql<number>`(select coalesce(max(position), 0) + 1 from personas)`
    await tx
      .insertInto('personas')
      .values({ ...row, position: row.position ?? last })
      .execute()
    return true
  })
}

/**
 * Changes a persona by what `change` makes of its row as it is now; undefined where there is none. The row is locked
 * meanwhile. Breaks on a unique key (SQLSTATE 23505) where the new handle is taken.
 */
export function updatePersona(
  db: Db,
  handle: string,
  change: (row: PersonaRow) => PersonaChange,
): Promise<{ before: PersonaRow; after: PersonaRow } | undefined> {
  return transact(db, async (tx) => {
    const before = await selectPersonas(tx).where('p.handle', '=', handle).forUpdate().executeTakeFirst()
    if (before === undefined) return undefined
    const { name = before.name, image = before.image, ...rest } = change(before)
    const id = before.user_id
    const email = addressOf(rest.handle ?? handle)
    await tx
      .updateTable('users')
      .set({ name, image, email, updated_at: new Date() })
      .where('id', '=', id)
      .execute()
    if (Object.keys(rest).length > 0) {
      await tx.updateTable('personas').set(rest).where('user_id', '=', id).execute()
    }
    return { before, after: (await readPersonaById(tx, id))! }
  })
}
