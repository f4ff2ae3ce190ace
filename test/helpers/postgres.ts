import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import path from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import { findPrograms, userIds } from './programs.ts'
import { freePort, startServer, temporaryDirectory, type TestServer } from './server-process.ts'

export interface PostgresOptions {
  /** Off for speed. On where a test cuts the power: what was acknowledged must be on the disk then. */
  fsync?: boolean
  /** More settings, as in postgresql.conf. */
  settings?: Record<string, string | number>
}

/** Starts a Postgres of its own, empty. Its URL names the database `postgres`; `createDatabase` makes others. */
export async function startPostgres(options: PostgresOptions = {}): Promise<TestServer> {
  const bin = findPrograms().postgres
  if (bin === undefined) throw new Error('Postgres is not installed')
  // Postgres refuses to run as root.
  const user = process.getuid?.() === 0 ? userIds('postgres') : undefined
  const directory = temporaryDirectory('postgres', user)
  await promisify(execFile)(
    path.join(bin, 'initdb'),
    ['-D', directory, '-U', 'postgres', '--auth=trust', '--encoding=UTF8', '--locale=C.UTF-8', '--no-sync'],
    { cwd: directory, ...user },
  )
  const durable = options.fsync === true ? 'on' : 'off'
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: 200,
    fsync: durable,
    full_page_writes: durable,
    synchronous_commit: durable,
    ...options.settings,
  }
  const port = await freePort()
  return startServer({
    name: 'postgres',
    url: (port) => `postgres://postgres@127.0.0.1:${port}/postgres`,
    port,
    directory,
    user,
    command: path.join(bin, 'postgres'),
    args: [
      '-D',
      directory,
      '-p',
      String(port),
      ...Object.entries(settings).flatMap(([k, v]) => ['-c', `${k}=${v}`]),
    ],
    stopSignal: 'SIGINT',
    answers,
  })
}

async function answers(port: number): Promise<boolean> {
  const client = new pg.Client({ host: '127.0.0.1', port, user: 'postgres', database: 'postgres' })
  client.on('error', () => undefined)
  try {
    await client.connect()
    await client.query('SELECT 1')
    return true
  } catch {
    return false
  } finally {
    await client.end().catch(() => undefined)
  }
}

export interface TestDatabase {
  readonly url: string
  drop(): Promise<void>
}

/** Makes a new, empty database with a random name on the Postgres at `serverUrl`. */
export async function createDatabaseOn(serverUrl: string): Promise<TestDatabase> {
  const name = `test_${randomBytes(8).toString('hex')}`
  await execute(serverUrl, `CREATE DATABASE ${name}`)
  const url = new URL(serverUrl)
  url.pathname = `/${name}`
  return { url: url.href, drop: () => execute(serverUrl, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`) }
}

async function execute(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}
