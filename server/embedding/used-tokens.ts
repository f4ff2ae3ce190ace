import { sql } from 'kysely'
import type { Db } from '../store/database.ts'
import { refused, type HostReader } from './host-tokens.ts'
import { signInLimits } from './sign-in-limits.ts'

/**
 * Notes that a token of the site was used. Throws `token-refused` where it was used before, but for the first seconds: a
 * page may hold several widgets. The database's clock counts, which is one for all nodes.
 */
export async function useToken(
  db: Db,
  siteId: string,
  { tokenId, expiresAt }: Pick<HostReader, 'tokenId' | 'expiresAt'>,
): Promise<void> {
  const { tokenReuse, clockTolerance } = signInLimits
  // Kept until no clock takes the token any more.
  const kept = new Date(expiresAt.getTime() + 2 * clockTolerance * 1000)
  const { fresh } = await db
    .insertInto('used_tokens')
    .values({ site_id: siteId, token_id: tokenId, expires_at: kept })
    .onConflict((conflict) =>
      // Nothing changes; an insert that does nothing would not tell when the token was used first.
      conflict.columns(['site_id', 'token_id']).doUpdateSet({ token_id: tokenId }),
    )
    .returning(sql<boolean>`used_at > now() - make_interval(secs => ${tokenReuse})`.as('fresh'))
    .executeTakeFirstOrThrow()
  if (!fresh) throw refused('it was used before (jti); each sign-in needs a token of its own')
}
