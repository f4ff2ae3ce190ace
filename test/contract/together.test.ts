import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { createMemoryBus } from '../../server/bus/memory.ts'
import { decodeThreadMessages } from '../../server/bus/messages.ts'
import type { NewPost, PlainPost } from '../../server/store/insert.ts'
import { readThread } from '../../server/store/read.ts'
import { updateThread } from '../../server/store/threads.ts'
import { erasePost } from '../../server/store/posts.ts'
import { createTogether } from '../../server/threads/together.ts'
import { addThread, addUser, content, describePostgres, describeStores } from '../helpers/store.ts'

describeStores('what many ask for at the same moment', (store) => {
  const db = () => store.db
  async function start() {
    const user = await addUser(db(), 'ada')
    const thread = await addThread(db(), user.id)
    const bus = createMemoryBus()
    const heard: number[][] = []
    await bus.subscribe(thread, (text) => {
      heard.push(decodeThreadMessages(text).flatMap((each) => (each.kind === 'change' ? each.seq : [])))
    })
    const plain = (body: string, more: Partial<PlainPost> = {}): PlainPost => ({
      ...content(body),
      embeds: [],
      thread,
      parent: 1,
      authorId: user.id,
      clientId: body,
      quote: null,
      ...more,
    })
    const post = (body: string, more: Partial<NewPost> = {}): NewPost => ({ ...plain(body), ...more })
    return { user, thread, heard, post, plain, together: createTogether({ db: db(), bus }) }
  }

  test('replies to a thread go in few transactions, each with what it is answered', async () => {
    const { thread, heard, post, together } = await start()
    const bodies = Array.from({ length: 50 }, (_, i) => `reply ${i}`)
    const written = await Promise.all(bodies.map((body) => together.write(post(body))))
    expect(written.map(({ created }) => created)).not.toContain(false)
    expect(written.map((each) => each.post.html)).toEqual(bodies.map((body) => `<p>${body}</p>`))
    expect(written.map((each) => each.post.number)).toEqual(bodies.map((_, i) => i + 2))
    expect(written.map((each) => each.post.seq)).toEqual(bodies.map((_, i) => i + 2))
    // The first alone, the others while it was on its way; one message of the bus for each transaction.
    await expect.poll(() => heard).toEqual([[2], bodies.slice(1).map((_, i) => i + 3)])
    const { posts, seq } = (await readThread(db(), thread))!
    expect([posts.length, seq]).toEqual([51, 51])
    expect(posts.slice(1)).toEqual(written.map((each) => each.post))
  })

  test('one that cannot be written takes no other with it', async () => {
    const { user, thread, post, together } = await start()
    await updateThread(db(), thread, { locked: true })
    const bodies = ['first', 'may', 'may not', 'may too', 'unknown author', 'odd number']
    const more: Partial<NewPost>[] = [
      { evenLocked: true },
      { evenLocked: true },
      {},
      { evenLocked: true },
      { evenLocked: true, authorId: 'nobody' },
      { evenLocked: true, quote: { number: 2 ** 40, text: '' } },
    ]
    const outcomes = await Promise.allSettled(bodies.map((body, i) => together.write(post(body, more[i]))))
    expect(outcomes.map(({ status }) => status === 'fulfilled')).toEqual([
      true,
      true,
      false,
      true,
      false,
      false,
    ])
    expect(outcomes[2]).toMatchObject({ reason: { code: 'thread-locked' } })
    const { posts, seq } = (await readThread(db(), thread))!
    expect(posts.slice(1).map(({ author, number }) => [author.id, number])).toEqual(
      [2, 3, 4].map((number) => [user.id, number]),
    )
    // The lock took one, each post one.
    expect(seq).toBe(5)
  })

  test('the same reply twice in one go is written once', async () => {
    const { thread, post, together } = await start()
    const twice = await Promise.all(
      ['first', 'same', 'same', 'other'].map((body) => together.write(post(body))),
    )
    expect(twice.map(({ created }) => created)).toEqual([true, true, false, true])
    expect(twice[2]!.post).toEqual(twice[1]!.post)
    expect((await readThread(db(), thread))!.posts.map(({ html }) => html)).toEqual(
      ['root', 'first', 'same', 'other'].map((body) => `<p>${body}</p>`),
    )
  })

  test('posts of one go that show each other, and that others waited for, are shown', async () => {
    const { thread, post, together, heard } = await start()
    const waiting = await addThread(db(), 'ada', 'elsewhere')
    const at = (number: number) => ({ embeds: [{ thread, number }] })
    await together.write(post('waits for four', at(4)))
    await together.write(post('from elsewhere', { ...at(5), thread: waiting }))
    const [third, fourth, fifth] = await Promise.all([
      together.write(post('third')),
      together.write(post('fourth', at(5))),
      together.write(post('fifth', at(3))),
    ])
    expect([third, fourth, fifth].map((each) => each.post.number)).toEqual([3, 4, 5])
    expect(fourth.post.embeds).toMatchObject([{ state: 'found', excerpt: 'fifth' }])
    expect(fifth.post.embeds).toMatchObject([{ state: 'found', excerpt: 'third' }])
    expect([third, fourth, fifth].map((each) => each.shownElsewhere)).toEqual([false, false, true])
    // The one that waited is told anew after them.
    await expect.poll(() => heard).toEqual([[2], [3], [4, 5, 6]])
    const { posts } = (await readThread(db(), thread))!
    const [waited] = posts.filter(({ number }) => number === 2)
    expect(waited).toMatchObject({ seq: 6, embeds: [{ state: 'found', excerpt: 'fourth' }] })
  })

  test('plain replies take one statement for all that come while it runs', async () => {
    const { thread, heard, plain, together } = await start()
    const bodies = Array.from({ length: 20 }, (_, i) => `reply ${i}`)
    const written = await Promise.all(bodies.map((body) => together.writePlain(plain(body))))
    expect(written.map((each) => [each?.number, each?.seq])).toEqual(bodies.map((_, i) => [i + 2, i + 2]))
    await expect.poll(() => heard).toEqual([[2], bodies.slice(1).map((_, i) => i + 3)])
    const { posts, seq } = (await readThread(db(), thread))!
    expect([posts.length, seq]).toEqual([21, 21])
    expect(posts.slice(1)).toEqual(written)
  })

  test('what is not plain is not written as if it were', async () => {
    const { thread, heard, post, plain, together } = await start()
    const other = await addThread(db(), 'ada', 'elsewhere')
    const before = async () => JSON.stringify(await readThread(db(), thread))
    const refuses = async (reply: PlainPost) => {
      const stood = await before()
      expect(await together.writePlain(reply)).toBeUndefined()
      expect(await before()).toBe(stood)
    }
    await together.write(post('two'))
    await together.write(post('two is answered', { parent: 2 }))
    await erasePost(db(), { thread, number: 2 })
    await refuses(plain('to a deleted post', { parent: 2 }))
    await refuses(plain('to none', { parent: 9 }))
    await refuses(plain('nowhere', { thread: 'nowhere' }))
    await refuses(plain('by nobody', { authorId: 'nobody' }))
    await refuses(plain('written before', { clientId: 'two' }))
    // Somebody here, and somebody elsewhere, waits for the next one.
    await together.write(post('waits', { embeds: [{ thread, number: 5 }] }))
    await refuses(plain('five'))
    await together.write(post('five'))
    await together.write({ ...post('waits', { embeds: [{ thread, number: 6 }] }), thread: other })
    await refuses(plain('six'))
    await together.write(post('six'))
    await updateThread(db(), thread, { locked: true })
    await refuses(plain('in a locked thread'))
    heard.length = 0
    expect(await together.writePlain(plain('by who may', { evenLocked: true }))).toMatchObject({ number: 7 })
    expect(heard).toHaveLength(1)
    // One in a group is enough: nothing is known of the others.
    const group = [plain('a', { evenLocked: true }), plain('b', { parent: 2 }), plain('c')]
    const [first, ...rest] = await Promise.all(group.map((each) => together.writePlain(each)))
    expect(first).toMatchObject({ number: 8 })
    expect(rest).toEqual([undefined, undefined])
  })

  test('places of many threads are looked up in one query', async () => {
    const { thread, together } = await start()
    const other = await addThread(db(), 'ada')
    await updateThread(db(), other, { locked: true })
    const places = [
      { thread, number: 1 },
      { thread, number: 9 },
      { thread: other, number: 1 },
      { thread: 'nowhere', number: 1 },
      { thread, number: 1 },
    ]
    const found = await Promise.all(places.map((place) => together.look(place)))
    const root = { locked: false, pageKey: null, authorId: 'ada', state: 'complete' }
    expect(found).toEqual([
      root,
      { ...root, authorId: null, state: null },
      { ...root, locked: true },
      undefined,
      root,
    ])
  })
})

