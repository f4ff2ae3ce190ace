import { generateKeyPairSync } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { NewSiteKey, Site } from '../../shared/site.ts'
import { guest, member, openApp, type AskOptions, type TestApp, type Visitor } from '../helpers/app.ts'

/** What admins do about sites. Secrets are told once: every other answer and the whole log are searched for them. */

let app: TestApp
let admin: Visitor
let ada: Visitor
let gus: Visitor
const secrets: string[] = []

beforeAll(async () => {
  app = await openApp()
  admin = await member(app, 'Root')
  ada = await member(app, 'Ada')
  gus = await guest(app, 'Gus')
})
beforeEach(() => app.db.deleteFrom('sites').execute())
afterAll(() => app.close())

// oxlint-disable-next-line typescript/no-explicit-any -- answers are looked at, not relied on
type Json = any

async function ask(
  method: string,
  path: string,
  options?: AskOptions,
): Promise<{ status: number; json: Json }> {
  const answer = await app.ask(method, path, { who: admin, ...options })
  const text = await answer.text()
  for (const secret of secrets) expect(text, `${method} ${path}`).not.toContain(secret)
  return { status: answer.status, json: JSON.parse(text) as Json }
}

const blog = { name: 'Blog', origins: ['https://blog.example'] }

async function add(body: object = blog): Promise<Site> {
  const { status, json } = await ask('POST', '/api/sites', { body })
  expect(status, JSON.stringify(json)).toBe(201)
  return json.site as Site
}

async function addKey(site: Site, body: object): Promise<NewSiteKey> {
  const { status, json } = await ask('POST', `/api/sites/${site.id}/keys`, { body })
  expect(status, JSON.stringify(json)).toBe(201)
  const made = json as NewSiteKey
  if (made.secret !== undefined) secrets.push(made.secret)
  return made
}

const list = async () => (await ask('GET', '/api/sites')).json.sites as Site[]

test('a site is added, listed, changed and removed', async () => {
  expect(await list()).toEqual([])
  const added = await add({
    name: ' The  blog ',
    origins: ['https://Blog.example/', 'https://blog.example:443'],
  })
  expect(added).toEqual({
    id: expect.stringMatching(/^[1-9A-HJ-NP-Za-km-z]{10}$/) as string,
    name: 'The blog',
    origins: ['https://blog.example'],
    rules: { keep: [], aliases: {}, trailingSlash: true, index: true },
    defaults: { theme: 'auto', sort: 'oldest', collapsed: false, readOnly: false, locale: '' },
    keys: [],
    threads: 0,
    createdAt: expect.any(String) as string,
  })
  const rules = {
    keep: ['id'],
    aliases: { 'www.blog.example': 'blog.example' },
    trailingSlash: false,
    index: true,
  }
  const path = `/api/sites/${added.id}`
  expect((await ask('PATCH', path, { body: { rules } })).json.site).toEqual({ ...added, rules })
  // What is left out is not put back to what is usual.
  expect((await ask('PATCH', path, { body: { name: 'News' } })).json.site).toEqual({
    ...added,
    rules,
    name: 'News',
  })
  expect(await list()).toEqual([{ ...added, rules, name: 'News' }])
  expect(await ask('DELETE', path)).toMatchObject({ status: 200, json: { ok: true } })
  expect(await list()).toEqual([])
  for (const [method, at, body] of [
    ['DELETE', path],
    ['PATCH', path, {}],
    ['POST', `${path}/keys`, { algorithm: 'HS256', name: 'x' }],
  ] as const) {
    expect(await ask(method, at, body && { body })).toMatchObject({
      status: 404,
      json: { code: 'site-not-found' },
    })
  }
})

test.each<[string, object, path: string, words: RegExp]>([
  ['no name', { name: ' ' }, '/name', /./],
  ['no origin', { origins: [] }, '/origins', /at least one/],
  [
    'an address',
    { origins: ['https://a.example', 'https://a.example/blog'] },
    '/origins/1',
    /“https:\/\/a.example\/blog” is not an origin/,
  ],
  ['a host as an origin', { origins: ['a.example'] }, '/origins/0', /“a.example” is not an origin/],
  ['a parameter with a space', { rules: { keep: ['a b'] } }, '/rules/keep/0', /./],
  [
    'an alias that is an address',
    { rules: { aliases: { 'https://a.example': 'b.example' } } },
    '/rules/aliases',
    /“https:\/\/a.example” is not the name of a host/,
  ],
  [
    'aliases in a row',
    { rules: { aliases: { 'a.example': 'b.example', 'b.example': 'c.example' } } },
    '/rules/aliases',
    /alias itself/,
  ],
  ['a rule that is none', { rules: { trailing: true } }, '/rules', /./],
  ['a locale that is none', { defaults: { locale: 'de"><' } }, '/defaults/locale', /./],
  ['a theme that is none', { defaults: { theme: 'blue' } }, '/defaults/theme', /./],
])('%s is refused, when it is added and when it is changed', async (_, wrong, path, words) => {
  const refused = {
    status: 422,
    json: { code: 'invalid', issues: [{ path, message: expect.stringMatching(words) as string }] },
  }
  expect(await ask('POST', '/api/sites', { body: { ...blog, ...wrong } })).toMatchObject(refused)
  const { id } = await add()
  expect(await ask('PATCH', `/api/sites/${id}`, { body: wrong })).toMatchObject(refused)
  expect(await list()).toHaveLength(1)
})

