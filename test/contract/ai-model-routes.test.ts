import { Writable } from 'node:stream'
import { Hono } from 'hono'
import { sql } from 'kysely'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import * as z from 'zod'
import type { Accounts } from '../../server/accounts/accounts.ts'
import type { Model, ModelSettings } from '../../server/ai/model.ts'
import { createModels, type ModelDirectory } from '../../server/ai/models.ts'
import type { Env } from '../../server/http/context.ts'
import { createHttpMetrics } from '../../server/http/metrics.ts'
import { identity, securityHeaders, trace } from '../../server/http/middleware.ts'
import { modelRoutes } from '../../server/http/models.ts'
import { problemAnswer, toProblem } from '../../server/http/problems.ts'
import { unlimited } from '../../server/http/rate-limits.ts'
import { mountRoutes } from '../../server/http/route.ts'
import { createLog } from '../../server/log.ts'
import { migrate } from '../../server/store/migrate.ts'
import type { OpenDatabase } from '../../server/store/database.ts'
import type { Role } from '../../server/threads/access.ts'
import { modelList, type ModelInfo, type ModelTest } from '../../shared/models.ts'
import { openTestPglite } from '../helpers/pglite.ts'
import { problems, startScriptedModel, type ScriptedModel } from '../helpers/scripted-model.ts'

/** What admins do about models. Keys go in and never come out: every answer and the whole log are searched for them. */

const keys = ['sk-first-secret-key', 'sk-second-secret-key', 'sk-of-the-environment']
const [first, second, ofEnvironment] = keys as [string, string, string]

let database: OpenDatabase
let end: () => Promise<void>
let server: ScriptedModel
let written = ''
const log = createLog(
  'trace',
  new Writable({
    write(chunk: Buffer, _, done) {
      written += chunk.toString()
      done()
    },
  }),
)

beforeAll(async () => {
  ;({ database, end } = await openTestPglite())
  await migrate(database.db)
  server = await startScriptedModel()
})
beforeEach(async () => {
  await database.db.deleteFrom('models').execute()
  server.script({ text: 'ready' })
})
afterAll(async () => {
  await server.stop()
  await end()
})

interface Site {
  ask(
    method: string,
    path: string,
    body?: unknown,
    as?: Role | 'nobody',
  ): Promise<{ status: number; json: Json }>
  models: ModelDirectory
}
// oxlint-disable-next-line typescript/no-explicit-any -- answers are looked at, not relied on
type Json = any

const offline: Model = {
  name: 'Offline',
  offline: true,
  contextTokens: 1,
  generate: () => {
    throw new Error('not to be asked')
  },
}

function open(settings?: ModelSettings): Site {
  const { db } = database
  const models = createModels({ db, settings, secret: 'the secret of this site', offline, log })
  const app = new Hono<Env>()
  app.onError((error, c) => problemAnswer(toProblem(error, c)))
  app.use(trace({ log, metrics: createHttpMetrics(new Registry()), trustProxy: 0 }))
  app.use(securityHeaders({ secure: false, devClientUrl: undefined }))
  app.use(
    identity({
      identify: (headers) => {
        const role = headers.get('x-role') as Role | 'nobody'
        const actor = { id: role, name: role, kind: 'person' as const, role: role as Role }
        return Promise.resolve(role === 'nobody' ? null : { actor, sessionId: null })
      },
    } as Accounts),
  )
  mountRoutes(app, modelRoutes({ db, models }), unlimited)
  return {
    models,
    async ask(method, path, body, as = 'admin') {
      const answer = await app.request(
        path,
        {
          method,
          headers: { 'x-role': as, ...(body !== undefined && { 'content-type': 'application/json' }) },
          ...(body !== undefined && { body: JSON.stringify(body) }),
        },
        { incoming: { socket: { remoteAddress: '192.0.2.1' }, headers: {} } },
      )
      const text = await answer.text()
      for (const key of keys) expect(text, `${method} ${path}`).not.toContain(key)
      return { status: answer.status, json: JSON.parse(text) as Json }
    },
  }
}

const small = () => ({ name: 'Small', provider: 'openai-compatible', baseUrl: server.url, model: 'small' })
const environment = (): ModelSettings => ({
  name: 'big',
  provider: 'openai-compatible',
  baseUrl: server.url,
  model: 'big',
  apiKey: ofEnvironment,
  contextTokens: 8_192,
  price: undefined,
})

async function add(site: Site, more: object = {}): Promise<ModelInfo> {
  const { status, json } = await site.ask('POST', '/api/models', { ...small(), ...more })
  expect(status, JSON.stringify(json)).toBe(201)
  return json.model as ModelInfo
}

const list = async (site: Site) => z.parse(modelList, (await site.ask('GET', '/api/models')).json).models
const apiKeySent = () => server.requests().at(-1)!.headers.authorization

