import type { PostgresPool, PostgresPoolClient } from 'kysely'
import { LRUCache } from 'lru-cache'
import type pg from 'pg'

/** Statements that a connection keeps prepared, and how often one must have been asked before it is worth it. */
const limits = { prepared: 256, worthIt: 3, watched: 1_000 } as const

/** A cached plan of a table that has changed since. */
const planIsOld = '0A000'

/**
 * A pool whose connections prepare what they are asked often: Postgres then parses and plans it once a connection. The code
 * that builds queries knows nothing of it; a statement is known by its text, which holds parameters and no values.
 */
export function preparing(pool: pg.Pool): PostgresPool {
  const names = new Map<string, string>()
  const asked = new LRUCache<string, number>({ max: limits.watched })
  const clients = new WeakMap<pg.PoolClient, PostgresPoolClient>()
  let made = 0

  function nameOf(text: string, parameters: readonly unknown[]): string | undefined {
    const known = names.get(text)
    // Without parameters it is the beginning or end of a transaction, or rare.
    if (known !== undefined || parameters.length === 0 || names.size >= limits.prepared) return known
    const times = (asked.get(text) ?? 0) + 1
    asked.set(text, times)
    if (times < limits.worthIt) return undefined
    const name = `numinex-${++made}`
    names.set(text, name)
    asked.delete(text)
    return name
  }

  function wrap(client: pg.PoolClient): PostgresPoolClient {
    const query = async (text: string, values: unknown[] = []) => {
      const name = nameOf(text, values)
      try {
        return await client.query(name === undefined ? { text, values } : { name, text, values })
      } catch (error) {
        // Migrated meanwhile: from the next time on it is prepared anew.
        if ((error as { code?: string }).code === planIsOld && name === names.get(text)) names.delete(text)
        throw error
      }
    }
    return { query: query as unknown as PostgresPoolClient['query'], release: () => client.release() }
  }

  return {
    async connect() {
      const client = await pool.connect()
      const known = clients.get(client) ?? wrap(client)
      clients.set(client, known)
      return known
    },
    end: () => pool.end(),
  }
}
