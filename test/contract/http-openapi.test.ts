import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { guest, member, openApp, type AskOptions, type TestApp, type Visitor } from '../helpers/app.ts'
import { goodClaims, hs256 } from '../helpers/host-tokens.ts'

/** The description of the API, held against what the API really does. */
interface Operation {
  summary: string
  parameters?: { name: string; in: string; required: boolean; schema: z.core.JSONSchema.Schema }[]
  requestBody?: { required: boolean; content: Record<string, { schema: z.core.JSONSchema.Schema }> }
  security?: Record<string, string[]>[]
  responses: Record<
    string,
    { description: string; content: Record<string, { schema: z.core.JSONSchema.Schema }> }
  >
}
interface Description {
  openapi: string
  info: { title: string; version: string }
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, z.core.JSONSchema.Schema>; securitySchemes: Record<string, object> }
}

let app: TestApp
let admin: Visitor
let ada: Visitor
let gus: Visitor
let description: Description

beforeAll(async () => {
  app = await openApp()
  admin = await member(app, 'Root')
  ada = await member(app, 'Ada')
  gus = await guest(app, 'Gus')
  const answer = await app.ask('GET', '/api/openapi.json')
  expect(answer.headers.get('content-type')).toBe('application/json')
  description = (await answer.json()) as Description
})
afterAll(() => app.close())

const isApi = (path: string) => path.startsWith('/api/') || path === '/embed/counts'

const operations = () =>
  Object.entries(description.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  )

describe('the description of the API', () => {
  test('is OpenAPI 3.1 with a title and a version', () => {
    expect(description).toMatchObject({ openapi: '3.1.0', info: { title: 'Numinex', version: '1.2.3' } })
  })

  test('holds every route of the API', () => {
    // Those of the sign-in library are its own, and images are no JSON.
    const others = new Set(['/api/openapi.json', '/api/links/:link/image'])
    const routes = app.app.routes
      .filter(({ method, path }) => method !== 'ALL' && isApi(path) && !path.startsWith('/api/auth/'))
      .filter(({ path }) => !others.has(path))
      .map(({ method, path }) => `${method.toLowerCase()} ${path.replace(/:(\w+)/g, '{$1}')}`)
    const described = operations().map(({ method, path }) => `${method} ${path}`)
    expect(described.toSorted()).toEqual([...new Set(routes)].toSorted())
    // The wire contract itself.
    expect(described).toEqual(
      expect.arrayContaining([
        'get /api/threads',
        'post /api/threads',
        'get /api/threads/{thread}',
        'get /api/threads/{thread}/posts',
        'get /api/threads/{thread}/posts/{number}',
        'post /api/threads/{thread}/posts',
        'patch /api/threads/{thread}/posts/{number}',
        'delete /api/threads/{thread}/posts/{number}',
        'put /api/threads/{thread}/posts/{number}/reactions/{emoji}',
        'delete /api/threads/{thread}/posts/{number}/reactions/{emoji}',
      ]),
    )
  })

  test('describes each operation whole', () => {
    for (const { path, method, operation } of operations()) {
      const where = `${method} ${path}`
      expect(operation.summary.length, where).toBeGreaterThan(5)
      const inPath = (operation.parameters ?? []).filter((each) => each.in === 'path').map(({ name }) => name)
      expect(inPath.toSorted(), where).toEqual(
        [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!).toSorted(),
      )
      expect(
        Object.keys(operation.responses).some((status) => status.startsWith('2')),
        where,
      ).toBe(true)
      expect(operation.security !== undefined, where).toBe(method !== 'get')
      for (const scheme of (operation.security ?? []).flatMap((each) => Object.keys(each))) {
        expect(description.components.securitySchemes, where).toHaveProperty(scheme)
      }
    }
  })

  test('refers to nothing that is not in it', () => {
    const references = [...JSON.stringify(description).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, at]) => at!)
    expect(references.length).toBeGreaterThan(10)
    for (const at of new Set(references)) {
      expect(description, at).toHaveProperty(at.split('/'))
    }
  })

  test('holds schemas that really are ones', () => {
    for (const { operation } of operations()) {
      const contents = [operation.requestBody, ...Object.values(operation.responses)].flatMap((each) =>
        Object.values(each?.content ?? {}),
      )
      for (const { schema } of contents) expect(() => check(schema)).not.toThrow()
    }
  })
})