test('a model is added, listed, changed and removed', async () => {
  const site = open()
  expect(await list(site)).toEqual([])
  const added = await add(site, { apiKey: first, inputPrice: 0.5, outputPrice: 2, currency: 'EUR' })
  expect(added).toEqual({
    id: expect.stringMatching(/^[\w-]{12}$/) as string,
    ...small(),
    hasKey: true,
    contextTokens: 32_768,
    inputPrice: 0.5,
    outputPrice: 2,
    currency: 'EUR',
    source: 'database',
    isDefault: true,
  })
  const other = await add(site, { name: 'Other' })
  expect(other).toMatchObject({ hasKey: false, isDefault: false, inputPrice: null, currency: 'USD' })
  expect(await list(site)).toEqual([added, other])

  const path = `/api/models/${added.id}`
  const changed = await site.ask('PATCH', path, {
    name: 'Smaller',
    contextTokens: 4_096,
    inputPrice: null,
    outputPrice: null,
  })
  expect(changed.status).toBe(200)
  expect(changed.json.model).toEqual({
    ...added,
    name: 'Smaller',
    contextTokens: 4_096,
    inputPrice: null,
    outputPrice: null,
  })
  // What a run would get is what was changed.
  expect((await site.models.find(added.id)).name).toBe('Smaller')

  expect(await site.ask('DELETE', path)).toMatchObject({ status: 200, json: { ok: true } })
  expect(await list(site)).toEqual([{ ...other, isDefault: true }])
  expect((await site.models.find(added.id)).name).toBe('Other')
  for (const [method, body] of [['DELETE'], ['PATCH', {}]] as const) {
    expect((await site.ask(method, path, body)).json).toMatchObject({ status: 404, code: 'not-found' })
  }
})

test('a key is used, and never shown', async () => {
  const site = open()
  const { id } = await add(site, { apiKey: first })
  const tried = await site.ask('POST', `/api/models/${id}/test`)
  expect(tried.json).toEqual({ ok: true, text: 'ready', ms: expect.any(Number) as number })
  expect(apiKeySent()).toBe(`Bearer ${first}`)
  const [row] = await database.db.selectFrom('models').select('api_key').execute()
  expect(row!.api_key).not.toContain(first)

  await site.ask('PATCH', `/api/models/${id}`, { apiKey: second })
  await site.ask('POST', `/api/models/${id}/test`)
  expect(apiKeySent()).toBe(`Bearer ${second}`)
  const without = await site.ask('PATCH', `/api/models/${id}`, { apiKey: null })
  expect(without.json.model.hasKey).toBe(false)
  await site.ask('POST', `/api/models/${id}/test`)
  expect(apiKeySent()).toBeUndefined()
})

test('a key goes to no other server than it was entered for', async () => {
  const site = open()
  const other = await startScriptedModel()
  const { id } = await add(site, { apiKey: first })
  const path = `/api/models/${id}`
  for (const move of [
    { baseUrl: other.url },
    { baseUrl: null, provider: 'anthropic' },
    { provider: 'google' },
  ]) {
    const refused = await site.ask('PATCH', path, move)
    expect(refused, JSON.stringify(move)).toMatchObject({
      status: 422,
      json: { code: 'invalid', issues: [{ path: '/apiKey' }] },
    })
  }
  expect(await list(site)).toMatchObject([{ baseUrl: server.url, hasKey: true }])
  // Another path of the same server is no other server.
  expect((await site.ask('PATCH', path, { baseUrl: `${server.url}/` })).status).toBe(200)
  expect((await site.ask('PATCH', path, { baseUrl: other.url, apiKey: second })).status).toBe(200)
  await site.ask('POST', `${path}/test`)
  expect(other.requests().at(-1)!.headers.authorization).toBe(`Bearer ${second}`)
  await other.stop()
})

test('the model of the environment is the default, and is changed there', async () => {
  const site = open(environment())
  const added = await add(site)
  expect(await list(site)).toEqual([
    {
      id: 'environment',
      name: 'big',
      provider: 'openai-compatible',
      baseUrl: server.url,
      model: 'big',
      hasKey: true,
      contextTokens: 8_192,
      inputPrice: null,
      outputPrice: null,
      currency: 'USD',
      source: 'environment',
      isDefault: true,
    },
    { ...added, isDefault: false },
  ])
  expect((await site.ask('POST', '/api/models/environment/test')).json).toMatchObject({
    ok: true,
    text: 'ready',
  })
  expect(apiKeySent()).toBe(`Bearer ${ofEnvironment}`)
  for (const [method, body] of [['DELETE'], ['PATCH', { name: 'x' }]] as const) {
    expect((await site.ask(method, '/api/models/environment', body)).json).toMatchObject({ code: 'invalid' })
  }
  expect((await open().ask('POST', '/api/models/environment/test')).status).toBe(404)
})

