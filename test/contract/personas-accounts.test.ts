import { hashPassword } from 'better-auth/crypto'
import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { ban, setRole, unban } from '../../server/accounts/moderation.ts'
import type { Model } from '../../server/ai/model.ts'
import {
  addAgentKey,
  agentKeys,
  changePersona,
  createPersona,
  removeAgentKey,
  type PersonaAdminParts,
} from '../../server/ai/persona-admin.ts'
import { ensureShippedPersonas } from '../../server/ai/personas.ts'
import { createMemoryBus } from '../../server/bus/memory.ts'
import type { Db } from '../../server/store/database.ts'
import type { Actor } from '../../server/threads/access.ts'
import { Problem } from '../../shared/errors.ts'
import { addPersona } from '../../shared/persona-admin.ts'
import {
  call,
  credentials,
  describeOnBoth,
  emptyTables,
  openNode,
  password,
  problemOf,
  signedIn,
  signInGuest,
  signUp,
  whoIs,
  type AccountsDatabase,
  type Node,
  type SignedIn,
} from './accounts-fixture.ts'

describeOnBoth('accounts of AI participants', (open) => {
  let database: AccountsDatabase
  let db: Db
  let node: Node
  /** Another node, which must hear of everything. */
  let other: Node
  let admin: SignedIn
  let actor: Actor
  let parts: PersonaAdminParts

  beforeAll(async () => {
    database = await open()
    db = database.db
  })
  afterAll(() => database.close())
  beforeEach(async () => {
    await emptyTables(db)
    const bus = createMemoryBus()
    node = await openNode(db, bus)
    other = await openNode(db, bus)
    await ensureShippedPersonas(db)
    admin = await signUp(node, 'Root')
    actor = (await node.identify(new Headers(credentials({ token: admin.token }))))!.actor
    parts = { db, bus, models: { find: () => Promise.resolve({ name: 'M', offline: false } as Model) } }
  })

  const byKey = async (key: string) => (await node.identify(new Headers({ 'x-api-key': key })))?.actor ?? null
  const codeOf = (done: Promise<unknown>) =>
    done.then(
      () => 'done',
      (error: unknown) => (error instanceof Problem ? error.code : error),
    )

  async function addAgent(handle: string, name: string): Promise<string> {
    return (await createPersona(parts, actor, addPersona.parse({ handle, name, external: true }))).id
  }

  test('the first person, not a machine, is admin', () => {
    expect(actor).toMatchObject({ name: 'Root', kind: 'person', role: 'admin' })
  })

  test('a key makes its bearer the persona, until it is revoked', async () => {
    const id = await addAgent('scout', 'Scout')
    const one = await addAgentKey(parts, actor, 'scout', 'laptop')
    const two = await addAgentKey(parts, actor, 'scout', 'server')
    expect(one.key).toMatch(/^nx_[\w-]{40,}$/)
    expect(await byKey(one.key)).toEqual({ id, name: 'Scout', kind: 'ai', role: 'member' })
    expect(await byKey(`${one.key}x`)).toBeNull()
    const listed = await agentKeys(parts, actor, 'scout')
    expect(listed).toEqual([
      {
        id: one.id,
        name: 'laptop',
        start: one.key.slice(0, 6),
        createdAt: one.createdAt,
        lastUsed: expect.any(String),
      },
      { id: two.id, name: 'server', start: two.key.slice(0, 6), createdAt: two.createdAt },
    ])
    // The database does not know it.
    const rows = await sql<object>`select * from api_keys`.execute(db)
    expect(JSON.stringify(rows.rows)).not.toContain(one.key.slice(6))

    await removeAgentKey(parts, actor, 'scout', one.id)
    expect(await byKey(one.key)).toBeNull()
    expect(other.changes).toContainEqual({ userId: id })
    expect((await byKey(two.key))?.id).toBe(id)
    expect(await codeOf(removeAgentKey(parts, actor, 'scout', one.id))).toBe('not-found')
  })

  test('the use of a key is noted once an hour', async () => {
    await addAgent('scout', 'Scout')
    const { key } = await addAgentKey(parts, actor, 'scout', 'k')
    const lastUsed = async () => (await agentKeys(parts, actor, 'scout'))[0]!.lastUsed
    await byKey(key)
    const first = await lastUsed()
    await byKey(key)
    expect(await lastUsed()).toBe(first)
    await sql`update api_keys set last_request = now() - interval '61 minutes'`.execute(db)
    const old = await lastUsed()
    await byKey(key)
    expect(await lastUsed()).not.toBe(old)
  })

  test('a key opens nothing while its persona is disabled, run here, or banned', async () => {
    const id = await addAgent('scout', 'Scout')
    const { key } = await addAgentKey(parts, actor, 'scout', 'k')
    await changePersona(parts, actor, 'scout', { enabled: false })
    expect(await byKey(key)).toBeNull()
    expect(other.changes).toEqual([{ userId: id }])
    await changePersona(parts, actor, 'scout', { enabled: true })
    expect((await byKey(key))?.id).toBe(id)
    await changePersona(parts, actor, 'scout', { external: false, instructions: 'Be brief.' })
    expect(await byKey(key)).toBeNull()
    await changePersona(parts, actor, 'scout', { external: true })
    expect((await byKey(key))?.id).toBe(id)
    await ban(parts, actor, id, { reason: 'noise' })
    expect(await byKey(key)).toBeNull()
    await unban(parts, actor, id)
    expect((await byKey(key))?.id).toBe(id)
    expect(await codeOf(setRole(parts, actor, id, 'admin'))).toBe('invalid')
  })

  test('only admins handle keys, and only of agents outside', async () => {
    await addAgent('scout', 'Scout')
    const { id, key } = await addAgentKey(parts, actor, 'scout', 'k')
    const agent = (await byKey(key))!
    expect(await codeOf(addAgentKey(parts, agent, 'scout', 'mine'))).toBe('forbidden')
    expect(await codeOf(agentKeys(parts, agent, 'scout'))).toBe('forbidden')
    expect(await codeOf(removeAgentKey(parts, agent, 'scout', id))).toBe('forbidden')
    expect(await codeOf(agentKeys(parts, null, 'scout'))).toBe('sign-in-required')
    expect(await codeOf(addAgentKey(parts, actor, 'explain', 'k'))).toBe('invalid')
    expect(await codeOf(addAgentKey(parts, actor, 'nobody', 'k'))).toBe('persona-not-found')
    // Not those of people either, whose keys are theirs.
    const own = await call(node, 'api-key/create', { name: 'own' }, admin)
    const person = (await own.json()) as { id: string; key: string }
    expect(await codeOf(removeAgentKey(parts, actor, 'scout', person.id))).toBe('not-found')
    expect((await byKey(person.key))?.id).toBe(admin.id)
    // And an agent's key makes no session and no further keys.
    const headers = { 'x-api-key': key, 'content-type': 'application/json', origin: 'http://numinex.test' }
    const made = await node.handle(
      new Request('http://numinex.test/api/auth/api-key/create', {
        method: 'POST',
        headers,
        body: JSON.stringify({ name: 'more' }),
      }),
    )
    expect(made.status).toBe(401)
  })

  test('nobody signs in as one, not even with a password that was put there', async () => {
    const id = 'persona-explain'
    const hash = await hashPassword(password)
    await sql`insert into accounts (id, user_id, provider_id, account_id, password)
      values ('a', ${id}, 'credential', ${id}, ${hash})`.execute(db)
    const answer = call(node, 'sign-in/email', { email: 'explain@personas.invalid', password })
    expect(await problemOf(answer)).toEqual({ status: 403, code: 'forbidden' })
    expect((await sql`select from sessions where user_id = ${id}`.execute(db)).rows).toEqual([])
  })

  test('nobody signs up with such an address', async () => {
    for (const email of ['explain@personas.invalid', 'new@personas.invalid', 'New@Personas.Invalid']) {
      const { status } = await problemOf(call(node, 'sign-up/email', { name: 'Eve', email, password }))
      expect(status, email).toBe(422)
    }
    const eves = await sql`select from users where name = 'Eve'`.execute(db)
    expect(eves.rows).toEqual([])
    // Another machine's address is nobody's, and anybody's.
    await signedIn(call(node, 'sign-up/email', { name: 'Ivy', email: 'x@notpersonas.invalid', password }))
  })

  test('nobody takes the name or the handle of one', async () => {
    await changePersona(parts, actor, 'explain', { handle: 'make-plain', name: 'Plainly' })
    await changePersona(parts, actor, 'check', { enabled: false })
    const guest = await signInGuest(node, 'Gus')
    const taken = [
      'Plainly',
      ' PLAINLY ',
      'plain\u200bly',
      'P-l-a-i-n-l-y',
      'Ｐｌａｉｎｌｙ',
      'make-plain',
      '@Make Plain',
      'Check',
      'catch up',
    ]
    for (const name of taken) {
      const answers = [
        call(node, 'sign-in/anonymous', { name }),
        call(node, 'sign-up/email', { name, email: 'eve@example.test', password }),
        call(node, 'update-user', { name }, { cookie: guest.cookie }),
      ]
      for (const answer of answers) {
        const response = await answer
        expect(response.status, name).toBe(422)
        expect(await response.json()).toMatchObject({
          code: 'invalid',
          issues: [{ path: 'name', message: expect.stringContaining('AI participant') }],
        })
      }
    }
    for (const name of ['Explain', 'Plain', 'Checker', 'Plainly Jane', '🐟']) await signInGuest(node, name)
    expect((await node.identify(new Headers(credentials(guest))))?.actor.name).toBe('Gus')
    expect(await whoIs(node, guest)).toBe(guest.id)
  })
})