/** A JSON Schema of the description, as something that parses. */
function check(schema: z.core.JSONSchema.Schema): z.ZodType {
  const resolved =
    schema.$ref === undefined ? schema : description.components.schemas[schema.$ref.split('/').at(-1)!]!
  return z.fromJSONSchema(resolved as Parameters<typeof z.fromJSONSchema>[0])
}

/** The operation that a request is for. */
function operationOf(method: string, path: string): Operation {
  const plain = path.split('?')[0]!
  for (const [template, methods] of Object.entries(description.paths)) {
    const pattern = new RegExp(`^${template.replace(/\{\w+\}/g, '[^/]+')}$`)
    const operation = methods[method.toLowerCase()]
    if (pattern.test(plain) && operation) return operation
  }
  throw new Error(`${method} ${path} is not described`)
}

type Hold = (method: string, path: string, options?: AskOptions) => Promise<unknown>

/** All about AI participants, on the first post of a thread whose path is `at`. */
async function holdAi(hold: Hold, at: string): Promise<void> {
  const who = admin
  const address = { provider: 'openai-compatible', baseUrl: 'http://127.0.0.1:1/v1', model: 'm' }
  const added = await hold('POST', '/api/models', { who, body: { name: 'M', ...address } })
  const model = `/api/models/${(added as { model: { id: string } }).model.id}`
  await hold('GET', '/api/models', { who })
  await hold('PATCH', model, { who, body: { name: 'N', inputPrice: 1, outputPrice: 2 } })
  await hold('POST', `${model}/test`, { who })
  await hold('DELETE', model, { who })

  const haiku = { handle: 'haiku', name: 'Haiku', picture: '🍵', instructions: 'Be brief.' }
  await hold('POST', '/api/personas', { who, body: haiku })
  await hold('POST', '/api/personas', { who, body: haiku })
  await hold('POST', '/api/personas', { who, body: { handle: 'scout', name: 'Scout', external: true } })
  await hold('PATCH', '/api/personas/haiku', { who, body: { description: 'Seventeen syllables' } })
  await hold('GET', '/api/personas')
  await hold('GET', '/api/personas/all', { who })
  const asked = await hold('POST', `${at}/posts/1/ask`, { who: ada, body: { persona: 'haiku' } })
  const { number, run } = (asked as { post: { number: number; run: string } }).post
  await hold('POST', `${at}/posts/${number}/stop`, { who: ada, body: { run } })
  await hold('GET', `${at}/posts/${number}/run`)
  await hold('GET', '/api/ai/usage', { who })

  const made = await hold('POST', '/api/personas/scout/key', { who, body: { name: 'k' } })
  const { id, key } = made as { id: string; key: string }
  const agent = { headers: { 'x-api-key': key } }
  const begun = await hold('POST', `${at}/posts`, {
    ...agent,
    body: { parent: 1, state: 'streaming', clientId: 'c' },
  })
  const { post } = begun as { post: { number: number; run: string } }
  const own = `${at}/posts/${post.number}`
  await hold('POST', `${own}/append`, { ...agent, body: { run: post.run, at: 0, text: 'Words' } })
  await hold('POST', `${own}/append`, { ...agent, body: { run: post.run, at: 9, text: 'Words' } })
  await hold('POST', `${own}/finish`, { ...agent, body: { run: post.run } })
  await hold('GET', '/api/personas/scout/keys', { who })
  await hold('DELETE', `/api/personas/scout/keys/${id}`, { who })
}

