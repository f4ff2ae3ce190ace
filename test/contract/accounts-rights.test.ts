import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { Problem } from '../../shared/errors.ts'
import type { Identity } from '../../server/accounts/accounts.ts'
import { ban, setRole, unban } from '../../server/accounts/moderation.ts'
import { recheck } from '../../server/accounts/recheck.ts'
import type { Bus } from '../../server/bus/bus.ts'
import { createMemoryBus } from '../../server/bus/memory.ts'
import type { Db } from '../../server/store/database.ts'
import type { Actor } from '../../server/threads/access.ts'
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
  type SignedIn,
} from './accounts-fixture.ts'

describeOnBoth('rights', (open) => {
  let database: AccountsDatabase
  let db: Db
  let bus: Bus
  let node: Node
  /** Another node, which must hear of everything. */
  let other: Node
  let admin: SignedIn

  beforeAll(async () => {
    database = await open()
    db = database.db
  })
  afterAll(() => database.close())
  beforeEach(async () => {
    await emptyTables(db)
    bus = createMemoryBus()
    node = await openNode(db, bus)
    other = await openNode(db, bus)
    admin = await signUp(node, 'Admin')
  })

  const identityOf = async (who: SignedIn): Promise<Identity> =>
    (await node.identify(new Headers(credentials({ token: who.token }))))!
  const actorOf = async (who: SignedIn): Promise<Actor> => (await identityOf(who)).actor
  const codeOf = (done: Promise<unknown>) =>
    done.then(
      () => 'done',
      (error: unknown) => (error instanceof Problem ? error.code : error),
    )

  test('a ban ends every session and key at once, on every node, and no new one begins', async () => {
    const bob = await signUp(node, 'Bob')
    const guest = await signInGuest(node, 'Guest')
    const { key } = (await (await call(node, 'api-key/create', { name: 'k' }, bob)).json()) as { key: string }
    await ban({ db, bus }, await actorOf(admin), bob.id, { reason: 'spam' })
    await ban({ db, bus }, await actorOf(admin), guest.id)
    expect(other.changes).toEqual([{ userId: bob.id }, { userId: guest.id }])
    expect(node.changes).toEqual(other.changes)
    expect(await whoIs(node, bob)).toBeNull()
    expect(await whoIs(other, { token: bob.token })).toBeNull()
    expect(await whoIs(node, guest)).toBeNull()
    expect(await node.identify(new Headers({ 'x-api-key': key }))).toBeNull()
    expect(await problemOf(signIn(node, 'Bob'))).toEqual({ status: 403, code: 'banned' })
    const left = await sql`select from sessions where user_id in (${bob.id}, ${guest.id})`.execute(db)
    expect(left.rows).toEqual([])
    expect(await whoIs(node, admin)).toBe(admin.id)

    await unban({ db, bus }, await actorOf(admin), bob.id)
    const back = await signedIn(signIn(node, 'Bob'))
    expect(await whoIs(node, back)).toBe(bob.id)
    expect((await node.identify(new Headers({ 'x-api-key': key })))?.actor.id).toBe(bob.id)
  })

  test('a ban with an end is over then', async () => {
    const bob = await signUp(node, 'Bob')
    await ban({ db, bus }, await actorOf(admin), bob.id, { expiresAt: new Date(Date.now() + 3_600_000) })
    expect((await signIn(node, 'Bob')).status).toBe(403)
    await sql`update users set ban_expires = now() - interval '1 second' where id = ${bob.id}`.execute(db)
    const back = await signedIn(signIn(node, 'Bob'))
    expect(await whoIs(node, back)).toBe(bob.id)
  })

  test('only admins ban and appoint, and neither themselves out nor the last of them', async () => {
    const bob = await signUp(node, 'Bob')
    const guest = await signInGuest(node, 'Guest')
    const parts = { db, bus }
    const [root, member] = [await actorOf(admin), await actorOf(bob)]
    expect(await codeOf(ban(parts, null, bob.id))).toBe('sign-in-required')
    expect(await codeOf(ban(parts, member, admin.id))).toBe('forbidden')
    expect(await codeOf(setRole(parts, member, bob.id, 'admin'))).toBe('forbidden')
    expect(await codeOf(ban(parts, root, admin.id))).toBe('forbidden')
    expect(await codeOf(setRole(parts, root, admin.id, 'member'))).toBe('forbidden')
    expect(await codeOf(setRole(parts, root, 'nobody', 'member'))).toBe('not-found')
    expect(await codeOf(setRole(parts, root, guest.id, 'moderator'))).toBe('invalid')
    expect(await codeOf(setRole(parts, root, bob.id, 'guest'))).toBe('invalid')
    expect(await codeOf(ban(parts, root, bob.id, { expiresAt: new Date(0) }))).toBe('invalid')
    expect(await codeOf(ban(parts, root, bob.id, { expiresAt: new Date(Number.NaN) }))).toBe('invalid')
    expect(other.changes).toEqual([])

    await setRole(parts, root, bob.id, 'moderator')
    expect((await actorOf(bob)).role).toBe('moderator')
    await setRole(parts, root, bob.id, 'admin')
    await setRole(parts, await actorOf(bob), admin.id, 'member')
    expect((await actorOf(admin)).role).toBe('member')
    // What the request was identified as no longer holds.
    expect(await codeOf(ban(parts, root, bob.id))).toBe('forbidden')
    expect(other.changes).toEqual([{ userId: bob.id }, { userId: bob.id }, { userId: admin.id }])
  })

  test('two admins who depose each other at once leave one', async () => {
    const parts = { db, bus }
    for (const depose of [
      (by: Actor, id: string) => setRole(parts, by, id, 'member'),
      (by: Actor, id: string) => ban(parts, by, id),
    ]) {
      await emptyTables(db)
      const [a, b] = [await signUp(node, 'A'), await signUp(node, 'B')]
      await setRole(parts, await actorOf(a), b.id, 'admin')
      const [first, second] = [await actorOf(a), await actorOf(b)]
      const ends = await Promise.all([codeOf(depose(first, b.id)), codeOf(depose(second, a.id))])
      expect(new Set(ends)).toEqual(new Set(['done', 'forbidden']))
      const left = await sql`select from users where role = 'admin' and not banned`.execute(db)
      expect(left.rows).toHaveLength(1)
    }
  })

  test('signing out ends that session alone, and every node hears of it', async () => {
    const bob = await signUp(node, 'Bob')
    const phone = await signedIn(signIn(node, 'Bob'))
    const { sessionId } = await identityOf(bob)
    expect((await call(node, 'sign-out', {}, { cookie: bob.cookie })).status).toBe(200)
    expect(other.changes).toEqual([{ userId: bob.id, sessionId }])
    expect(await whoIs(node, bob)).toBeNull()
    expect(await whoIs(node, phone)).toBe(bob.id)
  })

  test('signing out by bearer token does the same', async () => {
    const bob = await signUp(node, 'Bob')
    const { sessionId } = await identityOf(bob)
    expect((await call(node, 'sign-out', {}, { token: bob.token })).status).toBe(200)
    expect(other.changes).toEqual([{ userId: bob.id, sessionId }])
    expect(await whoIs(node, { token: bob.token })).toBeNull()
  })

  test('revoking one session, the others or all of them is heard of', async () => {
    const bob = await signUp(node, 'Bob')
    const [phone, tablet] = [await signedIn(signIn(node, 'Bob')), await signedIn(signIn(node, 'Bob'))]
    const [bobs, phones, tablets] = await Promise.all([bob, phone, tablet].map(identityOf))
    const token = phone.token.split('.')[0]
    expect((await call(node, 'revoke-session', { token }, bob)).status).toBe(200)
    expect(other.changes).toEqual([{ userId: bob.id, sessionId: phones!.sessionId }])
    expect((await call(node, 'revoke-other-sessions', {}, bob)).status).toBe(200)
    expect(other.changes.slice(1)).toEqual([{ userId: bob.id, sessionId: tablets!.sessionId }])
    expect((await call(node, 'revoke-sessions', {}, bob)).status).toBe(200)
    expect(other.changes.slice(2)).toEqual([{ userId: bob.id, sessionId: bobs!.sessionId }])
    expect(await whoIs(node, bob)).toBeNull()
  })

  test('a new password can end all other sessions', async () => {
    const bob = await signUp(node, 'Bob')
    const phone = await signedIn(signIn(node, 'Bob'))
    const phones = await identityOf(phone)
    const change = {
      currentPassword: password,
      newPassword: 'another long password',
      revokeOtherSessions: true,
    }
    const renewed = await signedIn(call(node, 'change-password', change, bob))
    expect(other.changes).toContainEqual({ userId: bob.id, sessionId: phones.sessionId })
    expect(await whoIs(node, phone)).toBeNull()
    expect(await whoIs(node, renewed)).toBe(bob.id)
    expect((await signIn(node, 'Bob')).status).toBe(401)
  })

  test('what was missed while the bus was away is found by looking', async () => {
    const [bob, carol, dora] = [
      await signUp(node, 'Bob'),
      await signUp(node, 'Carol'),
      await signUp(node, 'Dora'),
    ]
    const identities = await Promise.all([admin, bob, carol, dora].map(identityOf))
    const keyed: Identity = { actor: identities[1]!.actor, sessionId: null }
    expect(await recheck(db, [...identities, keyed])).toEqual([])
    expect(await recheck(db, [])).toEqual([])
    await ban({ db, bus }, identities[0]!.actor, bob.id)
    await setRole({ db, bus }, identities[0]!.actor, dora.id, 'moderator')
    await call(node, 'sign-out', {}, carol)
    expect(await recheck(db, [...identities, keyed])).toEqual([
      { userId: bob.id },
      { userId: carol.id, sessionId: identities[2]!.sessionId },
      { userId: dora.id },
      { userId: bob.id },
    ])
  })
})
