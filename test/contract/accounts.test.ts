import { sql, type KyselyPlugin } from 'kysely'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { loadSecret } from '../../server/accounts/secret.ts'
import { topics } from '../../server/bus/bus.ts'
import { createMemoryBus } from '../../server/bus/memory.ts'
import type { Db } from '../../server/store/database.ts'
import {
  call,
  credentials,
  describeOnBoth,
  emptyTables,
  openNode,
  password,
  problemOf,
  signedIn,
  signIn,
  signInGuest,
  signUp,
  whoIs,
  type AccountsDatabase,
  type Node,
} from './accounts-fixture.ts'

describeOnBoth('accounts', (open) => {
  let database: AccountsDatabase
  let db: Db
  let node: Node

  beforeAll(async () => {
    database = await open()
    db = database.db
  })
  afterAll(() => database.close())
  beforeEach(async () => {
    await emptyTables(db)
    node = await openNode(db, createMemoryBus())
  })

  test('a guest signs in with a name, by cookie and by bearer token', async () => {
    const response = await call(node, 'sign-in/anonymous', { name: '  Ada \u202e Lovelace ' })
    const [cookie] = response.headers.getSetCookie()
    expect(cookie).toMatch(/^numinex\.session_token=/)
    expect(cookie).toMatch(/; HttpOnly/i)
    expect(cookie).toMatch(/; SameSite=Lax/i)
    expect(cookie).not.toMatch(/; Secure/i)
    const guest = await signedIn(response)
    const identity = await node.identify(new Headers(credentials({ token: guest.token })))
    expect(identity).toEqual({
      actor: { id: guest.id, name: 'Ada Lovelace', kind: 'guest', role: 'guest' },
      sessionId: expect.any(String),
    })
    expect(await node.identify(new Headers(credentials({ cookie: guest.cookie })))).toEqual(identity)
    expect(node.logged).toEqual([])
  })

  test('cookies are for HTTPS alone where the site is', async () => {
    const publicUrl = 'https://numinex.test'
    const secure = await openNode(db, createMemoryBus(), { publicUrl })
    const response = await call(secure, 'sign-in/anonymous', { name: 'Ada' }, { origin: publicUrl })
    expect(response.headers.getSetCookie()[0]).toMatch(/^__Secure-numinex\.session_token=.*; Secure/i)
  })

  test.each([[''], ['   '], ['\u0000\u202e'], ['x'.repeat(61)], [7], [{}]])(
    'a guest cannot be named %j',
    async (name) => {
      const answer = await problemOf(call(node, 'sign-in/anonymous', { name }))
      expect(answer).toEqual({ status: 422, code: 'invalid' })
      expect(await count(db, 'users')).toBe(0)
    },
  )

  test.each([[{}], [undefined]])('a guest without a name gets one (%j)', async (body) => {
    const headers = { 'content-type': 'application/json', origin: 'http://numinex.test' }
    const init = {
      method: 'POST',
      headers: body ? headers : { origin: headers.origin },
      body: body ? JSON.stringify(body) : null,
    }
    const guest = await signedIn(
      node.handle(new Request('http://numinex.test/api/auth/sign-in/anonymous', init)),
    )
    const identity = await node.identify(new Headers(credentials(guest)))
    expect(identity?.actor.name).toMatch(/^Guest [A-Z][a-z]+$/)
  })

  test('people sign up, sign in, and only the first becomes admin', async () => {
    await signInGuest(node, 'Guest')
    const first = await signUp(node, 'Ada')
    const second = await signUp(node, 'Grace')
    const roleOf = async (token: string) => (await node.identify(new Headers(credentials({ token }))))?.actor
    expect(await roleOf(first.token)).toEqual({ id: first.id, name: 'Ada', kind: 'person', role: 'admin' })
    expect(await roleOf(second.token)).toEqual({
      id: second.id,
      name: 'Grace',
      kind: 'person',
      role: 'member',
    })
    const again = await signedIn(signIn(node, 'Grace'))
    expect(again.id).toBe(second.id)
    expect(again.token).not.toBe(second.token)
  })

  test('of many first sign-ups at once, on two nodes, exactly one becomes admin', async () => {
    const other = await openNode(db, createMemoryBus())
    const names = ['A', 'B', 'C', 'D', 'E', 'F']
    await Promise.all(names.map((name, i) => signUp(i % 2 === 0 ? node : other, name)))
    const admins = await db.selectFrom('users').select('id').where('role', '=', 'admin').execute()
    expect(admins).toHaveLength(1)
    expect(await count(db, 'users')).toBe(names.length)
  })

  test('nobody chooses their own role, kind or ban', async () => {
    await signUp(node, 'Admin')
    const eve = await signUp(node, 'Eve')
    const wishes = [
      { role: 'admin' },
      { kind: 'ai' },
      { banned: true },
      { isAnonymous: true },
      { banExpires: new Date() },
    ]
    for (const [i, wish] of wishes.entries()) {
      // Refused or passed over, the wish is not granted.
      await call(node, 'sign-up/email', { name: 'Eve', email: `eve${i}@example.test`, password, ...wish })
      await call(node, 'update-user', { name: 'Eve', ...wish }, eve)
    }
    const rows =
      await sql`select distinct role, kind, banned, is_anonymous, ban_expires from users where name = 'Eve'`.execute(
        db,
      )
    expect(rows.rows).toEqual([
      { role: 'member', kind: 'person', banned: false, is_anonymous: false, ban_expires: null },
    ])
  })

  test('names are checked at sign-up and when they change', async () => {
    const bad = { name: '\u202e ', email: 'ada@example.test', password }
    expect(await problemOf(call(node, 'sign-up/email', bad))).toEqual({ status: 422, code: 'invalid' })
    const ada = await signUp(node, 'Ada')
    expect(await problemOf(call(node, 'update-user', { name: 'y'.repeat(61) }, ada))).toEqual({
      status: 422,
      code: 'invalid',
    })
    // Composed: the e and its accent become one character.
    expect((await call(node, 'update-user', { name: ' Re\u0301ne\u0301e\t' }, ada)).status).toBe(200)
    expect((await node.identify(new Headers(credentials(ada))))?.actor.name).toBe('R\u00e9n\u00e9e')
  })

  test('refusals are problem documents', async () => {
    const short = { name: 'Ada', email: 'ada@example.test', password: 'ninechars' }
    expect(await problemOf(call(node, 'sign-up/email', short))).toEqual({
      status: 400,
      code: 'password-too-short',
    })
    await signUp(node, 'Ada')
    const wrong = { email: 'ada@example.test', password: 'not the password' }
    expect(await problemOf(call(node, 'sign-in/email', wrong))).toEqual({
      status: 401,
      code: 'invalid-email-or-password',
    })
    expect(await problemOf(call(node, 'sign-in/email', { email: 7 }))).toEqual({
      status: 422,
      code: 'invalid',
    })
    expect(await problemOf(call(node, 'no-such-path', {}))).toEqual({ status: 404, code: 'not-found' })
    expect(await problemOf(call(node, 'list-sessions'))).toEqual({ status: 401, code: 'sign-in-required' })
    const form = {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: 'name=Ada',
    }
    const posted = node.handle(new Request('http://numinex.test/api/auth/sign-in/anonymous', form))
    expect(await problemOf(posted)).toEqual({ status: 415, code: 'unsupported-type' })
    const broken = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"name":' }
    const torn = node.handle(new Request('http://numinex.test/api/auth/sign-in/anonymous', broken))
    expect(await problemOf(torn)).toEqual({ status: 400, code: 'bad-request' })
  })

  test('other origins can neither use a cookie nor make guests', async () => {
    const ada = await signUp(node, 'Ada')
    const foreign = 'https://evil.test'
    const { cookie } = ada
    expect(await problemOf(call(node, 'sign-out', {}, { cookie, origin: foreign }))).toEqual({
      status: 403,
      code: 'cross-site',
    })
    expect(await whoIs(node, ada)).toBe(ada.id)
    const guest = call(node, 'sign-in/anonymous', { name: 'Eve' }, { origin: foreign })
    expect(await problemOf(guest)).toEqual({ status: 403, code: 'cross-site' })
    expect(await problemOf(signIn(node, 'Ada', { origin: foreign }))).toEqual({
      status: 403,
      code: 'cross-site',
    })
    const trusting = await openNode(db, createMemoryBus(), { trustedOrigins: () => [foreign] })
    expect((await call(trusting, 'sign-in/anonymous', { name: 'Eve' }, { origin: foreign })).status).toBe(200)
  })

  test('tokens that are malformed, forged or expired are nobody', async () => {
    const ada = await signUp(node, 'Ada')
    const [raw] = ada.token.split('.')
    const bad = [
      '',
      '.',
      'x',
      '%',
      '%zz.%zz',
      `${raw}`,
      `${raw}.AAAA`,
      `${ada.token}x`,
      'é'.repeat(3),
      'a.'.repeat(5000),
      '\u007f',
    ]
    for (const token of bad) {
      expect(await whoIs(node, { token })).toBeNull()
      expect(await whoIs(node, { cookie: `numinex.session_token=${encodeURIComponent(token)}` })).toBeNull()
      expect(await node.identify(new Headers({ 'x-api-key': token }))).toBeNull()
    }
    for (const cookie of ['numinex.session_token=%', '=;=;', ';', 'numinex.session_token', 'a=%E0%A4%A']) {
      expect(await whoIs(node, { cookie })).toBeNull()
    }
    for (const authorization of ['Bearer', 'Basic YTpi', 'bearer  ']) {
      expect(await node.identify(new Headers({ authorization }))).toBeNull()
    }
    expect(await node.identify(new Headers())).toBeNull()
    expect(await whoIs(node, ada)).toBe(ada.id)
    await sql`update sessions set expires_at = now() - interval '1 second'`.execute(db)
    expect(await whoIs(node, { token: ada.token })).toBeNull()
    expect(await whoIs(node, { cookie: ada.cookie })).toBeNull()
  })

  test('a token of another secret is nobody', async () => {
    const ada = await signUp(node, 'Ada')
    const other = await openNode(db, createMemoryBus(), {
      secret: 'another secret, as long as the first one was',
    })
    expect(await whoIs(other, ada)).toBeNull()
  })

  test('identifying costs one query, and none for readers without an account', async () => {
    let queries = 0
    const counter: KyselyPlugin = {
      transformQuery: ({ node }) => (queries++, node),
      transformResult: async ({ result }) => result,
    }
    const counted = await openNode(db.withPlugin(counter), createMemoryBus())
    const ada = await signUp(counted, 'Ada')
    const key = await createKey(counted, ada)
    const costs: number[] = []
    for (const headers of [
      {},
      credentials({ token: ada.token }),
      credentials({ cookie: ada.cookie }),
      // The first use in an hour is noted.
      { 'x-api-key': key },
      { 'x-api-key': key },
    ]) {
      const before = queries
      await counted.identify(new Headers(headers))
      costs.push(queries - before)
    }
    expect(costs).toEqual([0, 1, 1, 2, 1])
  })

  test('an API key identifies its owner until it expires, is disabled or deleted', async () => {
    const ada = await signUp(node, 'Ada')
    const key = await createKey(node, ada)
    const who = () => node.identify(new Headers({ 'x-api-key': key }))
    expect(await who()).toEqual({
      actor: { id: ada.id, name: 'Ada', kind: 'person', role: 'admin' },
      sessionId: null,
    })
    expect(await node.identify(new Headers({ 'x-api-key': `${key}x`, ...credentials(ada) }))).toBeNull()
    await sql`update api_keys set enabled = false`.execute(db)
    expect(await who()).toBeNull()
    await sql`update api_keys set enabled = true, expires_at = now() - interval '1 second'`.execute(db)
    expect(await who()).toBeNull()
    await sql`update api_keys set expires_at = now() + interval '1 minute'`.execute(db)
    expect((await who())?.actor.id).toBe(ada.id)
    const stored = await sql<{ key: string }>`select key from api_keys`.execute(db)
    expect(stored.rows[0]!.key).not.toContain(key)
    const { id } = (await sql<{ id: string }>`select id from api_keys`.execute(db)).rows[0]!
    expect((await call(node, 'api-key/delete', { keyId: id }, ada)).status).toBe(200)
    expect(await who()).toBeNull()
  })

  test('an API key opens no session, and guests get none', async () => {
    const ada = await signUp(node, 'Ada')
    const key = await createKey(node, ada)
    const headers = { 'x-api-key': key }
    const session = await node.handle(new Request('http://numinex.test/api/auth/get-session', { headers }))
    expect(await session.json()).toBeNull()
    const guest = await signInGuest(node, 'Guest')
    for (const caller of [{ token: guest.token }, { cookie: guest.cookie }]) {
      expect(await problemOf(call(node, 'api-key/create', { name: 'k' }, caller))).toEqual({
        status: 403,
        code: 'forbidden',
      })
    }
  })

  test('the secret is made once for all nodes, and a configured one wins', async () => {
    const secrets = await Promise.all([loadSecret(db), loadSecret(db), loadSecret(db)])
    expect(new Set(secrets).size).toBe(1)
    expect(Buffer.from(secrets[0], 'base64url')).toHaveLength(32)
    expect(await loadSecret(db)).toBe(secrets[0])
    expect(await loadSecret(db, 'configured')).toBe('configured')
  })

  test('what comes on the bus is checked before it is handed on', async () => {
    const bus = createMemoryBus()
    const listener = await openNode(db, bus)
    for (const message of [
      '',
      'x',
      '[]',
      '{}',
      '{"userId":1}',
      '{"userId":""}',
      '{"userId":"a","extra":1}',
    ]) {
      await bus.publish(topics.accounts, message)
    }
    expect(listener.changes).toEqual([])
    await bus.publish(topics.accounts, '{"userId":"a","sessionId":"b"}')
    expect(listener.changes).toEqual([{ userId: 'a', sessionId: 'b' }])
  })
})

async function count(db: Db, table: 'users'): Promise<number> {
  const row = await db
    .selectFrom(table)
    .select(({ fn }) => fn.countAll<string | number>().as('n'))
    .executeTakeFirstOrThrow()
  return Number(row.n)
}

async function createKey(node: Node, owner: { token: string }): Promise<string> {
  const response = await call(node, 'api-key/create', { name: 'robot' }, { token: owner.token })
  expect(response.status).toBe(200)
  const { key } = (await response.json()) as { key: string }
  expect(key).toMatch(/^nx_/)
  return key
}