describePostgres('a plain reply', (store) => {
  test('is not written where the thread changed while it waited', async () => {
    const { db } = store
    const user = await addUser(db, 'ada')
    const thread = await addThread(db, user.id)
    const together = createTogether({ db, bus: createMemoryBus() })
    const reply = { ...content('x'), embeds: [] as const, thread, parent: 1, authorId: 'ada', quote: null }
    const write = (clientId: string) => together.writePlain({ ...reply, clientId })
    const waits = async () => {
      const { rows } = await sql`select 1 from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'`.execute(db)
      return rows.length > 0
    }
    let raced: Promise<unknown> | undefined
    await db.transaction().execute(async (tx) => {
      await tx.updateTable('threads').set({ seq: 2, last_number: 2 }).where('id', '=', thread).execute()
      raced = write('raced')
      await expect.poll(waits).toBe(true)
    })
    expect(await raced).toBeUndefined()
    expect((await readThread(db, thread))!).toMatchObject({ seq: 2, posts: [{ number: 1 }] })
    // Whoever waited for a transaction that came to nothing has lost nothing.
    await db
      .transaction()
      .execute(async (tx) => {
        await tx.updateTable('threads').set({ seq: 9 }).where('id', '=', thread).execute()
        raced = write('not raced')
        await expect.poll(waits).toBe(true)
        throw new Error('undone')
      })
      .catch(() => undefined)
    expect(await raced).toMatchObject({ number: 3, seq: 3 })
  })
})
