import { defaultKeyHasher } from '@better-auth/api-key'
import { APIError } from 'better-auth/api'
import * as z from 'zod'
import { Problem } from '../../shared/errors.ts'
import type { Db } from '../store/database.ts'
import type { Actor } from '../threads/access.ts'
import { roles } from '../threads/access.ts'
import type { Identity } from './accounts.ts'
import type { Auth } from './auth.ts'
import { accountLimits } from './limits.ts'
import { accountTables, isBanned } from './tables.ts'
import { isWidgetToken, roleInWidget } from './widget-sessions.ts'

const found = z.object({
  session: z.object({ id: z.string(), token: z.string() }),
  user: z.object({
    id: z.string(),
    name: z.string(),
    kind: z.enum(['person', 'guest', 'ai']),
    role: z.enum(roles),
    banned: z.boolean(),
    banExpires: z.nullable(z.date()),
  }),
})

/**
 * Who sends these headers, by API key (`x-api-key`), bearer token or cookie, in this order: a key that is wrong is not
 * made up for by a cookie. Null for nobody, an unknown or ended session, or a banned user. One query; once a day and session,
 * and once an hour and key, one more, which prolongs or notes it. Throws `unavailable` when the database cannot tell.
 */
export async function identify(
  { db, auth }: { db: Db; auth: Auth },
  headers: Headers,
): Promise<Identity | null> {
  const key = headers.get('x-api-key')
  if (key !== null) return identifyKey(db, key)
  // Readers without an account are the most, and cost nothing.
  if (!headers.has('authorization') && !headers.has('cookie')) return null
  return identifySession(auth, headers)
}

async function identifySession(auth: Auth, headers: Headers): Promise<Identity | null> {
  const answer = found.safeParse(await readSession(auth, headers))
  if (!answer.success) return null
  const { session, user } = answer.data
  if (isBanned({ banned: user.banned, ban_expires: user.banExpires })) return null
  if (!isWidgetToken(session.token)) return { actor: actorOf(user), sessionId: session.id }
  return {
    actor: actorOf({ ...user, role: roleInWidget(user.role) }),
    sessionId: session.id,
    inWidget: true,
  }
}

async function readSession(auth: Auth, headers: Headers): Promise<unknown> {
  try {
    return await auth.api.getSession({ headers })
  } catch (error) {
    if (error instanceof APIError && error.statusCode < 500) return null
    throw new Problem('unavailable', { retryMs: 2_000, cause: error })
  }
}

async function identifyKey(db: Db, key: string): Promise<Identity | null> {
  const user = await accountTables(db)
    .selectFrom('api_keys')
    .innerJoin('users', 'users.id', 'api_keys.reference_id')
    .leftJoin('personas', 'personas.user_id', 'users.id')
    .select(['users.id', 'users.name', 'users.kind', 'users.role', 'users.banned', 'users.ban_expires'])
    .select(['api_keys.id as key', 'api_keys.last_request as used'])
    .where('api_keys.key', '=', await defaultKeyHasher(key))
    .where('api_keys.enabled', '=', true)
    .where((where) =>
      where.or([where('api_keys.expires_at', 'is', null), where('api_keys.expires_at', '>', new Date())]),
    )
    // A key of a persona holds as long as that is enabled and run elsewhere.
    .where((where) =>
      where.or([
        where('personas.user_id', 'is', null),
        where.and([where('personas.enabled', '=', true), where('personas.external', '=', true)]),
      ]),
    )
    .executeTakeFirst()
  if (user === undefined || isBanned(user)) return null
  if (Date.now() - (user.used?.getTime() ?? 0) > accountLimits.keyUseNoted * 1000) await noteUse(db, user.key)
  return { actor: actorOf(user), sessionId: null }
}

async function noteUse(db: Db, key: string): Promise<void> {
  await accountTables(db)
    .updateTable('api_keys')
    .set({ last_request: new Date() })
    .where('id', '=', key)
    .execute()
}

function actorOf({ id, name, kind, role }: Actor): Actor {
  return { id, name, kind, role }
}
