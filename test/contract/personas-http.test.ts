import { afterAll, beforeAll, expect, test } from 'vitest'
import { ensureShippedPersonas } from '../../server/ai/personas.ts'
import { shippedPersonas } from '../../server/ai/shipped.ts'
import { today } from '../../server/store/budgets.ts'
import type { AdminPersona, AiUsage, NewAgentKey } from '../../shared/persona-admin.ts'
import type { Persona } from '../../shared/persona.ts'
import { guest, member, openApp, type TestApp, type Visitor } from '../helpers/app.ts'

let app: TestApp
let admin: Visitor
let ada: Visitor

beforeAll(async () => {
  const daily = { site: 1_000_000, thread: 200_000, person: 100_000, guest: 20_000 }
  app = await openApp({ budgets: { daily, atOnce: { site: 8, thread: 4, person: 2 } } })
  await ensureShippedPersonas(app.db)
  admin = await member(app, 'Root')
  ada = await member(app, 'Ada')
})
afterAll(() => app.close())

const agent = { handle: 'scout', name: 'Scout', external: true }
const listed = async (who?: Visitor) => {
  const answer = await app.ask('GET', '/api/personas', who && { who })
  return (await answer.json()) as { personas: Persona[] }
}

test('everyone is told who can be asked, and may keep it for a moment', async () => {
  const answer = await app.ask('GET', '/api/personas')
  expect(answer.status).toBe(200)
  expect(answer.headers.get('cache-control')).toBe('public, max-age=5')
  const { personas } = (await answer.json()) as { personas: Persona[] }
  expect(personas.map(({ handle }) => handle)).toEqual(shippedPersonas.map(({ handle }) => handle))
  for (const persona of personas) {
    expect(Object.keys(persona).toSorted()).toEqual([
      'askers',
      'description',
      'external',
      'handle',
      'id',
      'model',
      'name',
      'offline',
      'picture',
    ])
  }
  // Admins find no more there: what is kept for one reader may be shown to another.
  expect(await listed(admin)).toEqual({ personas })
})

test('only admins read and change the rest', async () => {
  const gus = await guest(app, 'Gus')
  const requests: [string, string, object?][] = [
    ['GET', '/api/personas/all'],
    ['POST', '/api/personas', agent],
    ['PATCH', '/api/personas/explain', { enabled: false }],
    ['POST', '/api/personas/explain/key', { name: 'k' }],
    ['GET', '/api/personas/explain/keys'],
    ['DELETE', '/api/personas/explain/keys/k'],
    ['GET', '/api/ai/usage'],
  ]
  for (const [method, path, body] of requests) {
    const more = body && { body }
    expect((await app.ask(method, path, more)).status, path).toBe(401)
    for (const who of [ada, gus]) {
      const answer = await app.ask(method, path, { ...more, who })
      expect(answer.status, path).toBe(403)
      expect(await answer.json()).toMatchObject({ code: 'forbidden' })
    }
  }
  expect((await listed()).personas).toHaveLength(shippedPersonas.length)
})

test('admins add, change and disable', async () => {
  const body = { handle: 'haiku', name: 'Haiku', instructions: 'Seventeen syllables.', picture: '🍵' }
  const made = await app.ask('POST', '/api/personas', { who: admin, body })
  expect(made.status).toBe(201)
  expect(await made.json()).toMatchObject({
    persona: { ...body, enabled: true, version: 1, askers: 'everyone' },
  })
  const again = await app.ask('POST', '/api/personas', { who: admin, body })
  expect(again.status).toBe(409)
  expect(await again.json()).toMatchObject({ code: 'handle-taken', issues: [{ path: '/handle' }] })
  const changed = await app.ask('PATCH', '/api/personas/haiku', {
    who: admin,
    body: { handle: 'poem', enabled: false },
  })
  expect(await changed.json()).toMatchObject({ persona: { handle: 'poem', enabled: false, version: 2 } })
  expect((await listed()).personas.map(({ handle }) => handle)).not.toContain('poem')
  const all = await app.ask('GET', '/api/personas/all', { who: admin })
  expect(all.headers.get('cache-control')).toBe('no-store')
  const { personas } = (await all.json()) as { personas: AdminPersona[] }
  expect(personas.at(-1)).toMatchObject({ handle: 'poem', instructions: 'Seventeen syllables.' })
  expect(personas[0]).toMatchObject({
    instructions: null,
    shippedInstructions: shippedPersonas[0]!.instructions,
  })
  const gone = await app.ask('PATCH', '/api/personas/haiku', { who: admin, body: {} })
  expect(await gone.json()).toMatchObject({ code: 'persona-not-found', status: 404 })
})