/** Signing in in a widget, in both ways. */
async function holdSignIn(hold: Hold, site: string, secret: string): Promise<void> {
  const at = '/api/embed/sign-in'
  await hold('POST', `${at}/token`, { body: { site, token: hs256(secret, goodClaims(site)) } })
  await hold('POST', `${at}/token`, { body: { site, token: hs256('guessed', goodClaims(site)) } })
  await hold('POST', `${at}/token`, { body: { site: 'zzzzzzzzzz', token: 'x' } })
  const started = await hold('POST', `${at}/popup`, { body: { host: 'https://blog.example' } })
  await hold('POST', `${at}/popup`, { body: { host: 'https://evil.example' } })
  const { secret: key, challenge } = started as { secret: string; challenge: string }
  await hold('POST', `${at}/grant`, { body: { challenge } })
  const granted = await hold('POST', `${at}/grant`, { who: ada, body: { challenge } })
  await hold('POST', `${at}/code`, { body: { secret: key, code: 'AAAA-AAAA' } })
  await hold('POST', `${at}/code`, { body: { secret: key, code: (granted as { code: string }).code } })
}

/** All about sites and the threads of their pages. */
async function holdSites(hold: Hold): Promise<void> {
  const who = admin
  const blog = { name: 'Blog', origins: ['https://blog.example'] }
  const added = await hold('POST', '/api/sites', { who, body: blog })
  const site = `/api/sites/${(added as { site: { id: string } }).site.id}`
  await hold('POST', '/api/sites', { who, body: blog })
  await hold('GET', '/api/sites', { who })
  await hold('PATCH', site, { who, body: { rules: { keep: ['id'], aliases: { 'a.example': 'b.example' } } } })
  const made = await hold('POST', `${site}/keys`, { who, body: { algorithm: 'HS256', name: 'k' } })
  await holdSignIn(hold, site.split('/').at(-1)!, (made as { secret: string }).secret)
  await hold('DELETE', `${site}/keys/${(made as { key: { id: string } }).key.id}`, { who })
  await hold('POST', '/api/embed/threads', { who: gus, body: { url: 'https://blog.example/a' } })
  await hold('POST', '/api/embed/threads', { who: gus, body: { url: 'https://evil.example/a' } })
  await hold('GET', '/embed/counts?url=https://blog.example/a&url=https://blog.example/b')
  await hold('DELETE', site, { who })
  await hold('DELETE', site, { who })
}

