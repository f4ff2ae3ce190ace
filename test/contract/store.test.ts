import { expect, test } from 'vitest'
import { transact } from '../../server/store/database.ts'
import {
  readBody,
  readChanges,
  readHeads,
  readLatest,
  readPost,
  readThread,
} from '../../server/store/read.ts'
import { type Change } from '../../server/store/change.ts'
import { findEmbedders } from '../../server/store/content.ts'
import { findByClientId, insertPost } from '../../server/store/insert.ts'
import { erasePost, setReaction, touchPosts, updatePost } from '../../server/store/posts.ts'
import { updateThread } from '../../server/store/threads.ts'
import { limits } from '../../shared/limits.ts'
import { addPost, addThread, addUser, content, describeStores } from '../helpers/store.ts'

const seqs = (changes: Change[]) => changes.map(({ seq }) => seq)
const headOf = async (db: Parameters<typeof readHeads>[0], thread: string) =>
  (await readHeads(db, [thread])).get(thread)

describeStores('the store', (store) => {
  test('a new thread is at seq 1 with its root as post 1', async () => {
    const { db } = store
    await addUser(db, 'ada')
    const thread = await addThread(db, 'ada', 'the root', 'On roots')
    const snapshot = await readThread(db, thread)
    expect(snapshot).toMatchObject({
      seq: 1,
      thread: { id: thread, title: 'On roots', locked: false, card: null },
    })
    expect(snapshot?.posts).toEqual([
      {
        number: 1,
        parent: null,
        author: { id: 'ada', name: 'ada', kind: 'person' },
        html: '<p>the root</p>',
        state: 'complete',
        createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
        editedAt: null,
        quote: null,
        reactions: [],
        seq: 1,
      },
    ])
  })

  test('what is not there is undefined, or a problem where it was to be changed', async () => {
    const { db } = store
    await addUser(db, 'ada')
    const nowhere = 'zzzzzzzzzz'
    const thread = await addThread(db, 'ada')
    expect(await readThread(db, nowhere)).toBeUndefined()
    expect(await readLatest(db, nowhere, 0, 10)).toBeUndefined()
    expect(await readPost(db, thread, 2)).toBeUndefined()
    expect(await readBody(db, thread, 2)).toBeUndefined()
    expect(await readHeads(db, [nowhere, thread])).toEqual(new Map([[thread, 1]]))
    expect(await readHeads(db, [])).toEqual(new Map())
    const by = { editorId: 'ada', seen: 9 }
    await expect(addPost(db, nowhere, 'ada', 'x')).rejects.toMatchObject({ code: 'thread-not-found' })
    await expect(updateThread(db, nowhere, { title: 'x' })).rejects.toMatchObject({
      code: 'thread-not-found',
    })
    await expect(updatePost(db, { thread, number: 2 }, content('x'), by)).rejects.toMatchObject({
      code: 'post-not-found',
    })
    await expect(erasePost(db, { thread: nowhere, number: 1 })).rejects.toMatchObject({
      code: 'thread-not-found',
    })
    const reaction = { emoji: '👍', userId: 'ada', on: true }
    await expect(setReaction(db, { thread, number: 2 }, reaction)).rejects.toMatchObject({
      code: 'post-not-found',
    })
    expect(await headOf(db, thread)).toBe(1)
  })

  test('each change takes the next seq and stamps the row that changed', async () => {
    const { db } = store
    await addUser(db, 'ada')
    const thread = await addThread(db, 'ada')
    const reply = await addPost(db, thread, 'ada', 'two')
    expect(reply).toMatchObject({ number: 2, seq: 2, parent: 1 })
    const edited = await updatePost(db, { thread, number: 1 }, content('new'), { editorId: 'ada', seen: 1 })
    expect(edited).toMatchObject([{ seq: 3, post: { number: 1, seq: 3, html: '<p>new</p>' } }])
    const reaction = { emoji: '👍', userId: 'ada', on: true }
    expect(seqs(await setReaction(db, { thread, number: 2 }, reaction))).toEqual([4])
    const locked = await updateThread(db, thread, { locked: true })
    expect(locked).toMatchObject([{ seq: 5, info: { id: thread, locked: true } }])
    expect(await headOf(db, thread)).toBe(5)
    const rows = await db
      .selectFrom('posts')
      .select(['number', 'seq'])
      .where('thread_id', '=', thread)
      .execute()
    expect(rows.toSorted((a, b) => a.number - b.number)).toEqual([
      { number: 1, seq: 3 },
      { number: 2, seq: 4 },
    ])
  })

  test('a transaction that fails takes no seq and no number', async () => {
    const { db } = store
    await addUser(db, 'ada')
    const thread = await addThread(db, 'ada')
    // No such account, and no such parent: the database itself refuses.
    await expect(addPost(db, thread, 'nobody', 'x')).rejects.toThrow(/foreign key/)
    await expect(addPost(db, thread, 'ada', 'x', { parent: 9 })).rejects.toThrow(/foreign key/)
    const broken = content('x', [{ link: 'no such link' }])
    await expect(addPost(db, thread, 'ada', 'x', broken)).rejects.toThrow(/foreign key/)
    await expect(updatePost(db, { thread, number: 1 }, broken, { editorId: 'ada', seen: 1 })).rejects.toThrow(
      /foreign key/,
    )
    expect(await readThread(db, thread)).toMatchObject({ seq: 1, posts: [{ html: '<p>root</p>' }] })
    expect(await addPost(db, thread, 'ada', 'y')).toMatchObject({ number: 2, seq: 2 })
  })

  test('numbers of deleted posts are not given out again', async () => {
    const { db } = store
    await addUser(db, 'ada')
    const thread = await addThread(db, 'ada')
    await addPost(db, thread, 'ada', 'two')
    await erasePost(db, { thread, number: 2 })
    expect(await addPost(db, thread, 'ada', 'three')).toMatchObject({ number: 3 })
  })

  test('the same clientId again gives the first post, whatever became of it', async () => {
    const { db } = store
    await addUser(db, 'ada')
    await addUser(db, 'bob')
    const thread = await addThread(db, 'ada')
    const post = { ...content('once'), thread, parent: 1, authorId: 'ada', clientId: 'c-1', quote: null }
    expect(await insertPost(db, post)).toMatchObject({ created: true, post: { number: 2, clientId: 'c-1' } })
    expect(await insertPost(db, post)).toMatchObject({ created: false, post: { number: 2, seq: 2 } })
    await erasePost(db, { thread, number: 2 })
    expect(await insertPost(db, post)).toMatchObject({
      created: false,
      post: { number: 2, state: 'deleted' },
    })
    await updateThread(db, thread, { locked: true })
    expect(await insertPost(db, post)).toMatchObject({
      created: false,
      post: { number: 2, state: 'deleted' },
    })
    await updateThread(db, thread, { locked: false })
    expect(await findByClientId(db, thread, 'ada', 'c-1')).toMatchObject({ number: 2 })
    expect(await findByClientId(db, thread, 'bob', 'c-1')).toBeUndefined()
    expect(await headOf(db, thread)).toBe(5)
    // Another author's id is another id.
    expect(await insertPost(db, { ...post, authorId: 'bob' })).toMatchObject({
      created: true,
      post: { number: 3 },
    })
  })

  test('two at once with the same clientId make one post', async () => {
    const { db } = store
    await addUser(db, 'ada')
    const thread = await addThread(db, 'ada')
    for (let round = 0; round < 10; round++) {
      const post = {
        ...content('once'),
        thread,
        parent: 1,
        authorId: 'ada',
        clientId: `c-${round}`,
        quote: null,
      }
      const both = await Promise.all([insertPost(db, post), insertPost(db, post), insertPost(db, post)])
      expect(both.filter(({ created }) => created)).toHaveLength(1)
      expect(new Set(both.map(({ post }) => post.number))).toEqual(new Set([round + 2]))
      expect(await headOf(db, thread)).toBe(round + 2)
    }
  })

  test('an edit keeps what was there before as a revision', async () => {
    const { db } = store
    await addUser(db, 'ada')
    await addUser(db, 'mod')
    const thread = await addThread(db, 'ada', 'first')
    const at = { thread, number: 1 }
    await updatePost(db, at, content('second'), { editorId: 'ada', seen: 1 })
    const [change] = await updatePost(db, at, content('third'), { editorId: 'mod', seen: 2 })
    expect(change).toMatchObject({ post: { html: '<p>third</p>', editedAt: expect.any(String) } })
    expect(await readBody(db, thread, 1)).toBe('third')
    const revisions = await db
      .selectFrom('revisions')
      .select(['seq', 'body', 'editor_id'])
      .orderBy('seq')
      .execute()
    expect(revisions).toEqual([
      { seq: 1, body: 'first', editor_id: 'ada' },
      { seq: 2, body: 'second', editor_id: 'mod' },
    ])
    // The same text again is no change.
    expect(await updatePost(db, at, content('third'), { editorId: 'ada', seen: 3 })).toEqual([])
    expect(await headOf(db, thread)).toBe(3)
  })

  test('an edit of a text that changed since is a conflict; a reaction in between is none', async () => {
    const { db } = store
    await addUser(db, 'ada')
    const thread = await addThread(db, 'ada', 'first')
    const at = { thread, number: 1 }
    await setReaction(db, at, { emoji: '👍', userId: 'ada', on: true })
    await updatePost(db, at, content('second'), { editorId: 'ada', seen: 1 })
    await setReaction(db, at, { emoji: '🎉', userId: 'ada', on: true })
    const stale = updatePost(db, at, content('lost'), { editorId: 'ada', seen: 2 })
    await expect(stale).rejects.toMatchObject({ code: 'edit-conflict' })
    expect(await readBody(db, thread, 1)).toBe('second')
    expect(await updatePost(db, at, content('third'), { editorId: 'ada', seen: 3 })).toHaveLength(1)
  })

  test('of two edits at once, one wins and the other is told', async () => {
    const { db } = store
    await addUser(db, 'ada')
    const thread = await addThread(db, 'ada', 'first')
    const by = { editorId: 'ada', seen: 1 }
    const results = await Promise.allSettled(
      ['a', 'b', 'c'].map((body) => updatePost(db, { thread, number: 1 }, content(body), by)),
    )
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    for (const result of results) {
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'edit-conflict' })
    }
    expect(await headOf(db, thread)).toBe(2)
  })

  test('reactions are counted, listed in the order of first use, and taken back', async () => {
    const { db } = store
    for (const id of ['ada', 'bob']) await addUser(db, id)
    const thread = await addThread(db, 'ada')
    const at = { thread, number: 1 }
    const react = (emoji: string, userId: string, on = true) => setReaction(db, at, { emoji, userId, on })
    await react('🎉', 'bob')
    await react('👍', 'ada')
    const [change] = await react('🎉', 'ada')
    const expected = [
      { emoji: '🎉', count: 2, by: ['bob', 'ada'] },
      { emoji: '👍', count: 1, by: ['ada'] },
    ]
    expect(change).toMatchObject({ post: { reactions: expected } })
    expect((await readPost(db, thread, 1))?.reactions).toEqual(expected)
    // Twice the same is no change, nor is taking back what was not given.
    expect(await react('🎉', 'ada')).toEqual([])
    expect(await react('👍', 'bob', false)).toEqual([])
    expect(await headOf(db, thread)).toBe(4)
    await react('👍', 'ada', false)
    expect((await readPost(db, thread, 1))?.reactions).toEqual([expected[0]])
    expect(await headOf(db, thread)).toBe(5)
  })

  test('a post takes a bounded number of different reactions, and lists a bounded number of people', async () => {
    const { db } = store
    await addUser(db, 'ada')
    const thread = await addThread(db, 'ada')
    const at = { thread, number: 1 }
    for (let i = 0; i < limits.emojiPerPost; i++) {
      const emoji = String.fromCodePoint(0x1f600 + i)
      await setReaction(db, at, { emoji, userId: 'ada', on: true })
    }
    const more = setReaction(db, at, { emoji: '👍', userId: 'ada', on: true })
    await expect(more).rejects.toMatchObject({ code: 'too-many-reactions' })
    expect(await headOf(db, thread)).toBe(1 + limits.emojiPerPost)

    const people = limits.reactorsListed + 3
    const users = Array.from({ length: people }, (_, i) => `user-${String(i).padStart(3, '0')}`)
    const row = (id: string) => ({
      id,
      name: id,
      kind: 'person' as const,
      role: 'member' as const,
      email: id,
    })
    await db.insertInto('users').values(users.map(row)).execute()
    // One of those there already can always be joined.
    const reaction = (id: string) => ({ thread_id: thread, number: 1, emoji: '😀', user_id: id })
    await db.insertInto('reactions').values(users.map(reaction)).execute()
    const [first] = (await readPost(db, thread, 1))!.reactions
    expect(first).toMatchObject({ emoji: '😀', count: people + 1 })
    expect(first?.by).toHaveLength(limits.reactorsListed)
  })

  test('a locked thread takes replies only from those whom the lock does not hold', async () => {
    const { db } = store
    await addUser(db, 'ada')
    const thread = await addThread(db, 'ada')
    await updateThread(db, thread, { locked: true })
    await expect(addPost(db, thread, 'ada', 'x')).rejects.toMatchObject({ code: 'thread-locked' })
    expect(await headOf(db, thread)).toBe(2)
    expect(await addPost(db, thread, 'ada', 'x', { evenLocked: true })).toMatchObject({ number: 2, seq: 3 })
    await updateThread(db, thread, { locked: false })
    expect(await addPost(db, thread, 'ada', 'y')).toMatchObject({ number: 3, seq: 5 })
  })

  test('the latest changes are bounded, and say from where on none is missing', async () => {
    const { db } = store
    await addUser(db, 'ada')
    const thread = await addThread(db, 'ada')
    for (let i = 2; i <= 6; i++) await addPost(db, thread, 'ada', `post ${i}`)
    await updatePost(db, { thread, number: 3 }, content('edited'), { editorId: 'ada', seen: 3 })
    const bounded = await readLatest(db, thread, 0, 3)
    expect(bounded).toMatchObject({ seq: 7, from: 4 })
    expect(bounded?.posts.map(({ number, seq }) => [number, seq])).toEqual([
      [5, 5],
      [6, 6],
      [3, 7],
    ])
    expect(await readLatest(db, thread, 4, 3)).toMatchObject({ seq: 7, from: 4, posts: { length: 3 } })
    expect(await readLatest(db, thread, 7, 3)).toMatchObject({ seq: 7, from: 7, posts: [] })
    // As if the database had been restored from an older copy.
    expect(await readLatest(db, thread, 9, 3)).toMatchObject({ seq: 7, from: 9, posts: [] })
    expect(await readChanges(db, thread, 9)).toMatchObject({ seq: 7, posts: { length: 6 } })
    expect(await readChanges(db, thread, 7)).toMatchObject({ seq: 7, posts: [] })
  })

  test('embedded posts are shown as they are now, and those who show them are found', async () => {
    const { db } = store
    await addUser(db, 'ada')
    const shown = await addThread(db, 'ada', 'shown root', 'Shown')
    const thread = await addThread(db, 'ada')
    const refs = [
      { thread: shown, number: 1 },
      { thread: shown, number: 7 },
    ]
    const post = await addPost(db, thread, 'ada', 'look', content('look', refs))
    const found = {
      kind: 'post',
      thread: shown,
      number: 1,
      state: 'found',
      title: 'Shown',
      excerpt: 'shown root',
    }
    expect(post.embeds).toEqual([
      { ...found, author: { id: 'ada', name: 'ada', kind: 'person' } },
      { kind: 'post', thread: shown, number: 7, state: 'missing' },
    ])
    expect(await findEmbedders(db, { thread: shown, number: 1 })).toEqual(new Map([[thread, [2]]]))
    await updatePost(db, { thread: shown, number: 1 }, content('otherwise'), { editorId: 'ada', seen: 1 })
    expect((await readPost(db, thread, 2))?.embeds?.[0]).toMatchObject({ excerpt: 'otherwise' })
    expect(seqs(await touchPosts(db, thread, [2]))).toEqual([3])
    // An edit without embeds takes them away.
    await updatePost(db, { thread, number: 2 }, content('none'), { editorId: 'ada', seen: 3 })
    expect((await readPost(db, thread, 2))?.embeds).toBeUndefined()
    expect(await findEmbedders(db, { thread: shown, number: 1 })).toEqual(new Map())
  })

  test('posts of the same thread that show a post are stamped with it', async () => {
    const { db } = store
    await addUser(db, 'ada')
    const thread = await addThread(db, 'ada')
    await addPost(db, thread, 'ada', 'shown')
    await addPost(db, thread, 'ada', 'shows', content('shows', [{ thread, number: 2 }]))
    await addPost(db, thread, 'ada', 'quotes', { quote: { number: 2, text: 'shown' } })
    const edited = await updatePost(db, { thread, number: 2 }, content('anew'), { editorId: 'ada', seen: 2 })
    expect(edited).toMatchObject([
      { seq: 5, post: { number: 2 } },
      { seq: 6, post: { number: 3, embeds: [{ excerpt: 'anew' }] } },
    ])
    const erased = await erasePost(db, { thread, number: 2 })
    expect(erased).toMatchObject([
      { seq: 7, post: { number: 2, state: 'deleted' } },
      { seq: 8, post: { number: 3, embeds: [{ state: 'missing' }] } },
      { seq: 9, post: { number: 4, quote: { number: 2, text: null } } },
    ])
    expect(await headOf(db, thread)).toBe(9)
  })

  test('an embed of a post that comes later finds it, and a new title of the thread is shown', async () => {
    const { db } = store
    await addUser(db, 'ada')
    const thread = await addThread(db, 'ada')
    const other = await addThread(db, 'ada')
    const early = content('early', [{ thread, number: 3 }])
    await addPost(db, thread, 'ada', 'early', early)
    await addPost(db, other, 'ada', 'early', early)
    const input = {
      ...content('late', [{ thread, number: 3 }]),
      thread,
      parent: 1,
      authorId: 'ada',
      clientId: null,
      quote: null,
    }
    const inserted = await insertPost(db, input)
    expect(inserted).toMatchObject({
      shownElsewhere: true,
      changes: [
        { seq: 3, post: { number: 3 } },
        { seq: 4, post: { number: 2, seq: 4, embeds: [{ state: 'found', excerpt: 'late' }] } },
      ],
    })
    expect(inserted.changes).toHaveLength(2)
    expect(await headOf(db, thread)).toBe(4)
    const renamed = await updateThread(db, thread, { title: 'Renamed' })
    expect(renamed).toMatchObject([
      { seq: 5, info: { title: 'Renamed' } },
      { seq: 6, post: { number: 2, embeds: [{ title: 'Renamed' }] } },
      { seq: 7, post: { number: 3, embeds: [{ title: 'Renamed' }] } },
    ])
    expect(await findEmbedders(db, { thread })).toEqual(
      new Map([
        [thread, [2, 3]],
        [other, [2]],
      ]),
    )
    expect((await insertPost(db, { ...input, embeds: [] })).changes).toHaveLength(1)
  })

  test('touching what is not there takes no seq', async () => {
    const { db } = store
    await addUser(db, 'ada')
    const thread = await addThread(db, 'ada')
    expect(await touchPosts(db, thread, [5])).toEqual([])
    expect(await headOf(db, thread)).toBe(1)
  })

  test('a serialisation failure is tried again, other errors are not', async () => {
    let attempts = 0
    const failing = (code: string) =>
      transact(store.db, async () => {
        attempts++
        throw Object.assign(new Error('given up'), { code })
      })
    await expect(failing('40001')).rejects.toThrow('given up')
    expect(attempts).toBe(3)
    await expect(failing('23505')).rejects.toThrow('given up')
    expect(attempts).toBe(4)
  })
})
