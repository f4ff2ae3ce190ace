import { randomBytes } from 'node:crypto'
import { defaultKeyHasher } from '@better-auth/api-key'
import type { AgentKey, NewAgentKey } from '../../shared/persona-admin.ts'
import type { Bus } from '../bus/bus.ts'
import type { Db } from '../store/database.ts'
import { publishAccountChange } from './changes.ts'
import { keyPrefix, keyStartLength } from './limits.ts'
import { accountTables } from './tables.ts'

// Keys by which agents outside act as a persona. They are rows as those of people's own keys, but the auth library makes
// keys for who has a session only, which personas never have.

/** Makes a key for a persona's account. It is told here and nowhere else: only its hash is stored. */
export async function createAgentKey(db: Db, userId: string, name: string): Promise<NewAgentKey> {
  const id = randomBytes(12).toString('base64url')
  const key = `${keyPrefix}${randomBytes(32).toString('base64url')}`
  const start = key.slice(0, keyStartLength)
  const row = await accountTables(db)
    .insertInto('api_keys')
    .values({ id, reference_id: userId, name, start, prefix: keyPrefix, key: await defaultKeyHasher(key) })
    .returning('created_at')
    .executeTakeFirstOrThrow()
  return { id, name, start, createdAt: row.created_at.toISOString(), key }
}

/** The keys of a persona's account, oldest first. */
export async function listAgentKeys(db: Db, userId: string): Promise<AgentKey[]> {
  const rows = await accountTables(db)
    .selectFrom('api_keys')
    .select(['id', 'name', 'start', 'created_at', 'last_request'])
    .where('reference_id', '=', userId)
    .orderBy('created_at')
    .orderBy('id')
    .execute()
  return rows.map((row) => ({
    id: row.id,
    name: row.name ?? '',
    start: row.start ?? '',
    createdAt: row.created_at.toISOString(),
    ...(row.last_request !== null && { lastUsed: row.last_request.toISOString() }),
  }))
}

/** Ends a key at once, on every node. Whether there was one. */
export async function revokeAgentKey(
  { db, bus }: { db: Db; bus: Bus },
  userId: string,
  key: string,
): Promise<boolean> {
  const { numDeletedRows } = await accountTables(db)
    .deleteFrom('api_keys')
    .where('reference_id', '=', userId)
    .where('id', '=', key)
    .executeTakeFirst()
  if (numDeletedRows === 0n) return false
  await publishAccountChange(bus, { userId })
  return true
}
