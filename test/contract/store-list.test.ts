import { expect, test } from 'vitest'
import type { Db } from '../../server/store/database.ts'
import { listThreads, type Cursor } from '../../server/store/threads.ts'
import { ensureLinks, settleLink } from '../../server/links/link-rows.ts'
import { getThreads } from '../../server/threads/threads.ts'
import { newThreadId } from '../../server/threads/ids.ts'
import { insertThread } from '../../server/store/threads.ts'
import { threadPage } from '../../shared/http.ts'
import { addPost, addThread, addUser, content, describeStores } from '../helpers/store.ts'

/** The ids of a page and of all that follow it, with something done between two pages. */
async function walk(
  db: Db,
  size: number,
  between: (page: number) => Promise<void> = () => Promise.resolve(),
) {
  const seen: string[] = []
  let cursor: Cursor | null = null
  for (let page = 1; ; page++) {
    const { threads, next }: Awaited<ReturnType<typeof listThreads>> = await listThreads(db, cursor, size)
    expect(threads.length).toBeLessThanOrEqual(size)
    seen.push(...threads.map(({ id }) => id))
    if (next === null) return seen
    cursor = next
    await between(page)
  }
}

/** Ten threads whose activity is one microsecond apart, and in pairs at the same one. */
async function tenThreads(db: Db): Promise<string[]> {
  await addUser(db, 'ada')
  const ids = []
  for (let i = 0; i < 10; i++) {
    const id = await addThread(db, 'ada')
    const at = `2026-01-01T00:00:00.00000${i >> 1}Z`
    await db
      .updateTable('threads')
      .set({ last_activity_at: at as never })
      .where('id', '=', id)
      .execute()
    ids.push({ id, at })
  }
  const newestFirst = ids.toSorted((a, b) => (a.at === b.at ? (a.id < b.id ? 1 : -1) : a.at < b.at ? 1 : -1))
  return newestFirst.map(({ id }) => id)
}

describeStores('the list of threads', (store) => {
  test.each([1, 2, 3, 7, 10, 11])('comes whole and in order in pages of %i', async (size) => {
    const expected = await tenThreads(store.db)
    // In byte order, as the code above sorts: the database's own collation may differ.
    expect((await walk(store.db, size)).toSorted()).toEqual(expected.toSorted())
    expect(await walk(store.db, size)).toEqual(await walk(store.db, 100))
  })

  test('neither repeats nor leaves out a thread while others move to its top', async () => {
    const { db } = store
    const ids = new Set(await tenThreads(db))
    const before = await walk(db, 100)
    const moved = new Set<string>()
    const seen = await walk(db, 3, async (page) => {
      // One that was shown, one that was not, and one that is new.
      for (const id of [before[page]!, before.at(-page)!]) {
        await addPost(db, id, 'ada', 'again')
        moved.add(id)
      }
      await addThread(db, 'ada', 'new')
    })
    expect(new Set(seen).size).toBe(seen.length)
    expect(seen.filter((id) => !moved.has(id))).toEqual(before.filter((id) => !moved.has(id)))
    // Those that moved stand at the top now, where who begins anew finds them.
    const anew = new Set(await walk(db, 3))
    for (const id of ids) expect(anew).toContain(id)
  })

  test('tells what a card shows', async () => {
    const { db } = store
    await addUser(db, 'ada', { name: 'Ada' })
    await addUser(db, 'echo', { name: 'Echo', kind: 'ai' })
    const [link] = await ensureLinks(db, ['https://essay.example/'])
    const preview = { title: 'An essay', site: 'Essays', description: null, imageUrl: null }
    await settleLink(db, link!.id, 'pending', preview as never)
    const id = newThreadId()
    const url = 'https://essay.example/'
    await insertThread(db, {
      ...content('what it says'),
      id,
      title: 'On it',
      url,
      linkId: link!.id,
      authorId: 'ada',
    })
    for (let i = 0; i < 7; i++) {
      await addUser(db, `person-${i}`)
      await addPost(db, id, `person-${i}`, 'hello')
    }
    await addPost(db, id, 'echo', 'hello')
    const { threads, next } = await listThreads(db, null)
    expect(threadPage.parse({ threads, next })).toEqual({ threads, next })
    expect(threads).toMatchObject([
      {
        id,
        title: 'On it',
        url,
        card: { kind: 'link', url, state: 'found', title: 'An essay', site: 'Essays' },
        locked: false,
        seq: 9,
        posts: 9,
        author: { id: 'ada', name: 'Ada', kind: 'person' },
        excerpt: 'what it says',
        participants: {
          people: { length: 5 },
          peopleCount: 8,
          ai: [{ id: 'echo', name: 'Echo', kind: 'ai' }],
        },
      },
    ])
    expect(threads[0]!.participants.people[0]).toMatchObject({ id: 'ada' })
  })

  test('goes on after the cursor of the page before', async () => {
    const { db } = store
    await addUser(db, 'ada')
    for (let i = 0; i < 35; i++) await addThread(db, 'ada')
    const first = await getThreads({ db }, undefined)
    expect(first.threads).toHaveLength(30)
    const second = await getThreads({ db }, first.next!)
    expect(second).toMatchObject({ threads: { length: 5 }, next: null })
    expect(new Set([...first.threads, ...second.threads].map(({ id }) => id)).size).toBe(35)
  })

  test.each([
    ['nothing', ''],
    ['no base64', '%%%'],
    ['only a time', '1767225600000000'],
    ['a time in words', 'Monday k3v9x2q7ab'],
    ['a number with an exponent', '1e15 k3v9x2q7ab'],
    ['a day that is none', '2026-02-31T00:00:00+00:00 k3v9x2q7ab'],
    ['a time that is none', '2026-01-01T00:00:00.000000+99:00 k3v9x2q7ab'],
    ['the end of time', 'infinity k3v9x2q7ab'],
    ['a time out of reach', '99999999999999999999999 k3v9x2q7ab'],
    ['a NUL', '1767225600000000 k3v9x2q7a\u0000'],
    ['an id that is none', "1767225600000000 ' or 1=1"],
    ['more than that', '1767225600000000 k3v9x2q7ab more'],
  ])('refuses a cursor of %s', async (_, text) => {
    const { db } = store
    await addUser(db, 'ada')
    const thread = await addThread(db, 'ada')
    expect((await getThreads({ db }, undefined)).threads).toMatchObject([{ id: thread }])
    const cursor = text === '%%%' ? text : Buffer.from(text).toString('base64url')
    await expect(getThreads({ db }, cursor)).rejects.toMatchObject({ code: 'bad-request' })
  })
})
