import { expect, test } from 'vitest'
import { renderPostsFeed, renderThreadsFeed } from '../../server/pages/feeds.ts'
import { readBody, readChanges, readThread } from '../../server/store/read.ts'
import { listThreads } from '../../server/store/threads.ts'
import { insertPost } from '../../server/store/insert.ts'
import { erasePost, setReaction, updatePost } from '../../server/store/posts.ts'
import { exportThread } from '../../server/threads/export.ts'
import { refreshEmbedders, reply } from '../../server/threads/posts.ts'
import {
  addPost,
  addThread,
  addUser,
  content,
  describePostgres,
  describeStores,
  publicUrl,
  threadParts,
} from '../helpers/store.ts'

const secret = 'swordfish'

describeStores('a deleted post', (store) => {
  test('is a tombstone without text, quote, reactions or embeds', async () => {
    const { db } = store
    await addUser(db, 'ada')
    const thread = await addThread(db, 'ada')
    const refs = [{ thread, number: 1 }]
    await addPost(db, thread, 'ada', secret, {
      ...content(secret, refs),
      quote: { number: 1, text: 'root' },
      clientId: 'c',
    })
    await addPost(db, thread, 'ada', 'answer', { parent: 2 })
    await setReaction(db, { thread, number: 2 }, { emoji: '👍', userId: 'ada', on: true })
    await updatePost(db, { thread, number: 2 }, content(`${secret} again`, refs), {
      editorId: 'ada',
      seen: 2,
    })
    const [change] = await erasePost(db, { thread, number: 2 })
    const { posts, seq } = (await readThread(db, thread))!
    const tombstone = posts.find(({ number }) => number === 2)!
    expect(tombstone).toEqual({
      number: 2,
      parent: 1,
      author: { id: 'ada', name: 'ada', kind: 'person' },
      html: '',
      state: 'deleted',
      createdAt: expect.any(String),
      editedAt: null,
      quote: null,
      reactions: [],
      seq,
      clientId: 'c',
    })
    expect(change).toEqual({ seq, post: tombstone })
    expect(posts.find(({ number }) => number === 3)).toMatchObject({ parent: 2, html: '<p>answer</p>' })
  })

  test('cannot be changed any more', async () => {
    const { db } = store
    await addUser(db, 'ada')
    const thread = await addThread(db, 'ada')
    await addPost(db, thread, 'ada', secret)
    const at = { thread, number: 2 }
    await erasePost(db, at)
    const gone = { code: 'post-deleted' }
    await expect(erasePost(db, at)).rejects.toMatchObject(gone)
    await expect(updatePost(db, at, content('x'), { editorId: 'ada', seen: 9 })).rejects.toMatchObject(gone)
    await expect(setReaction(db, at, { emoji: '👍', userId: 'ada', on: true })).rejects.toMatchObject(gone)
    expect(await readThread(db, thread)).toMatchObject({ seq: 3 })
  })

  test('leaves its text nowhere', async () => {
    const { db } = store
    const ada = await addUser(db, 'ada')
    const parts = threadParts(db)
    const thread = await addThread(db, 'ada', `the ${secret} root`)
    await updatePost(db, { thread, number: 1 }, content(`a new ${secret} root`), { editorId: 'ada', seen: 1 })
    await reply(parts, ada, thread, {
      parent: 1,
      body: 'quoted',
      clientId: 'q',
      quote: { number: 1, text: `new ${secret} root` },
    })
    await addPost(db, thread, 'ada', 'shown', content('shown', [{ thread, number: 1 }]))
    const other = await addThread(db, 'ada', 'elsewhere')
    await addPost(db, other, 'ada', 'shown', content('shown', [{ thread, number: 1 }]))
    const before = (await readThread(db, other))!.seq

    const everywhere = async () => {
      const page = await listThreads(db, null)
      const [here, there] = [(await readThread(db, thread))!, (await readThread(db, other))!]
      let file = ''
      await exportThread({ db, write: (line) => Promise.resolve(void (file += line)) }, thread)
      const tables = await Promise.all(
        (['threads', 'posts', 'revisions', 'post_embeds'] as const).map((table) =>
          db.selectFrom(table).selectAll().execute(),
        ),
      )
      return {
        snapshot: JSON.stringify(here),
        changes: JSON.stringify(await readChanges(db, thread, 1)),
        body: await readBody(db, thread, 1),
        elsewhere: JSON.stringify(there),
        list: JSON.stringify(page),
        file,
        threadsFeed: renderThreadsFeed(publicUrl, { ...page, next: null }),
        postsFeed: renderPostsFeed(publicUrl, here),
        tables: JSON.stringify(tables),
      }
    }
    // It is in each of these places as long as it stands.
    for (const [place, text] of Object.entries(await everywhere())) expect(text, place).toContain(secret)
    await erasePost(db, { thread, number: 1 })
    await refreshEmbedders(parts, { thread, number: 1 })
    for (const [place, text] of Object.entries(await everywhere())) expect(text, place).not.toContain(secret)
    expect((await readThread(db, other))!.seq).toBe(before + 1)
  })

  test('counts no more, and takes a thread without any posts out of the list', async () => {
    const { db } = store
    await addUser(db, 'ada')
    const thread = await addThread(db, 'ada')
    await addPost(db, thread, 'ada', 'two')
    await erasePost(db, { thread, number: 1 })
    expect((await listThreads(db, null)).threads).toMatchObject([{ id: thread, posts: 1, excerpt: '' }])
    await erasePost(db, { thread, number: 2 })
    expect((await listThreads(db, null)).threads).toEqual([])
  })
})

describePostgres('a post that is deleted while it is being quoted', (store) => {
  test('leaves no text in the quote, whoever comes first', async () => {
    const { db } = store
    await addUser(db, 'ada')
    const thread = await addThread(db, 'ada')
    for (let round = 0; round < 30; round++) {
      const { number } = await addPost(db, thread, 'ada', secret)
      const quoting = {
        ...content('quotes'),
        thread,
        parent: 1,
        authorId: 'ada',
        clientId: null,
        quote: { number, text: secret },
      }
      // The writer has read the post it quotes before it is deleted, and writes at any time after.
      await Promise.all([erasePost(db, { thread, number }), insertPost(db, quoting)])
    }
    const left = await db.selectFrom('posts').select('number').where('quote_text', '=', secret).execute()
    expect(left).toEqual([])
  })

  test('holds also where the deletion is committed while the reply waits for the thread', async () => {
    const { db } = store
    await addUser(db, 'ada')
    const thread = await addThread(db, 'ada')
    await addPost(db, thread, 'ada', secret)
    const parts = threadParts(db)
    const ada = { id: 'ada', name: 'ada', kind: 'person', role: 'member' } as const
    const links = {
      async request() {
        // Between the check of the quote and the write.
        await erasePost(db, { thread, number: 2 })
        return []
      },
    }
    const quote = { number: 2, text: secret }
    const input = { parent: 1, body: 'quotes', clientId: 'q', quote }
    const post = await reply({ ...parts, links }, ada, thread, input)
    expect(post.quote).toEqual({ number: 2, text: null })
  })
})
