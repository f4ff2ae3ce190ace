import type { Tx } from '../store/database.ts'
import type { LinkRow } from '../store/schema.ts'
import { linkId, normaliseUrl } from './link-id.ts'
import type { Preview } from './preview.ts'

export type LinkState = Pick<LinkRow, 'id' | 'url' | 'state'>

/**
 * Makes sure that there is a row for each of `urls`, and returns the rows in their order. New ones get `state`. Runs
 * in the caller's transaction where it is given one; look-ups may start once that is committed.
 */
export async function ensureLinks(
  db: Tx,
  urls: readonly string[],
  state: 'pending' | 'missing' = 'pending',
): Promise<LinkState[]> {
  if (urls.length === 0) return []
  const wanted = new Map(urls.map((url) => [linkId(url), normaliseUrl(url)]))
  // In one order for all, so that two transactions with the same links wait for each other instead of for both.
  const rows = [...wanted].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([id, url]) => ({ id, url, state }))
  await db
    .insertInto('links')
    .values(rows)
    .onConflict((conflict) => conflict.column('id').doNothing())
    .execute()
  const found = await db
    .selectFrom('links')
    .select(['id', 'url', 'state'])
    .where('id', 'in', [...wanted.keys()])
    .execute()
  const byId = new Map(found.map((row) => [row.id, row]))
  return urls.map((url) => byId.get(linkId(url))!)
}

/** Rows that wait for their look-up, up to `limit`. */
export function pendingLinks(db: Tx, limit: number): Promise<LinkState[]> {
  return db
    .selectFrom('links')
    .select(['id', 'url', 'state'])
    .where('state', '=', 'pending')
    .orderBy('id')
    .limit(limit)
    .execute()
}

/**
 * Writes what a look-up found (null: nothing), if the row is still `from`. Whether it was: of several nodes that
 * looked, one settles the row.
 */
export async function settleLink(
  db: Tx,
  id: string,
  from: 'pending' | 'missing',
  preview: Preview | null,
): Promise<boolean> {
  const result = await db
    .updateTable('links')
    .set({
      state: preview ? 'found' : 'missing',
      title: preview?.title ?? null,
      site: preview?.site ?? null,
      description: preview?.description ?? null,
      image_url: preview?.imageUrl ?? null,
      checked_at: new Date(),
    })
    .where('id', '=', id)
    .where('state', '=', from)
    .executeTakeFirst()
  return result.numUpdatedRows > 0n
}

/** Gives up on all rows that wait, and returns their ids. */
export async function settlePendingAsMissing(db: Tx): Promise<string[]> {
  const rows = await db
    .updateTable('links')
    .set({ state: 'missing', checked_at: new Date() })
    .where('state', '=', 'pending')
    .returning('id')
    .execute()
  return rows.map((row) => row.id)
}
