import { createHash, randomBytes } from 'node:crypto'
import { sql } from 'kysely'
import { Problem } from '../../shared/errors.ts'
import { handOver } from '../accounts/hand-over.ts'
import { transact, type Db } from '../store/database.ts'
import { importLimits } from './limits.ts'
import { emailHash } from './values.ts'

export interface ClaimParts {
  readonly db: Db
}

/** An account that stands for an author from elsewhere, until they claim it. */
export interface Placeholder {
  userId: string
  name: string
  source: string
  sourceId: string
  posts: number
}

/**
 * Gives what a placeholder wrote to the account of the person it stands for; later imports write as that account at once.
 * Doing so again changes nothing.
 * Problems: not-found, where there is no such placeholder or somebody has claimed it.
 */
export async function claimPlaceholder(
  { db }: ClaimParts,
  placeholderId: string,
  userId: string,
): Promise<void> {
  await transact(db, async (tx) => {
    const claimed = await tx
      .updateTable('placeholders')
      .set({ user_id: userId, claimed_at: new Date(), claim: null, claim_expires_at: null })
      .where('user_id', '=', placeholderId)
      .where('claimed_at', 'is', null)
      .returning('source_id')
      .execute()
    if (claimed.length === 0) throw new Problem('not-found', { detail: 'Nobody is left to be claimed here.' })
    await handOver(tx, placeholderId, userId)
    await tx.deleteFrom('users').where('id', '=', placeholderId).execute()
  })
}

/**
 * Claims what the owner of an address wrote on a site before it moved here. The address must be vouched for: by the site's
 * own server, in a token that it has signed. Returns how many placeholders there were.
 */
export async function claimByEmail(
  parts: ClaimParts,
  { siteId, userId, email }: { siteId: string; userId: string; email: string },
): Promise<number> {
  const rows = await parts.db
    .selectFrom('placeholders')
    .select(['user_id', 'source'])
    .where('email_hash', '=', emailHash(email))
    .where('claimed_at', 'is', null)
    .execute()
  // What was imported for another site, or for none, is not this site's to give away.
  const own = rows.filter(({ source }) => source.endsWith(`@${siteId}`))
  let claimed = 0
  for (const { user_id: placeholder } of own) {
    try {
      await claimPlaceholder(parts, placeholder, userId)
      claimed++
    } catch (error) {
      // Another of the same person's widgets was faster.
      if (!(error instanceof Problem) || error.code !== 'not-found') throw error
    }
  }
  return claimed
}

/**
 * A new code by which the owner of a placeholder may claim it, once and within `importLimits.claimMs`; an earlier one holds
 * no longer. It is stored hashed.
 */
export async function startClaim(
  db: Db,
  { source, sourceId }: Pick<Placeholder, 'source' | 'sourceId'>,
): Promise<{ code: string; expiresAt: Date }> {
  const code = randomBytes(18).toString('base64url')
  const expiresAt = new Date(Date.now() + importLimits.claimMs)
  const set = await db
    .updateTable('placeholders')
    .set({ claim: hashOf(code), claim_expires_at: expiresAt })
    .where('source', '=', source)
    .where('source_id', '=', sourceId)
    .where('claimed_at', 'is', null)
    .executeTakeFirst()
  if (set.numUpdatedRows === 0n) throw new Problem('not-found')
  return { code, expiresAt }
}

/** Whom a code is for; undefined where it holds no longer. */
export async function findClaim(db: Db, code: string): Promise<Placeholder | undefined> {
  const [found] = await select(db)
    .where('p.claim', '=', hashOf(code))
    .where('p.claim_expires_at', '>', new Date())
    .where('p.claimed_at', 'is', null)
    .execute()
  return found
}

/** Claims what a code is for. Problems: code-refused, where it holds no longer. */
export async function claimByCode(parts: ClaimParts, code: string, userId: string): Promise<Placeholder> {
  const placeholder = await findClaim(parts.db, code)
  if (placeholder === undefined) throw new Problem('code-refused')
  await claimPlaceholder(parts, placeholder.userId, userId)
  return placeholder
}

/**
 * The unclaimed placeholders that `who` may mean: the one with that id at the source, else those with that address of mail,
 * else those with that name. `source` is one of them whole, or a system (`disqus`), whatever it was imported for.
 */
export async function findPlaceholders(db: Db, source: string, who: string): Promise<Placeholder[]> {
  const all = select(db)
    .where('p.claimed_at', 'is', null)
    .where((eb) =>
      eb.or([eb('p.source', '=', source), eb(sql<string>`split_part(p.source, '@', 1)`, '=', source)]),
    )
    .orderBy('p.source')
    .orderBy('p.source_id')
    .limit(50)
  const byId = await all.where('p.source_id', '=', who).execute()
  if (byId.length > 0) return byId
  const byMail = who.includes('@') ? await all.where('p.email_hash', '=', emailHash(who)).execute() : []
  return byMail.length > 0 ? byMail : await all.where('u.name', '=', who).execute()
}

function select(db: Db) {
  return db
    .selectFrom('placeholders as p')
    .innerJoin('users as u', 'u.id', 'p.user_id')
    .select(['p.user_id as userId', 'p.source', 'p.source_id as sourceId', 'u.name'])
    .select((eb) =>
      eb
        .selectFrom('posts')
        .select((count) => count.fn.countAll<number>().as('count'))
        .whereRef('posts.author_id', '=', 'p.user_id')
        .where('posts.state', '<>', 'deleted')
        .$asScalar()
        .$notNull()
        .as('posts'),
    )
}

function hashOf(code: string): string {
  return createHash('sha256').update(code).digest('hex')
}
