import { createSign, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ensureShippedPersonas } from '../../server/ai/personas.ts'
import { createMemoryBus } from '../../server/bus/memory.ts'
import {
  call,
  credentials,
  describeOnBoth,
  openNode,
  origin,
  signInGuest,
  type AccountsDatabase,
  type Node,
} from './accounts-fixture.ts'

interface Provider {
  readonly url: string
  /** What the next id token says; the nonce is added. */
  claims: Record<string, unknown>
  nonce: string
  signWith: KeyObject
  server: Server
}

/** An OpenID provider on this machine that signs in whoever `claims` says. */
async function startProvider(): Promise<Provider> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const server = createServer((request, response) => {
    const answer = (body: unknown) =>
      response.setHeader('content-type', 'application/json').end(JSON.stringify(body))
    request.resume().on('end', () => {
      if (request.url === '/.well-known/openid-configuration') {
        answer({
          issuer: provider.url,
          authorization_endpoint: `${provider.url}/authorize`,
          token_endpoint: `${provider.url}/token`,
          jwks_uri: `${provider.url}/keys`,
          id_token_signing_alg_values_supported: ['RS256'],
        })
      } else if (request.url === '/keys') {
        answer({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'key', alg: 'RS256', use: 'sig' }] })
      } else {
        const now = Math.floor(Date.now() / 1000)
        const standard = { iss: provider.url, aud: 'client', iat: now, exp: now + 60, nonce: provider.nonce }
        answer({
          access_token: 'access',
          token_type: 'Bearer',
          id_token: sign({ ...standard, ...provider.claims }, provider.signWith),
        })
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const provider: Provider = { url, claims: {}, nonce: '', signWith: privateKey, server }
  return provider
}

function sign(claims: object, key: KeyObject): string {
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')
  const text = `${encode({ alg: 'RS256', kid: 'key', typ: 'JWT' })}.${encode(claims)}`
  return `${text}.${createSign('RSA-SHA256').update(text).sign(key, 'base64url')}`
}

describeOnBoth('an OpenID provider', (open) => {
  let database: AccountsDatabase
  let provider: Provider
  let node: Node

  beforeAll(async () => {
    database = await open()
    provider = await startProvider()
    const discoveryUrl = `${provider.url}/.well-known/openid-configuration`
    const oidc = { id: 'house', name: 'House', discoveryUrl, clientId: 'client', clientSecret: 'secret' }
    node = await openNode(database.db, createMemoryBus(), { oauth: { oidc } })
  })
  afterAll(async () => {
    await database.close()
    provider.server.close()
  })

  /** Goes to the provider and comes back. */
  async function signInThere(cookie = ''): Promise<Response> {
    const start = await call(
      node,
      'sign-in/social',
      { provider: 'house', callbackURL: '/' },
      cookie ? { cookie } : {},
    )
    const { url } = (await start.json()) as { url: string }
    const { searchParams } = new URL(url)
    provider.nonce = searchParams.get('nonce') ?? ''
    const cookies = [cookie, ...start.headers.getSetCookie().map((line) => line.split(';')[0]!)].filter(
      Boolean,
    )
    const back = new URL(searchParams.get('redirect_uri')!)
    back.searchParams.set('code', 'code')
    back.searchParams.set('state', searchParams.get('state')!)
    expect(back.origin).toBe(origin)
    return node.handle(new Request(back, { headers: { cookie: cookies.join('; ') } }))
  }

  const identityAfter = (answer: Response) => {
    const cookie = answer.headers.getSetCookie().map((line) => line.split(';')[0]!)
    return node.identify(new Headers(credentials({ cookie: cookie.join('; ') })))
  }

  test('signs people up, whom it names as it likes, with what they wrote as guests', async () => {
    const guest = await signInGuest(node, 'Guest')
    await database.db
      .insertInto('threads')
      .values({ id: 'thread', title: 'A', url: null, link_id: null })
      .execute()
    const text = { body: '', html: '', excerpt: '', quote_number: null, quote_text: null, edited_at: null }
    await database.db
      .insertInto('posts')
      .values({
        thread_id: 'thread',
        number: 1,
        parent: null,
        author_id: guest.id,
        ...text,
        state: 'complete',
        client_id: 'a',
        seq: 1,
        body_seq: 1,
      })
      .execute()
    provider.claims = {
      sub: '1',
      email: 'ada@example.test',
      email_verified: true,
      name: `\u202eAda ${'x'.repeat(100)}`,
    }
    const answer = await signInThere(guest.cookie)
    expect(answer.status).toBe(302)
    expect(answer.headers.get('location')).toBe('/')
    const identity = await identityAfter(answer)
    expect(identity?.actor).toMatchObject({ kind: 'person', role: 'admin' })
    expect(identity?.actor.name).toMatch(/^Ada x{50,56}$/)
    const post = await database.db.selectFrom('posts').select('author_id').executeTakeFirst()
    expect(post).toEqual({ author_id: identity?.actor.id })
    expect(node.logged).toEqual([])
  })

  test('makes nobody an AI participant, neither by name nor by address', async () => {
    await ensureShippedPersonas(database.db)
    provider.claims = { sub: '3', email: 'max@example.test', email_verified: true, name: 'EXPLAIN' }
    const named = await identityAfter(await signInThere())
    expect(named?.actor).toMatchObject({ kind: 'person', name: 'Member' })
    provider.claims = { sub: '4', email: 'explain@personas.invalid', email_verified: true, name: 'Max' }
    expect(await identityAfter(await signInThere())).toBeNull()
    provider.claims = { sub: '5', email: 'new@personas.invalid', email_verified: true, name: 'Max' }
    expect(await identityAfter(await signInThere())).toBeNull()
    const sessions = database.db.withTables<{ sessions: { user_id: string } }>().selectFrom('sessions')
    const machines = await sessions.select('user_id').where('user_id', 'like', 'persona-%').execute()
    expect(machines).toEqual([])
  })

  test('is not believed when another key signed', async () => {
    const genuine = provider.signWith
    provider.signWith = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
    provider.claims = { sub: '2', email: 'eve@example.test', email_verified: true, name: 'Eve' }
    const answer = await signInThere()
    provider.signWith = genuine
    expect(answer.status).toBe(302)
    expect(answer.headers.get('location')).toContain('error=')
    expect(await identityAfter(answer)).toBeNull()
    expect(
      await database.db.selectFrom('users').select('id').where('email', '=', 'eve@example.test').execute(),
    ).toEqual([])
  })
})
