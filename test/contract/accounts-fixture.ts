import { sql } from 'kysely'
import { describe, expect } from 'vitest'
import type { AccountChange, Accounts } from '../../server/accounts/accounts.ts'
import type { AuthParts } from '../../server/accounts/auth.ts'
import { createAccounts } from '../../server/accounts/create.ts'
import type { Bus } from '../../server/bus/bus.ts'
import type { Db } from '../../server/store/database.ts'
import { migrate } from '../../server/store/migrate.ts'
import { openTestPglite } from '../helpers/pglite.ts'
import { describeWith } from '../helpers/services.ts'
import { openPostgres as openStore } from '../helpers/store.ts'

export const origin = 'http://numinex.test'

export interface AccountsDatabase {
  readonly db: Db
  close(): Promise<void>
}

/** The same tests on both databases. */
export function describeOnBoth(title: string, tests: (open: () => Promise<AccountsDatabase>) => void): void {
  describe(`${title} on PGlite`, () => tests(openPglite))
  describeWith('postgres', `${title} on Postgres`, () => tests(openPostgres))
}

async function openPglite(): Promise<AccountsDatabase> {
  const { database, end } = await openTestPglite()
  await migrate(database.db)
  return { db: database.db, close: end }
}

export async function openPostgres(): Promise<AccountsDatabase> {
  const { database, end } = await openStore()
  await migrate(database.db)
  return { db: database.db, close: end }
}

export async function emptyTables(db: Db): Promise<void> {
  await sql`truncate users, settings, threads cascade`.execute(db)
}

export interface LogLine {
  level: string
  message: string
  fields: unknown
}

/** Accounts as one node has them. */
export interface Node extends Accounts {
  readonly changes: AccountChange[]
  readonly logged: LogLine[]
}

export async function openNode(db: Db, bus: Bus, options: Partial<AuthParts> = {}): Promise<Node> {
  const logged: LogLine[] = []
  const write = (level: string) => (fields: unknown, message?: string) =>
    void logged.push({ level, message: message ?? String(fields), fields })
  const log = {
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
  } as unknown as AuthParts['log']
  const secret = 'a secret that only the tests of accounts know'
  const accounts = createAccounts({ db, bus, log, secret, publicUrl: origin, ...options })
  const changes: AccountChange[] = []
  accounts.onChanged((change) => changes.push(change))
  return { ...accounts, changes, logged }
}

export interface Caller {
  readonly cookie?: string
  readonly token?: string
  readonly origin?: string
}

/** Sends a request to `/api/auth/…` as a browser on the site would. */
export function call(node: Accounts, path: string, body?: unknown, caller: Caller = {}): Promise<Response> {
  const headers = new Headers({ origin: caller.origin ?? origin, ...credentials(caller) })
  if (body !== undefined) headers.set('content-type', 'application/json')
  const url = `${origin}/api/auth/${path}`
  return node.handle(
    new Request(url, {
      method: body === undefined ? 'GET' : 'POST',
      headers,
      body: body === undefined ? null : JSON.stringify(body),
    }),
  )
}

export function credentials({ cookie, token }: Caller): Record<string, string> {
  return {
    ...(cookie !== undefined && { cookie }),
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
  }
}

export interface SignedIn {
  readonly id: string
  readonly cookie: string
  readonly token: string
}

/** What a successful sign-in or sign-up answered. */
export async function signedIn(answer: Response | Promise<Response>): Promise<SignedIn> {
  const response = await answer
  const text = await response.text()
  expect(response.status, text).toBe(200)
  const { user } = JSON.parse(text) as { user: { id: string } }
  const cookie = response.headers.getSetCookie().map((line) => line.split(';')[0]!)
  const token = response.headers.get('set-auth-token')
  expect(token).toBeTruthy()
  return { id: user.id, cookie: cookie.join('; '), token: token! }
}

export const password = 'correct horse battery'

export function signUp(node: Accounts, name: string, caller: Caller = {}): Promise<SignedIn> {
  return signedIn(call(node, 'sign-up/email', { name, email: emailOf(name), password }, caller))
}

export function signIn(node: Accounts, name: string, caller: Caller = {}): Promise<Response> {
  return call(node, 'sign-in/email', { email: emailOf(name), password }, caller)
}

export function signInGuest(node: Accounts, name: string): Promise<SignedIn> {
  return signedIn(call(node, 'sign-in/anonymous', { name }))
}

function emailOf(name: string): string {
  return `${name.toLowerCase()}@example.test`
}

export async function problemOf(
  answer: Response | Promise<Response>,
): Promise<{ status: number; code: string }> {
  const response = await answer
  expect(response.headers.get('content-type')).toBe('application/problem+json')
  const document = (await response.json()) as { type: string; title: string; status: number; code: string }
  expect(document).toMatchObject({
    type: expect.any(String),
    title: expect.any(String),
    status: response.status,
  })
  return { status: response.status, code: document.code }
}

export async function whoIs(node: Accounts, caller: Caller): Promise<string | null> {
  return (await node.identify(new Headers(credentials(caller))))?.actor.id ?? null
}
