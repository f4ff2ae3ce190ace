import fs from 'node:fs'
import path from 'node:path'
import pg from 'pg'
import { createDatabaseOn, startPostgres } from '../helpers/postgres.ts'
import { findPrograms } from '../helpers/programs.ts'
import { startRedis, startRedisCluster, type RedisCluster } from '../helpers/redis.ts'
import type { TestServer } from '../helpers/server-process.ts'

/** What all systems stand on, started once for a run. */
export interface Services {
  readonly postgres: TestServer
  readonly redis: TestServer
  /** Starts with the first who asks. */
  cluster(): Promise<RedisCluster>
  /** A database of Numinex, a second one for another build of it, and one of the peers. */
  readonly databases: { readonly numinex: string; readonly before: string; readonly peers: string }
  /** SQL statements that a database was sent so far; NaN where Postgres does not count them. */
  statements(databaseUrl: string): Promise<number>
  /** Asks a database something, on a connection of its own. */
  query<T extends object>(databaseUrl: string, sql: string, values?: unknown[]): Promise<T[]>
  stop(): Promise<void>
}

export async function startServices(): Promise<Services> {
  const counted = canCountStatements()
  const postgres = await startPostgres({
    // What was acknowledged must be on the disk, or writing would cost nothing.
    fsync: true,
    settings: counted ? { shared_preload_libraries: 'pg_stat_statements' } : {},
  })
  const redis = await startRedis()
  const [numinex, before, peers] = await Promise.all([1, 2, 3].map(() => createDatabaseOn(postgres.url)))
  let cluster: Promise<RedisCluster> | undefined
  await query(peers!.url, peerTable)
  if (counted) await query(postgres.url, 'CREATE EXTENSION pg_stat_statements')
  return {
    postgres,
    redis,
    cluster: () => (cluster ??= startRedisCluster()),
    databases: { numinex: numinex!.url, before: before!.url, peers: peers!.url },
    async statements(databaseUrl) {
      if (!counted) return NaN
      const [row] = await query<{ calls: string }>(
        postgres.url,
        `SELECT sum(calls) AS calls FROM pg_stat_statements JOIN pg_database d ON d.oid = dbid WHERE datname = $1`,
        [new URL(databaseUrl).pathname.slice(1)],
      )
      return Number(row?.calls ?? 0)
    },
    query,
    async stop() {
      await (await cluster)?.stop()
      await Promise.all([postgres.stop(), redis.stop()])
    },
  }
}

function canCountStatements(): boolean {
  const bin = findPrograms().postgres
  return bin !== undefined && fs.existsSync(path.join(bin, '../lib/pg_stat_statements.so'))
}

async function query<T extends object>(url: string, sql: string, values: unknown[] = []): Promise<T[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query<T>(sql, values)).rows
  } finally {
    await client.end()
  }
}

// What the peers keep.
const peerTable = `CREATE TABLE IF NOT EXISTS peer_posts (
  id bigserial PRIMARY KEY,
  thread text NOT NULL,
  parent integer NOT NULL,
  author text NOT NULL,
  body text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
)`
