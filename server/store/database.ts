import fs from 'node:fs'
import path from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { Kysely, PostgresDialect, type Transaction } from 'kysely'
import pg from 'pg'
import { lockDataDir } from './data-dir.ts'
import { pglitePool } from './pglite.ts'
import { preparing } from './prepared.ts'
import type { Database } from './schema.ts'

export type Db = Kysely<Database>
/** What reads and writes run on: the database, or a transaction on it. */
export type Tx = Kysely<Database> | Transaction<Database>

export interface OpenDatabase {
  readonly db: Db
  /** Connections in use, idle, and callers that wait for one. */
  pool(): { total: number; idle: number; waiting: number }
  close(): Promise<void>
}

export interface DatabaseOptions {
  /** A Postgres. Without it, PGlite in `dataDir`. */
  url?: string | undefined
  dataDir: string
  /** Connections to Postgres at the most. */
  poolSize?: number
  /** Whether statements are prepared, which some poolers between here and Postgres cannot have. True unless said otherwise. */
  prepare?: boolean
  /** A prepared PGlite directory to start from: making a new one takes seconds. */
  template?: string
  onError(error: Error): void
}

/**
 * Opens Postgres at `url`, or PGlite in `dataDir`. Throws `DataDirInUse` when another process has that directory.
 * The caller runs the migrations.
 */
export async function openDatabase(options: DatabaseOptions): Promise<OpenDatabase> {
  return options.url === undefined ? await openPglite(options) : openPostgres(options.url, options)
}

function openPostgres(url: string, options: DatabaseOptions): OpenDatabase {
  const pool = new pg.Pool({
    connectionString: url,
    max: options.poolSize ?? 10,
    connectionTimeoutMillis: 5_000,
    statement_timeout: 30_000,
    idle_in_transaction_session_timeout: 30_000,
    keepAlive: true,
    application_name: 'numinex',
    types: { getTypeParser: typeParser as typeof pg.types.getTypeParser },
  })
  // A connection that breaks (the server restarts) is replaced by the pool, and what ran on it fails; without a handler
  // it would end the process. The pool itself tells of idle ones only, and not of those in the midst of a transaction.
  pool.on('connect', (client) => client.on('error', options.onError))
  pool.on('error', () => undefined)
  const db = new Kysely<Database>({
    dialect: new PostgresDialect({ pool: options.prepare === false ? pool : preparing(pool) }),
  })
  return {
    db,
    pool: () => ({ total: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount }),
    close: () => db.destroy(),
  }
}

/** bigint as number: seqs and counts stay far below 2^53. */
function typeParser(oid: number, format?: 'text' | 'binary'): unknown {
  if (oid === pg.types.builtins.INT8) return Number
  return pg.types.getTypeParser(oid, format as 'text')
}

async function openPglite({ dataDir, template }: DatabaseOptions): Promise<OpenDatabase> {
  const unlock = lockDataDir(dataDir)
  try {
    const dir = path.join(dataDir, 'pg')
    if (!fs.existsSync(dir) && template !== undefined && fs.existsSync(template)) {
      // Copied aside first: a crash half-way must not leave half a database where a whole one is expected.
      const draft = `${dir}.new`
      fs.rmSync(draft, { recursive: true, force: true })
      fs.cpSync(template, draft, { recursive: true })
      fs.renameSync(draft, dir)
    }
    const pglite = await PGlite.create(dir)
    const db = new Kysely<Database>({ dialect: new PostgresDialect({ pool: pglitePool(pglite) }) })
    return {
      db,
      pool: () => ({ total: 1, idle: 1, waiting: 0 }),
      async close() {
        await db.destroy()
        unlock()
      },
    }
  } catch (error) {
    unlock()
    throw error
  }
}

/**
 * Runs `work` in a transaction; once more, up to three times, where the database gave it up for another one's sake
 * (serialisation failure, deadlock), which has written nothing.
 */
export async function transact<T>(db: Db, work: (tx: Transaction<Database>) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await db.transaction().execute(work)
    } catch (error) {
      if (attempt === 3 || !['40001', '40P01'].includes(sqlState(error) ?? '')) throw error
    }
  }
}

/** The SQLSTATE of a database error, from either driver. */
export function sqlState(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' ? code : undefined
}
