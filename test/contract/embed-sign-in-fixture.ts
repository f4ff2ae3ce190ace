import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { Hono } from 'hono'
import { Registry } from 'prom-client'
import { expect } from 'vitest'
import { createAccounts } from '../../server/accounts/create.ts'
import type { Bus } from '../../server/bus/bus.ts'
import type { VerifyingKey } from '../../server/embedding/host-tokens.ts'
import { createSites } from '../../server/embedding/sites.ts'
import { authRequest } from '../../server/http/auth-request.ts'
import type { Env } from '../../server/http/context.ts'
import { embedSignInRoutes } from '../../server/http/embed-sign-in.ts'
import { createHttpMetrics } from '../../server/http/metrics.ts'
import { limitBody } from '../../server/http/limit-body.ts'
import { identity, refuseCrossSite, securityHeaders, trace } from '../../server/http/middleware.ts'
import { problemAnswer, toProblem } from '../../server/http/problems.ts'
import { createRateLimits, memoryCounters, unlimited } from '../../server/http/rate-limits.ts'
import { mountRoutes } from '../../server/http/route.ts'
import { createLog } from '../../server/log.ts'
import type { Db } from '../../server/store/database.ts'
import type { AccountChange, Accounts } from '../../server/accounts/accounts.ts'
import type { WidgetSession } from '../../shared/site.ts'
import { problemDocument } from '../../shared/problem-document.ts'
import { origin } from './accounts-fixture.ts'

/** The origin of the host page, and its site here. */
export const host = 'https://blog.example.test'
export const site = 'k3v9x2q7ab'
export const secret = 'a secret that the site was shown once, of 48 letters'
export const pair = generateKeyPairSync('ed25519')

const verifying: VerifyingKey[] = [
  { id: 'shared', algorithm: 'HS256', key: Buffer.from(secret) },
  { id: 'open', algorithm: 'EdDSA', key: publicKey() },
]

function publicKey(): KeyObject {
  return createPublicKey(pair.publicKey.export({ type: 'spki', format: 'pem' }))
}

/** Puts a site there, with the account that writes for it. */
export async function addSite(db: Db, id: string, name = 'The blog'): Promise<void> {
  const author = `author-${id}`
  await db
    .insertInto('users')
    .values({ id: author, name, kind: 'person', role: 'member', email: `${author}@test.invalid` })
    .execute()
  const rules = { keep: [], aliases: {}, trailingSlash: true, index: true }
  const defaults = {
    theme: 'auto' as const,
    sort: 'oldest' as const,
    collapsed: false,
    readOnly: false,
    locale: '',
  }
  await db
    .insertInto('sites')
    .values({
      id,
      name,
      origins: JSON.stringify([host]),
      rules: JSON.stringify(rules),
      defaults: JSON.stringify(defaults),
      author_id: author,
    })
    .execute()
}

export interface Asked {
  status: number
  headers: Headers
  // oxlint-disable-next-line typescript/no-explicit-any -- answers are looked at, not relied on
  json: any
}

/** What a node answers about signing in, with its own accounts. */
export interface SignInNode {
  readonly accounts: Accounts
  readonly changes: AccountChange[]
  log(): string
  ask(path: string, body?: unknown, headers?: Record<string, string>): Promise<Asked>
}

export function openSignInNode(db: Db, bus: Bus, { limited = false } = {}): SignInNode {
  let written = ''
  const log = createLog('trace', { write: (line: string) => void (written += line) })
  const accounts = createAccounts({
    db,
    bus,
    log,
    publicUrl: origin,
    secret: 'a secret that only the tests of widgets know',
  })
  const changes: AccountChange[] = []
  accounts.onChanged((change) => changes.push(change))
  const rates = limited ? createRateLimits(memoryCounters) : unlimited
  const isOwnOrigin = (asked: string) => asked === origin

  const app = new Hono<Env>()
  app.onError((error, c) => problemAnswer(toProblem(error, c)))
  app.use(trace({ log, metrics: createHttpMetrics(new Registry()), trustProxy: 0 }))
  app.use(securityHeaders({ secure: false, devClientUrl: undefined }))
  app.use(identity(accounts))
  app.use('/api/*', refuseCrossSite(isOwnOrigin))
  app.on(['GET', 'POST'], '/api/auth/*', limitBody, async (c) => accounts.handle(await authRequest(c)))
  const routes = embedSignInRoutes({
    db,
    bus,
    log,
    accounts,
    rates,
    isOwnOrigin,
    sites: createSites({ db }),
    siteKeys: { of: (id) => Promise.resolve(id === site ? verifying : []) },
  })
  mountRoutes(app, routes, rates)

  return {
    accounts,
    changes,
    log: () => written,
    async ask(path, body, headers = {}) {
      const type: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/json' }
      const init = {
        method: body === undefined ? 'GET' : 'POST',
        headers: { ...type, origin, ...headers },
        body: body === undefined ? null : JSON.stringify(body),
      }
      const incoming = { socket: { remoteAddress: '192.0.2.1' }, headers: {} }
      const answer = await app.request(`${origin}${path}`, init, { incoming })
      const text = await answer.text()
      return { status: answer.status, headers: answer.headers, json: text === '' ? null : JSON.parse(text) }
    },
  }
}

export function bearer(token: string): { authorization: string } {
  return { authorization: `Bearer ${token}` }
}

/** The answer of a sign-in that went well. */
export async function session(asked: Promise<Asked>): Promise<WidgetSession> {
  const { status, headers, json } = await asked
  expect(status, JSON.stringify(json)).toBe(200)
  expect(headers.get('cache-control')).toBe('no-store')
  // Widgets have no cookies, and must not get any.
  expect(headers.getSetCookie()).toEqual([])
  return json as WidgetSession
}

/** The code of the problem that a request was answered with. */
export async function codeOf(asked: Promise<Asked>): Promise<string> {
  const { status, json } = await asked
  const document = problemDocument.parse(json)
  expect(document.status).toBe(status)
  return document.code
}