describe('what the API answers', () => {
  test('is as described, in success and in refusal', async () => {
    const seen = new Map<string, Set<string>>()
    async function hold(method: string, path: string, options?: AskOptions): Promise<unknown> {
      const operation = operationOf(method, path)
      const answer = await app.ask(method, path, options)
      const told = `${method} ${path} ${answer.status}`
      const described = operation.responses[String(answer.status)]
      const value = (await answer.json()) as unknown
      expect(described, `${told}: ${JSON.stringify(value)}`).toBeDefined()
      const content = described!.content[answer.headers.get('content-type')!]
      expect(content, `${told}: ${answer.headers.get('content-type')}`).toBeDefined()
      expect(() => check(content!.schema).parse(value), told).not.toThrow()
      if (!answer.ok) expect(described!.description.split(', ')).toContain((value as { code: string }).code)
      const key = `${method} ${operation.summary}`
      seen.set(key, (seen.get(key) ?? new Set()).add(String(answer.status)))
      return value
    }

    const body = { title: 'T', body: 'https://example.org/\n\nSome *words*', url: 'https://example.org/' }
    const made = (await hold('POST', '/api/threads', { who: ada, body })) as { thread: { id: string } }
    const at = `/api/threads/${made.thread.id}`
    const thumb = `${at}/posts/1/reactions/${encodeURIComponent('👍')}`
    const post = {
      parent: 1,
      body: `/t/${made.thread.id}/1`,
      clientId: 'c-1',
      quote: { number: 1, text: 'words' },
    }
    await hold('POST', `${at}/posts`, { who: gus, body: post })
    await hold('PUT', thumb, { who: gus })
    await hold('GET', '/api/threads')
    await hold('GET', at)
    await hold('GET', `${at}/posts?after=1`)
    await hold('GET', `${at}/posts/2`)
    await hold('PATCH', `${at}/posts/2`, { who: gus, body: { body: 'anew', seq: 9 } })
    await hold('DELETE', thumb, { who: gus })
    await hold('PATCH', at, { who: admin, body: { title: 'New' } })
    await hold('POST', '/api/preview', { who: gus, body: { body: post.body } })
    await hold('PATCH', `/api/users/${ada.id}`, { who: admin, body: { role: 'moderator' } })
    await hold('PUT', `/api/users/${gus.id}/ban`, { who: admin, body: { reason: 'noise' } })
    await hold('DELETE', `/api/users/${gus.id}/ban`, { who: admin })
    await hold('DELETE', `${at}/posts/2`, { who: ada })
    await holdAi(hold, at)
    await holdSites(hold)
    const old = {
      id: 'old',
      name: 'Old',
      kind: 'person',
      role: 'member',
      email: 'old@imported.invalid',
    } as const
    await app.db.insertInto('users').values(old).execute()
    const nothing = { email_hash: null, claim: null, claim_expires_at: null, claimed_at: null }
    await app.db
      .insertInto('placeholders')
      .values({ source: 'disqus', source_id: 'old', user_id: old.id, ...nothing })
      .execute()
    await hold('POST', '/api/claims', { who: admin, body: { source: 'disqus', author: 'old' } })
    // Each operation has succeeded once.
    expect(seen.size).toBe(operations().length)

    // And is refused in every way that holds for all of their kind.
    const places: [string, string][] = operations().map(({ method, path }) => [
      method.toUpperCase(),
      path
        .replace('{thread}', 'zzzzzzzzzz')
        .replace('{site}', 'zzzzzzzzzz')
        .replace('{number}', '1')
        .replace('{emoji}', encodeURIComponent('👍'))
        .replace('{user}', 'nobody')
        .replace('{handle}', 'nobody')
        .replace('{key}', 'nothing')
        .replace('{model}', 'nothing'),
    ])
    for (const [method, path] of places) {
      if (path !== '/api/threads' || method !== 'GET') {
        const nothing =
          method === 'GET' || method === 'DELETE' || path.includes('reactions') ? {} : { body: {} }
        await hold(method, path, { who: admin, ...nothing }).catch((error: unknown) => {
          // Some take even nothing.
          if (path !== '/api/preview') throw error
        })
      }
      if (method === 'GET') {
        await hold(method, `${path}?after=x&cursor=${'x'.repeat(300)}`)
        continue
      }
      await hold(method, path, {
        headers: { origin: 'https://evil.example' },
        body: method === 'DELETE' ? undefined : {},
      })
      const takesBody = operationOf(method, path).requestBody !== undefined
      if (!takesBody) {
        await hold(method, path)
        continue
      }
      await hold(method, path, { who: admin, body: '{' })
      await hold(method, path, { who: admin, body: {}, headers: { 'content-type': 'text/plain' } })
      await hold(method, path, { who: admin, body: 'x'.repeat(300_000) })
    }
    const unread = [`${at}/posts/99`, `${at}/posts/x`, '/api/threads/short', '/api/threads?cursor=x']
    for (const path of unread) await hold('GET', path)
    await hold('POST', `${at}/posts`, { body: post })
    await hold('PATCH', `${at}/posts/2`, { who: ada, body: { body: 'x', seq: 1 } })
    await hold('POST', `${at}/posts`, {
      who: ada,
      body: { ...post, clientId: 'c-2', quote: { number: 1, text: 'nope' } },
    })
  })

  test('is as described when the database is gone', async () => {
    const other = await openApp()
    const who = await guest(other, 'Gus')
    await other.close()
    const requests: [string, string, AskOptions?][] = [
      ['GET', '/api/threads'],
      ['GET', '/api/threads/zzzzzzzzzz'],
      ['POST', '/api/threads', { who, body: { title: 'T', body: 'B' } }],
    ]
    for (const [method, path, options] of requests) {
      const answer = await other.ask(method, path, options)
      expect([500, 503]).toContain(answer.status)
      expect(operationOf(method, path).responses).toHaveProperty(String(answer.status))
      expect(answer.headers.get('content-type')).toBe('application/problem+json')
      expect(await answer.text()).not.toMatch(/select|driver|destroyed|stack/i)
    }
    expect(other.log()).toContain('request failed')
    expect(other.log()).not.toContain(who.token)
  })
})
