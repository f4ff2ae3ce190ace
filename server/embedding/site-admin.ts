import { Problem } from '../../shared/errors.ts'
import type { AddSiteKey, NewSite, NewSiteKey, Site, SiteChange, SiteKey } from '../../shared/site.ts'
import type { Db } from '../store/database.ts'
import {
  countSiteThreads,
  deleteSite,
  insertSite,
  listSiteKeys,
  listSites,
  updateSite,
  type SiteKeyRow,
  type SiteRow,
} from '../store/sites.ts'
import { authorize, type Actor } from '../threads/access.ts'
import { newThreadId } from '../threads/ids.ts'
import type { SiteKeys } from './site-keys.ts'
import type { Sites } from './sites.ts'

export interface SiteAdminParts {
  readonly db: Db
  readonly sites: Sites
  readonly siteKeys: SiteKeys
}

/** All sites, oldest first. Throws `forbidden` unless `actor` is admin, as all of these do. */
export async function sitesForAdmin(
  { db }: Pick<SiteAdminParts, 'db'>,
  actor: Actor | null,
): Promise<Site[]> {
  authorize(actor, 'manage-sites')
  const [sites, keys, threads] = await Promise.all([listSites(db), listSiteKeys(db), countSiteThreads(db)])
  return sites.map((site) => toSite(site, keys, threads.get(site.id) ?? 0))
}

/** Adds a site. Throws `origin-taken`. */
export async function addSite(parts: SiteAdminParts, actor: Actor | null, input: NewSite): Promise<Site> {
  authorize(actor, 'manage-sites')
  const id = newThreadId()
  await insertSite(parts.db, id, input)
  parts.sites.forget()
  return await readSite(parts, actor, id)
}

/** Changes a site. Throws `site-not-found`, `origin-taken`. */
export async function changeSite(
  parts: SiteAdminParts,
  actor: Actor | null,
  id: string,
  { name, origins, rules, defaults }: SiteChange,
): Promise<Site> {
  authorize(actor, 'manage-sites')
  const changed = await updateSite(parts.db, id, {
    ...(name !== undefined && { name }),
    ...(origins !== undefined && { origins }),
    ...(rules !== undefined && { rules }),
    ...(defaults !== undefined && { defaults }),
  })
  if (!changed) throw new Problem('site-not-found')
  parts.sites.forget()
  return await readSite(parts, actor, id)
}

/** Removes a site. Its threads stay, and no page shows them any more. Throws `site-not-found`. */
export async function removeSite(parts: SiteAdminParts, actor: Actor | null, id: string): Promise<void> {
  authorize(actor, 'manage-sites')
  if (!(await deleteSite(parts.db, id))) throw new Problem('site-not-found')
  parts.sites.forget()
}

/** Makes a key for a site's server, or takes its public one. Throws `site-not-found`, `invalid`. */
export async function addSiteKey(
  parts: SiteAdminParts,
  actor: Actor | null,
  siteId: string,
  input: AddSiteKey,
): Promise<NewSiteKey> {
  authorize(actor, 'manage-sites')
  const { row, secret } = await parts.siteKeys.add(siteId, input)
  parts.sites.forget()
  return { key: toKey(row), ...(secret !== undefined && { secret }) }
}

/** Revokes a key. Throws `not-found`. */
export async function removeSiteKey(
  parts: SiteAdminParts,
  actor: Actor | null,
  siteId: string,
  key: string,
): Promise<void> {
  authorize(actor, 'manage-sites')
  if (!(await parts.siteKeys.remove(siteId, key))) throw new Problem('not-found')
  parts.sites.forget()
}

async function readSite(parts: SiteAdminParts, actor: Actor | null, id: string): Promise<Site> {
  const site = (await sitesForAdmin(parts, actor)).find((each) => each.id === id)
  if (site === undefined) throw new Problem('site-not-found')
  return site
}

function toSite(row: SiteRow, keys: readonly SiteKeyRow[], threads: number): Site {
  const { id, name, origins, rules, defaults } = row
  return {
    id,
    name,
    origins,
    rules,
    defaults,
    keys: keys.filter((key) => key.site_id === id).map(toKey),
    threads,
    createdAt: row.created_at.toISOString(),
  }
}

function toKey({ id, name, algorithm, created_at }: SiteKeyRow): SiteKey {
  return { id, name, algorithm, createdAt: created_at.toISOString() }
}
