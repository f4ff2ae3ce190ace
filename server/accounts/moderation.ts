import type { Selectable, Transaction } from 'kysely'
import { Problem } from '../../shared/errors.ts'
import type { Bus } from '../bus/bus.ts'
import { transact, type Db } from '../store/database.ts'
import type { Database, UsersTable } from '../store/schema.ts'
import { authorize, type Actor, type Role } from '../threads/access.ts'
import { publishAccountChange } from './changes.ts'
import { accountLimits } from './limits.ts'
import { accountTables, isBanned } from './tables.ts'

export interface ModerationParts {
  readonly db: Db
  readonly bus: Bus
}

export interface Ban {
  /** For the admins; those who are banned do not see it. */
  readonly reason?: string
  /** When it ends by itself; never, if not given. */
  readonly expiresAt?: Date
}

/**
 * Gives a person another role. Throws `forbidden` unless `actor` is admin, and for the last admin's own demotion;
 * `not-found` for an unknown user; `invalid` where user and role do not fit: guests and AI participants have no other.
 */
export async function setRole(
  parts: ModerationParts,
  actor: Actor | null,
  userId: string,
  role: Role,
): Promise<void> {
  await manage(parts, actor, userId, async (tx, target, admins) => {
    if (target.kind !== 'person' || role === 'guest') {
      throw new Problem('invalid', {
        detail: 'Only people with an account have roles, and they are members at least.',
      })
    }
    if (role !== 'admin' && admins.length === 1 && admins[0] === userId) {
      throw new Problem('forbidden', { detail: 'The last admin stays one. Appoint another first.' })
    }
    await tx.updateTable('users').set({ role, updated_at: new Date() }).where('id', '=', userId).execute()
  })
}

/**
 * Bans a user and ends all their sessions; API keys of a banned user open nothing. Banning again replaces reason and end.
 * Throws `forbidden` unless `actor` is admin, and for oneself; `not-found` for an unknown user; `invalid` for an end in the past.
 */
export async function ban(
  parts: ModerationParts,
  actor: Actor | null,
  userId: string,
  terms: Ban = {},
): Promise<void> {
  const { reason = null, expiresAt = null } = terms
  if (expiresAt !== null && !(expiresAt.getTime() > Date.now())) {
    throw new Problem('invalid', { detail: 'A ban ends in the future.' })
  }
  if (reason !== null && reason.length > accountLimits.banReasonMax) {
    throw new Problem('invalid', { detail: `A reason has at most ${accountLimits.banReasonMax} characters.` })
  }
  await manage(parts, actor, userId, async (tx) => {
    if (actor?.id === userId) throw new Problem('forbidden', { detail: 'You cannot ban yourself.' })
    const tables = accountTables(tx)
    await tables
      .updateTable('users')
      .set({ banned: true, ban_reason: reason, ban_expires: expiresAt, updated_at: new Date() })
      .where('id', '=', userId)
      .execute()
    await tables.deleteFrom('sessions').where('user_id', '=', userId).execute()
  })
}

/** Lifts a ban; the user signs in again. Throws `forbidden` unless `actor` is admin, `not-found` for an unknown user. */
export async function unban(parts: ModerationParts, actor: Actor | null, userId: string): Promise<void> {
  await manage(parts, actor, userId, async (tx) => {
    await accountTables(tx)
      .updateTable('users')
      .set({ banned: false, ban_reason: null, ban_expires: null, updated_at: new Date() })
      .where('id', '=', userId)
      .execute()
  })
}

/** Runs `change` while no one else changes who is admin, and tells all nodes when it is done. */
async function manage(
  { db, bus }: ModerationParts,
  actor: Actor | null,
  userId: string,
  change: (tx: Transaction<Database>, target: Selectable<UsersTable>, admins: string[]) => Promise<void>,
): Promise<void> {
  const { id: actorId } = authorize(actor, 'manage-accounts')
  await transact(db, async (tx) => {
    // Locked in one order, so that two admins who demote or ban each other come one after the other, without a deadlock.
    const rows = await accountTables(tx)
      .selectFrom('users')
      .select(['id', 'banned', 'ban_expires'])
      .where('role', '=', 'admin')
      .orderBy('id')
      .forUpdate()
      .execute()
    const admins = rows.filter((row) => !isBanned(row)).map((row) => row.id)
    // The actor may have lost the right since the request was identified.
    if (!admins.includes(actorId)) throw new Problem('forbidden')
    const target = await tx
      .selectFrom('users')
      .selectAll()
      .where('id', '=', userId)
      .forUpdate()
      .executeTakeFirst()
    if (target === undefined) throw new Problem('not-found', { detail: 'There is no such user.' })
    await change(tx, target, admins)
  })
  await publishAccountChange(bus, { userId })
}
