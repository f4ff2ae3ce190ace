import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { Writable } from 'node:stream'
import type { Hono } from 'hono'
import { Registry } from 'prom-client'
import { createAccounts } from '../../server/accounts/create.ts'
import type { Model } from '../../server/ai/model.ts'
import type { AiParts } from '../../server/ai/parts.ts'
import { createModels } from '../../server/ai/models.ts'
import { createRunner } from '../../server/ai/runner.ts'
import { createApp } from '../../server/app.ts'
import { createSiteKeys } from '../../server/embedding/site-keys.ts'
import { createSites } from '../../server/embedding/sites.ts'
import type { Env } from '../../server/http/context.ts'
import { createHttpMetrics } from '../../server/http/metrics.ts'
import { createRateLimits, memoryCounters, unlimited } from '../../server/http/rate-limits.ts'
import { createMemoryLiveText } from '../../server/bus/live-text.ts'
import { createCommitted, noting } from '../../server/live/committed.ts'
import { createHeads } from '../../server/live/heads.ts'
import { createHub } from '../../server/live/hub.ts'
import { createLiveMetrics } from '../../server/live/metrics.ts'
import { createLog } from '../../server/log.ts'
import { migrate } from '../../server/store/migrate.ts'
import type { Db } from '../../server/store/database.ts'
import type { ThreadParts } from '../../server/threads/parts.ts'
import { aiParts, speaker } from './ai.ts'
import { openTestPglite } from './pglite.ts'
import { publicUrl, threadParts } from './store.ts'

/** Everything that is answered over HTTP, in this process and over an embedded database of its own. */
export interface TestApp {
  readonly app: Hono<Env>
  readonly db: Db
  /** How many queries were made so far, beside those of rooms. */
  queries(): number
  readonly parts: ThreadParts
  /** The log so far, one JSON object a line. */
  log(): string
  draining: boolean
  /** Sends a request, as from `address`. */
  ask(method: string, path: string, options?: AskOptions): Promise<Response>
  close(): Promise<void>
}

export interface AskOptions {
  /** Sent as JSON, or as it is where it is text. */
  body?: unknown
  who?: { headers: Record<string, string> }
  headers?: Record<string, string>
  address?: string
}

export interface AppOptions {
  limited?: boolean
  secure?: boolean
  /** Answers for every persona. */
  model?: Model
  budgets?: AiParts['budgets']
}

