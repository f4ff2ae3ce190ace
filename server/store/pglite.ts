import type { PGlite } from '@electric-sql/pglite'
import type { PostgresPool, PostgresPoolClient } from 'kysely'

/**
 * PGlite as a pool of one connection, so that Kysely's own Postgres dialect drives it and both databases share
 * every code path. Whoever asks while the connection is taken waits in line.
 */
export function pglitePool(pglite: PGlite): PostgresPool {
  let last: Promise<void> = Promise.resolve()
  return {
    async connect(): Promise<PostgresPoolClient> {
      let release!: () => void
      const turn = last
      last = new Promise((resolve) => (release = resolve))
      await turn
      return { query: query as PostgresPoolClient['query'], release }
    },
    end: () => pglite.close(),
  }

  async function query(sql: string, parameters: unknown[]) {
    const result = await pglite.query(sql, parameters).catch((error: unknown) => {
      // PGlite hangs the parameters on its errors, and errors are logged: people's texts and tokens must not be.
      if (error instanceof Error) Reflect.deleteProperty(error, 'params')
      throw error
    })
    // PGlite does not tell which command ran; Kysely asks in order to report affected rows.
    const command = /^\s*(insert|update|delete|merge)\b/i.exec(sql)?.[1]?.toUpperCase() ?? 'SELECT'
    return { command, rowCount: result.affectedRows ?? 0, rows: result.rows }
  }
}