describe('a test tells what is wrong', () => {
  test.each<[string, object, RegExp]>([
    ['a wrong key', { answer: problems[401]! }, /refused the key\. An admin has to check it\. 401$/],
    ['no such model', { answer: problems[404]! }, /does not know the model\..*404 .*does not exist/],
    [
      'a server that repeats the key',
      { answer: { status: 400, body: `bad ${first}` } },
      /400 bad \[redacted\]/,
    ],
    ['a broken stream', { fault: 'cut', faultAfter: 1 }, /broke off in the midst/],
  ])('%s', async (_, script, expected) => {
    const site = open()
    const { id } = await add(site, { apiKey: first })
    server.script({ text: 'a b c', ...script })
    const { status, json } = await site.ask('POST', `/api/models/${id}/test`)
    const outcome = json as ModelTest
    expect(status).toBe(200)
    expect(outcome).toEqual({ ok: false, problem: expect.stringMatching(expected) as string, ms: outcome.ms })
  })

  test('asks for little', async () => {
    const site = open()
    const { id } = await add(site)
    await site.ask('POST', `/api/models/${id}/test`)
    expect(server.requests().at(-1)!.body.max_tokens).toBeLessThanOrEqual(200)
    expect((await site.ask('POST', '/api/models/unknown/test')).status).toBe(404)
  })
})

test.each<[string, object, path: string]>([
  ['no address', { baseUrl: null }, '/baseUrl'],
  ['an address with credentials', { baseUrl: 'http://me:pw@localhost/v1' }, '/baseUrl'],
  ['an address of another kind', { baseUrl: 'file:///etc/passwd' }, '/baseUrl'],
  ['an unknown provider', { provider: 'openai' }, '/provider'],
  ['no name', { name: ' ' }, '/name'],
  ['a model of two words', { model: 'a b' }, '/model'],
  ['a key that no header takes', { apiKey: 'a\nb' }, '/apiKey'],
  ['one price alone', { inputPrice: 1 }, '/inputPrice'],
  ['a price below nothing', { inputPrice: -1, outputPrice: 1 }, '/inputPrice'],
  ['room for nothing', { contextTokens: 10 }, '/contextTokens'],
  ['money of no country', { currency: '€' }, '/currency'],
])('%s is refused, when it is added and when it is changed', async (_, wrong, path) => {
  const site = open()
  const refused = { status: 422, json: { code: 'invalid', issues: [{ path }] } }
  expect(await site.ask('POST', '/api/models', { ...small(), ...wrong })).toMatchObject(refused)
  expect(await list(site)).toEqual([])
  const { id } = await add(site)
  expect(await site.ask('PATCH', `/api/models/${id}`, wrong)).toMatchObject(refused)
})

test('admins only', async () => {
  const site = open()
  const { id } = await add(site)
  const operations: [string, string, unknown?][] = [
    ['GET', '/api/models'],
    ['POST', '/api/models', small()],
    ['PATCH', `/api/models/${id}`, { name: 'x' }],
    ['POST', `/api/models/${id}/test`],
    ['DELETE', `/api/models/${id}`],
    // Whether there is one is no one else's business, either.
    ['DELETE', '/api/models/unknown'],
  ]
  const before = server.requests().length
  for (const [method, path, body] of operations) {
    for (const role of ['guest', 'member', 'moderator'] as const) {
      expect((await site.ask(method, path, body, role)).json, `${role} ${method}`).toMatchObject({
        code: 'forbidden',
      })
    }
    const nobody = await site.ask(method, path, body, 'nobody')
    expect(nobody.json, method).toMatchObject({ code: 'sign-in-required' })
  }
  expect(server.requests().length).toBe(before)
  expect(await list(site)).toHaveLength(1)
})

test('the log holds no key, also where the database fails', async () => {
  const site = open(environment())
  const { id } = await add(site, { apiKey: first })
  server.script({ answer: { status: 400, body: `bad ${first}` } })
  await site.ask('POST', `/api/models/${id}/test`)
  await site.ask('POST', '/api/models', { ...small(), apiKey: `${second} ` + 'x'.repeat(3_000) })
  // The database tells the whole row of which it refuses a part.
  await sql`alter table models add constraint refused check (name = 'Small')`.execute(database.db)
  expect((await site.ask('POST', '/api/models', { ...small(), name: 'x', apiKey: second })).status).toBe(500)
  await sql`alter table models drop constraint refused`.execute(database.db)
  expect(written).toContain('request failed')
  expect(written).toContain('request')
  for (const key of keys) expect(written).not.toContain(key)
})
