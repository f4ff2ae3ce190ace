import { sql, type Selectable, type Transaction } from 'kysely'
import { Problem } from '../../shared/errors.ts'
import type { PageRules, SiteDefaults } from '../../shared/site.ts'
import { transact, type Db, type Tx } from './database.ts'
import type { Database, SiteKeysTable, SitesTable } from './schema.ts'

/** A site, and how many keys it has. */
export interface SiteRow extends Selectable<SitesTable> {
  readonly keys: number
}
export type SiteKeyRow = Selectable<SiteKeysTable>

/** What admins say of a site. */
export interface SiteColumns {
  name: string
  origins: readonly string[]
  rules: PageRules
  defaults: SiteDefaults
}

/** The authors of pages' root posts have addresses that nobody can have. */
const addressOf = (id: string) => `${authorOf(id)}@sites.invalid`
const authorOf = (id: string) => `site-${id}`

/** All sites, oldest first. */
export function listSites(db: Tx): Promise<SiteRow[]> {
  return db
    .selectFrom('sites')
    .selectAll()
    .select(
      sql<number>`(select count(*)::integer from site_keys where site_keys.site_id = sites.id)`.as('keys'),
    )
    .orderBy('created_at')
    .orderBy('id')
    .execute()
}

/** How many threads pages of each site have; sites without any are missing. */
export async function countSiteThreads(db: Tx): Promise<Map<string, number>> {
  const rows = await db
    .selectFrom('threads')
    .select(['site_id', (eb) => eb.fn.countAll<number>().as('count')])
    .where('site_id', 'is not', null)
    .groupBy('site_id')
    .execute()
  return new Map(rows.map(({ site_id, count }) => [site_id!, count]))
}

/** Puts a site and the author of its root posts there. Throws `origin-taken`. */
export function insertSite(db: Db, id: string, site: SiteColumns): Promise<void> {
  return transact(db, async (tx) => {
    await claimOrigins(tx, id, site.origins)
    const author = { id: authorOf(id), name: site.name, kind: 'person', role: 'member' } as const
    await tx
      .insertInto('users')
      .values({ ...author, email: addressOf(id) })
      .execute()
    await tx
      .insertInto('sites')
      .values({ id, author_id: author.id, name: site.name, ...asJson(site) })
      .execute()
  })
}

/** Changes what is given of a site; whether there was one. Throws `origin-taken`. */
export function updateSite(db: Db, id: string, change: Partial<SiteColumns>): Promise<boolean> {
  return transact(db, async (tx) => {
    if (change.origins !== undefined) await claimOrigins(tx, id, change.origins)
    const { name } = change
    const row = await tx
      .updateTable('sites')
      .set({ id, ...(name !== undefined && { name }), ...asJson(change) })
      .where('id', '=', id)
      .returning('author_id')
      .executeTakeFirst()
    if (row === undefined) return false
    if (name !== undefined) {
      const renamed = { name, updated_at: new Date() }
      await tx.updateTable('users').set(renamed).where('id', '=', row.author_id).execute()
    }
    return true
  })
}

/** Whether there was one. Its keys go with it; its threads, their root posts' author and its people stay. */
export async function deleteSite(db: Db, id: string): Promise<boolean> {
  const { numDeletedRows } = await db.deleteFrom('sites').where('id', '=', id).executeTakeFirst()
  return numDeletedRows > 0n
}

/**
 * An origin belongs to one site. No index can say so of lists, so those who write lists wait for each other; nobody else
 * does, and admins seldom write.
 */
async function claimOrigins(
  tx: Transaction<Database>,
  id: string,
  origins: readonly string[],
): Promise<void> {
  await sql`lock table sites in share row exclusive mode`.execute(tx)
  const taken = await tx
    .selectFrom('sites')
    .select(['name', 'origins'])
    .where('id', '<>', id)
    .where(sql<boolean>`origins ?| ${origins}::text[]`)
    .executeTakeFirst()
  if (taken === undefined) return
  const origin = taken.origins.find((each) => origins.includes(each))
  const message = `${origin} belongs to the site “${taken.name}”`
  throw new Problem('origin-taken', { detail: message, issues: [{ path: '/origins', message }] })
}

function asJson({ origins, rules, defaults }: Partial<SiteColumns>) {
  return {
    ...(origins && { origins: JSON.stringify(origins) }),
    ...(rules && { rules: JSON.stringify(rules) }),
    ...(defaults && { defaults: JSON.stringify(defaults) }),
  } as Record<'origins' | 'rules' | 'defaults', string>
}

/** The keys of one site or of all, oldest first. */
export function listSiteKeys(db: Tx, siteId?: string): Promise<SiteKeyRow[]> {
  return db
    .selectFrom('site_keys')
    .selectAll()
    .$if(siteId !== undefined, (q) => q.where('site_id', '=', siteId!))
    .orderBy('created_at')
    .orderBy('id')
    .execute()
}

/** Throws `site-not-found`. */
export function insertSiteKey(
  db: Db,
  row: Omit<SiteKeyRow, 'created_at'>,
  most: number,
): Promise<SiteKeyRow | undefined> {
  return transact(db, async (tx) => {
    // The row of the site lets one in after the other.
    const site = await tx
      .selectFrom('sites')
      .select('id')
      .where('id', '=', row.site_id)
      .forNoKeyUpdate()
      .executeTakeFirst()
    if (site === undefined) throw new Problem('site-not-found')
    if ((await listSiteKeys(tx, row.site_id)).length >= most) return undefined
    return await tx.insertInto('site_keys').values(row).returningAll().executeTakeFirstOrThrow()
  })
}

/** Whether there was one. */
export async function deleteSiteKey(db: Db, siteId: string, id: string): Promise<boolean> {
  const { numDeletedRows } = await db
    .deleteFrom('site_keys')
    .where('site_id', '=', siteId)
    .where('id', '=', id)
    .executeTakeFirst()
  return numDeletedRows > 0n
}