test('an origin of another site is refused at its field', async () => {
  await add()
  const refused = await ask('POST', '/api/sites', {
    body: { name: 'Other', origins: ['https://blog.example'] },
  })
  expect(refused).toMatchObject({
    status: 409,
    json: {
      code: 'origin-taken',
      issues: [{ path: '/origins', message: 'https://blog.example belongs to the site “Blog”' }],
    },
  })
})

describe('keys', () => {
  const pem = (type: 'ed25519' | 'ed448' | 'x25519') =>
    // oxlint-disable-next-line typescript/no-explicit-any -- one call for all kinds
    generateKeyPairSync(type as any, {
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    }) as unknown as { publicKey: string; privateKey: string }

  test('a secret is told once, a public key is taken, and both can be revoked', async () => {
    const site = await add()
    const made = await addKey(site, { algorithm: 'HS256', name: 'blog server' })
    expect(made.secret).toMatch(/^[\w-]{43}$/)
    const { publicKey } = pem('ed25519')
    // As it comes out of an editor.
    const given = await addKey(site, {
      algorithm: 'EdDSA',
      name: 'new server',
      publicKey: `\n${publicKey.replaceAll('\n', '\r\n')}  `,
    })
    expect(given).toEqual({
      key: expect.objectContaining({ algorithm: 'EdDSA', name: 'new server' }) as object,
    })
    expect((await list())[0]!.keys).toEqual([made.key, given.key])
    const rows = await app.db.selectFrom('site_keys').select('key').orderBy('created_at').execute()
    expect(rows[0]!.key).not.toContain(made.secret)
    expect(rows[1]!.key).toBe(publicKey)
    for (const { id } of [made.key, given.key]) {
      const path = `/api/sites/${site.id}/keys/${id}`
      expect((await ask('DELETE', path)).status).toBe(200)
      expect((await ask('DELETE', path)).json).toMatchObject({ code: 'not-found' })
    }
    expect((await list())[0]!.keys).toEqual([])
  })

  test.each<[string, key: () => string, words: string]>([
    ['a private key', () => pem('ed25519').privateKey, 'is a private key'],
    ['a key for another curve', () => pem('ed448').publicKey, 'is a key for ed448'],
    ['a key for exchanges', () => pem('x25519').publicKey, 'is a key for x25519'],
    [
      'an RSA key',
      () =>
        generateKeyPairSync('rsa', { modulusLength: 1024 })
          .publicKey.export({ type: 'spki', format: 'pem' })
          .toString(),
      'is a key for rsa',
    ],
    ['text', () => 'ssh-ed25519 AAAAC3Nza ada@home', 'is not a public key in PEM'],
    ['nothing', () => '', 'is not a public key in PEM'],
    ['a broken key', () => pem('ed25519').publicKey.replace(/^M.{9}/m, ''), 'is not a public key in PEM'],
  ])('%s is not taken', async (_, key, words) => {
    const site = await add()
    const body = { algorithm: 'EdDSA', name: 'x', publicKey: key() }
    const { status, json } = await ask('POST', `/api/sites/${site.id}/keys`, { body })
    expect({ status, ...json }).toMatchObject({
      status: 422,
      code: 'invalid',
      issues: [{ path: '/publicKey' }],
    })
    expect(json.issues[0].message).toContain(words)
    expect((await list())[0]!.keys).toEqual([])
  })
})

test('admins only', async () => {
  const site = await add()
  const { key } = await addKey(site, { algorithm: 'HS256', name: 'x' })
  const at = `/api/sites/${site.id}`
  const operations: [string, string, object?][] = [
    ['GET', '/api/sites'],
    ['POST', '/api/sites', { name: 'x', origins: ['https://x.example'] }],
    ['PATCH', at, { name: 'x' }],
    ['POST', `${at}/keys`, { algorithm: 'HS256', name: 'x' }],
    ['DELETE', `${at}/keys/${key.id}`],
    ['DELETE', at],
    // Whether there is one is no one else's business, either.
    ['DELETE', '/api/sites/k3v9x2q7ab'],
  ]
  for (const [method, path, body] of operations) {
    for (const who of [gus, ada]) {
      const refused = await ask(method, path, { who, ...(body && { body }) })
      expect(refused, `${method} ${path}`).toMatchObject({ status: 403, json: { code: 'forbidden' } })
    }
    const nobody = await ask(method, path, { who: { headers: {} }, ...(body && { body }) })
    expect(nobody.json, `${method} ${path}`).toMatchObject({ code: 'sign-in-required' })
  }
  expect(await list()).toEqual([{ ...site, keys: [key] }])
})

test('the log holds no secret', () => {
  expect(secrets.length).toBeGreaterThan(1)
  expect(app.log()).toContain('request')
  for (const secret of secrets) expect(app.log()).not.toContain(secret)
})