test('what is wrong is told by field', async () => {
  const wrong: [object, string, RegExp][] = [
    [{ handle: 'No Way' }, '/handle', /small letters/],
    [{ handle: 'x' }, '/handle', /small letters/],
    [{ picture: 'owl' }, '/picture', /one emoji/],
    [{ instructions: '  ' }, '/instructions', /empty/],
    [{ description: 'x'.repeat(201) }, '/description', /at most 200/],
    [{ maxOutputTokens: 1.5 }, '/maxOutputTokens', /whole number from 50 to/],
    [{ contextTokens: 9 }, '/contextTokens', /whole number from 1000 to/],
    [{ modelId: 'none' }, '/modelId', /no such model/],
  ]
  for (const [more, path, message] of wrong) {
    const body = { handle: 'fine', name: 'Fine', instructions: 'Be fine.', ...more }
    const answer = await app.ask('POST', '/api/personas', { who: admin, body })
    expect(answer.status, path).toBe(422)
    expect(await answer.json()).toMatchObject({
      code: 'invalid',
      issues: [{ path, message: expect.stringMatching(message) }],
    })
  }
})

test('an agent writes by its key, and no more once that is revoked', async () => {
  expect((await app.ask('POST', '/api/personas', { who: admin, body: agent })).status).toBe(201)
  const made = await app.ask('POST', '/api/personas/scout/key', { who: admin, body: { name: 'laptop' } })
  expect(made.status).toBe(201)
  expect(made.headers.get('cache-control')).toBe('no-store')
  const { id, key } = (await made.json()) as NewAgentKey
  const begun = await app.ask('POST', '/api/threads', { who: ada, body: { title: 'T', body: 'B' } })
  const { thread } = (await begun.json()) as { thread: { id: string } }
  const write = (clientId: string) =>
    app.ask('POST', `/api/threads/${thread.id}/posts`, {
      headers: { 'x-api-key': key },
      body: { parent: 1, body: 'From elsewhere', clientId },
    })
  const post = await write('a')
  expect(post.status).toBe(201)
  expect(await post.json()).toMatchObject({ post: { author: { name: 'Scout', kind: 'ai' } } })
  const keys = await app.ask('GET', '/api/personas/scout/keys', { who: admin })
  const text = await keys.text()
  expect(JSON.parse(text)).toMatchObject({ keys: [{ id, name: 'laptop', lastUsed: expect.any(String) }] })
  expect(text).not.toContain(key)
  expect(app.log()).not.toContain(key)
  expect((await app.ask('DELETE', `/api/personas/scout/keys/${id}`, { who: admin })).status).toBe(200)
  expect((await write('b')).status).toBe(401)
  expect((await app.ask('DELETE', `/api/personas/scout/keys/${id}`, { who: admin })).status).toBe(404)
})

test('admins are told what AI replies take today', async () => {
  const count = { spent: 30, reserved: 4 }
  await app.db
    .insertInto('ai_budgets')
    .values([
      { scope: 'site', day: today(), ...count },
      { scope: `person:${ada.id}`, day: today(), ...count },
    ])
    .execute()
  const answer = await app.ask('GET', '/api/ai/usage', { who: admin })
  expect(answer.headers.get('cache-control')).toBe('no-store')
  expect((await answer.json()) as AiUsage).toEqual({
    day: today(),
    allowed: { site: 1_000_000, thread: 200_000, person: 100_000, guest: 20_000 },
    site: count,
    threads: [],
    people: [{ id: ada.id, name: 'Ada', kind: 'person', ...count }],
  })
})

test('the admin page is for admins', async () => {
  const headers = { accept: 'text/html' }
  const gus = await guest(app, 'Gus')
  const refusals = [
    { headers },
    ...[ada, gus].map((who) => ({ headers: { ...headers, cookie: who.cookie } })),
  ]
  for (const options of refusals) {
    const answer = await app.ask('GET', '/admin', options)
    expect(answer.status).toBe(403)
    const html = await answer.text()
    expect(html).toContain('Only admins see this page.')
    expect(html).not.toContain('id="admin"')
    expect(html).not.toContain('href="/admin"')
  }
  const answer = await app.ask('GET', '/admin', { headers: { ...headers, cookie: admin.cookie } })
  expect(answer.status).toBe(200)
  expect(answer.headers.get('cache-control')).toBe('private, no-cache')
  const html = await answer.text()
  expect(html).toContain('id="admin"')
  expect(html).toContain('<meta name="robots" content="noindex"/>')
  expect(html).toContain('"page":"admin"')
  // Whoever is admin finds it from every page.
  const front = await app.ask('GET', '/', { headers: { cookie: admin.cookie } })
  expect(await front.text()).toContain('<a href="/admin">Admin</a>')
})
