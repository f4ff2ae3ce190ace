import { sql } from 'kysely'
import type { Db } from '../store/database.ts'
import type { AccountChange, Identity } from './accounts.ts'
import { accountTables, isBanned } from './tables.ts'
import { roleInWidget } from './widget-sessions.ts'

/**
 * Which of these identities no longer stand: session ended or expired, user gone, banned, or of another role. Two
 * queries, however many there are. For when messages about changes may have been lost.
 */
export async function recheck(db: Db, identities: readonly Identity[]): Promise<AccountChange[]> {
  if (identities.length === 0) return []
  const tables = accountTables(db)
  const userIds = [...new Set(identities.map(({ actor }) => actor.id))]
  const sessionIds = identities.flatMap(({ sessionId }) => sessionId ?? [])
  const users = await tables
    .selectFrom('users')
    .select(['id', 'role', 'banned', 'ban_expires'])
    .where(sql<boolean>`id = any(${userIds})`)
    .execute()
  const sessions = await tables
    .selectFrom('sessions')
    .select('id')
    .where(sql<boolean>`id = any(${sessionIds})`)
    .where('expires_at', '>', new Date())
    .execute()
  const roles = new Map(users.filter((user) => !isBanned(user)).map((user) => [user.id, user.role]))
  const alive = new Set(sessions.map((session) => session.id))
  return identities.flatMap(({ actor, sessionId, inWidget }): AccountChange[] => {
    const role = roles.get(actor.id)
    const now = role !== undefined && inWidget === true ? roleInWidget(role) : role
    if (now !== actor.role) return [{ userId: actor.id }]
    if (sessionId !== null && !alive.has(sessionId)) return [{ userId: actor.id, sessionId }]
    return []
  })
}