export async function openApp(options: AppOptions = {}): Promise<TestApp> {
  const { database, end } = await openTestPglite()
  let queries = 0
  const db = database.db.withPlugin({
    transformQuery({ node }) {
      queries++
      return node
    },
    transformResult: ({ result }) => Promise.resolve(result),
  })
  await migrate(db)
  let written = ''
  const stream = new Writable({
    write(chunk: Buffer, _, done) {
      written += chunk.toString()
      done()
    },
  })
  const log = createLog('trace', stream)
  const url = options.secure === true ? publicUrl.replace('http:', 'https:') : publicUrl
  const committed = createCommitted()
  const given = threadParts(db)
  const parts: ThreadParts = { ...given, bus: noting(given.bus, committed), log }
  const secret = 'a secret that only the tests of HTTP know'
  const accounts = createAccounts({ db, bus: parts.bus, log, secret, publicUrl: url })
  const rates = options.limited === true ? createRateLimits(memoryCounters) : unlimited
  const registry = new Registry()
  const { bus } = parts
  const metrics = createLiveMetrics(registry)
  const hub = createHub({
    db: database.db,
    bus,
    liveText: createMemoryLiveText(),
    log,
    metrics,
    node: 'test',
  })
  const heads = createHeads({ db, bus, hub, committed })
  const sites = createSites({ db })
  const isOwnOrigin = (origin: string) => origin === url
  const clientDir = makeClientDir()
  const state = { draining: false }
  const ai = aiParts(parts, {
    ...(options.model && { model: options.model }),
    ...(options.budgets && { budgets: options.budgets }),
  })
  const runner = createRunner(ai)
  const app = createApp({
    ...ai,
    runner,
    models: createModels({ db, settings: undefined, secret, offline: options.model ?? speaker(), log }),
    accounts,
    heads,
    sites,
    siteKeys: createSiteKeys({ db, secret, log }),
    registry,
    httpMetrics: createHttpMetrics(registry),
    rates,
    publicUrl: url,
    version: '1.2.3',
    clientDir,
    trustProxy: 0,
    devClientUrl: undefined,
    isOwnOrigin,
    isDraining: () => state.draining,
    readImage: (link) =>
      Promise.resolve(link === 'known' ? { type: 'image/png', bytes: new Uint8Array([1, 2]) } : null),
    pages: { db, sites, rates, isOwnOrigin, publicUrl: url, clientDir, devClientUrl: undefined },
  })

  return {
    app,
    db,
    queries: () => queries,
    parts,
    log: () => written,
    get draining() {
      return state.draining
    },
    set draining(value) {
      state.draining = value
    },
    async ask(method, path, { body, who, headers, address = '192.0.2.1' } = {}) {
      const given = typeof body === 'string' ? body : body === undefined ? null : JSON.stringify(body)
      const type: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/json' }
      const all = { ...type, ...who?.headers, ...headers }
      const incoming = { socket: { remoteAddress: address }, headers: {} }
      return await app.request(`${url}${path}`, { method, headers: all, body: given }, { incoming })
    },
    async close() {
      await hub.close()
      await parts.bus.close()
      await end()
      fs.rmSync(clientDir, { recursive: true, force: true })
    },
  }
}

/** What a build of the client leaves, as far as the server asks. */
function makeClientDir(): string {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'numinex-client-'))
  for (const name of ['.vite', 'assets']) fs.mkdirSync(path.join(directory, name))
  const entries = [
    'app/main.ts',
    'app/main.css',
    'embed/frame/frame.tsx',
    'embed/frame/frame.css',
    'embed/frame/tools.css',
  ]
  const manifest = Object.fromEntries(
    entries.map((entry) => [entry, { file: `assets/${path.basename(entry).replace(/\.tsx?$/, '.js')}` }]),
  )
  fs.writeFileSync(path.join(directory, '.vite/manifest.json'), JSON.stringify(manifest))
  fs.writeFileSync(path.join(directory, 'assets/main.js'), 'export {}\n')
  // The styles of frames go into their pages.
  fs.writeFileSync(path.join(directory, 'assets/frame.css'), 'p{margin:0}\n')
  fs.writeFileSync(path.join(directory, 'icon.svg'), '<svg xmlns="http://www.w3.org/2000/svg"/>\n')
  return directory
}

/** Someone signed in, and the headers that make requests theirs. */
export interface Visitor {
  id: string
  name: string
  token: string
  cookie: string
  headers: { authorization: string }
}

/** Signs a guest in. */
export function guest(app: TestApp, name: string): Promise<Visitor> {
  return enter(app, 'sign-in/anonymous', { name }, name)
}

/** Signs a person up; the first one ever is admin. */
export function member(app: TestApp, name: string, password = 'correct horse battery'): Promise<Visitor> {
  return enter(app, 'sign-up/email', { name, email: `${name.toLowerCase()}@example.test`, password }, name)
}

async function enter(app: TestApp, path: string, body: object, name: string): Promise<Visitor> {
  const answer = await app.ask('POST', `/api/auth/${path}`, { body })
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
  const token = answer.headers.get('set-auth-token')!
  const cookie = answer.headers
    .getSetCookie()
    .map((line) => line.split(';')[0]!)
    .join('; ')
  const { user } = (await answer.json()) as { user: { id: string } }
  return { id: user.id, name, token, cookie, headers: { authorization: `Bearer ${token}` } }
}
