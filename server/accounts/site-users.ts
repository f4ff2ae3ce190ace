import { randomBytes } from 'node:crypto'
import { Problem } from '../../shared/errors.ts'
import { transact, type Db, type Tx } from '../store/database.ts'
import { nameless, soundOf } from './names.ts'

/** The addresses of accounts that a site's server vouches for: nobody can have them, and nobody can guess them. */
export const siteUserDomain = 'sites.invalid'

/**
 * The account of a reader whom a site's server vouches for. It is made when they first come, and its name follows what
 * the server says. Throws `site-not-found`.
 */
export async function siteUser(
  db: Db,
  siteId: string,
  reader: { subject: string; name: string },
): Promise<string> {
  const name = (await isTaken(db, reader.name)) ? nameless : reader.name
  const known = await find(db, siteId, reader.subject)
  if (known === undefined) return add(db, siteId, { subject: reader.subject, name })
  if (known.name !== name) {
    await db.updateTable('users').set({ name, updated_at: new Date() }).where('id', '=', known.id).execute()
  }
  return known.id
}

function find(db: Tx, siteId: string, subject: string) {
  return db
    .selectFrom('site_users')
    .innerJoin('users', 'users.id', 'site_users.user_id')
    .select(['users.id', 'users.name'])
    .where('site_users.site_id', '=', siteId)
    .where('site_users.subject', '=', subject)
    .executeTakeFirst()
}

function add(db: Db, siteId: string, { subject, name }: { subject: string; name: string }): Promise<string> {
  return transact(db, async (tx) => {
    // Several widgets of one page come at once; the site's row lets one of them in after the other.
    const site = await tx
      .selectFrom('sites')
      .select('id')
      .where('id', '=', siteId)
      .forNoKeyUpdate()
      .executeTakeFirst()
    if (site === undefined) throw new Problem('site-not-found')
    const known = await find(tx, siteId, subject)
    if (known !== undefined) return known.id
    const id = randomBytes(16).toString('base64url')
    const email = `${randomBytes(16).toString('hex')}@${siteUserDomain}`
    await tx.insertInto('users').values({ id, name, kind: 'person', role: 'member', email }).execute()
    await tx.insertInto('site_users').values({ site_id: siteId, subject, user_id: id }).execute()
    return id
  })
}

/** Whether a name is that of an AI participant, or its handle. */
async function isTaken(db: Tx, name: string): Promise<boolean> {
  const sound = soundOf(name)
  if (sound === '') return false
  const personas = await db
    .selectFrom('personas')
    .innerJoin('users', 'users.id', 'personas.user_id')
    .select(['personas.handle', 'users.name'])
    .execute()
  return personas.some((persona) => soundOf(persona.name) === sound || soundOf(persona.handle) === sound)
}
