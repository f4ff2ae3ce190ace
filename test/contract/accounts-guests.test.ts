import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createMemoryBus } from '../../server/bus/memory.ts'
import type { Db } from '../../server/store/database.ts'
import {
  call,
  credentials,
  describeOnBoth,
  emptyTables,
  openNode,
  problemOf,
  signedIn,
  signIn,
  signInGuest,
  signUp,
  whoIs,
  type AccountsDatabase,
  type Node,
} from './accounts-fixture.ts'

describeOnBoth('guests who get an account', (open) => {
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
    await db
      .insertInto('threads')
      .values({ id: 'thread', title: 'A thread', url: null, link_id: null })
      .execute()
  })

  async function write(authorId: string, number: number, clientId: string | null): Promise<void> {
    const text = { body: 'text', html: '<p>text</p>', excerpt: 'text' }
    const quote = { quote_number: null, quote_text: null, edited_at: null }
    await db
      .insertInto('posts')
      .values({
        thread_id: 'thread',
        number,
        parent: null,
        author_id: authorId,
        ...text,
        ...quote,
        state: 'complete',
        client_id: clientId,
        seq: number,
        body_seq: number,
      })
      .execute()
  }
  const react = (userId: string, number: number, emoji: string) =>
    db.insertInto('reactions').values({ thread_id: 'thread', number, emoji, user_id: userId }).execute()
  const authors = async () =>
    (await sql`select number, author_id, client_id, seq from posts order by number`.execute(db)).rows
  const reactions = async () =>
    (await sql`select number, emoji, user_id from reactions order by number, emoji`.execute(db)).rows

  test.each(['cookie', 'token'] as const)('keep what they wrote when they sign up (by %s)', async (by) => {
    const guest = await signInGuest(node, 'Guest')
    await write(guest.id, 1, 'a')
    await write(guest.id, 2, null)
    await react(guest.id, 1, '👍')
    await db
      .insertInto('revisions')
      .values({ thread_id: 'thread', number: 1, seq: 1, body: 'old', editor_id: guest.id })
      .execute()
    const ada = await signUp(node, 'Ada', { [by]: guest[by] })
    expect(ada.id).not.toBe(guest.id)
    expect(await authors()).toEqual([
      { number: 1, author_id: ada.id, client_id: 'a', seq: 1 },
      { number: 2, author_id: ada.id, client_id: null, seq: 2 },
    ])
    expect(await reactions()).toEqual([{ number: 1, emoji: '👍', user_id: ada.id }])
    expect((await sql`select editor_id from revisions`.execute(db)).rows).toEqual([{ editor_id: ada.id }])
    expect((await node.identify(new Headers(credentials(ada))))?.actor).toMatchObject({
      kind: 'person',
      role: 'admin',
      name: 'Ada',
    })
    expect(await whoIs(node, { token: guest.token })).toBeNull()
    expect(await db.selectFrom('users').select('id').execute()).toEqual([{ id: ada.id }])
    expect(node.changes).toEqual([{ userId: guest.id }])
    expect(node.logged).toEqual([])
  })

  test('bring it along when they sign in, also where both used one client id or gave one reaction', async () => {
    const ada = await signUp(node, 'Ada')
    await write(ada.id, 1, 'same')
    await react(ada.id, 1, '👍')
    const guest = await signInGuest(node, 'Guest')
    await write(guest.id, 2, 'same')
    await write(guest.id, 3, 'other')
    await react(guest.id, 1, '👍')
    await react(guest.id, 1, '🎉')
    const back = await signedIn(signIn(node, 'Ada', { cookie: guest.cookie }))
    expect(back.id).toBe(ada.id)
    expect(await authors()).toEqual([
      { number: 1, author_id: ada.id, client_id: 'same', seq: 1 },
      { number: 2, author_id: ada.id, client_id: null, seq: 2 },
      { number: 3, author_id: ada.id, client_id: 'other', seq: 3 },
    ])
    const emoji = (await reactions()) as { emoji: string; user_id: string }[]
    expect(emoji.map((reaction) => reaction.emoji).toSorted()).toEqual(['🎉', '👍'].toSorted())
    expect(new Set(emoji.map((reaction) => reaction.user_id))).toEqual(new Set([ada.id]))
    expect(node.logged).toEqual([])
  })

  test('lose nothing when the sign-up is refused', async () => {
    const guest = await signInGuest(node, 'Guest')
    await write(guest.id, 1, 'a')
    const short = { name: 'Ada', email: 'ada@example.test', password: 'short' }
    expect((await problemOf(call(node, 'sign-up/email', short, { cookie: guest.cookie }))).code).toBe(
      'password-too-short',
    )
    expect(await authors()).toEqual([{ number: 1, author_id: guest.id, client_id: 'a', seq: 1 }])
    expect(await whoIs(node, guest)).toBe(guest.id)
  })

  test('are one guest: a second guest sign-in is refused, another name is not', async () => {
    const guest = await signInGuest(node, 'Guest')
    const again = await problemOf(
      call(node, 'sign-in/anonymous', { name: 'Again' }, { cookie: guest.cookie }),
    )
    expect(again.status).toBe(400)
    expect((await call(node, 'update-user', { name: 'Renamed' }, { cookie: guest.cookie })).status).toBe(200)
    expect((await node.identify(new Headers(credentials({ token: guest.token }))))?.actor).toMatchObject({
      name: 'Renamed',
      kind: 'guest',
    })
    expect((await problemOf(call(node, 'delete-anonymous-user', {}, { cookie: guest.cookie }))).status).toBe(
      400,
    )
  })
})
