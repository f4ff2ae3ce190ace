import { expect, test } from 'vitest'
import type { Db } from '../../server/store/database.ts'
import { ensureLinks } from '../../server/links/link-rows.ts'
import { readThread } from '../../server/store/read.ts'
import { erasePost, setReaction, updatePost } from '../../server/store/posts.ts'
import { updateThread } from '../../server/store/threads.ts'
import { exportThread } from '../../server/threads/export.ts'
import { importThread } from '../../server/threads/import.ts'
import { newThreadId } from '../../server/threads/ids.ts'
import { edit, reply } from '../../server/threads/posts.ts'
import { createRenderer } from '../../server/threads/render.ts'
import { createThread } from '../../server/threads/threads.ts'
import type { ThreadSnapshot } from '../../shared/http.ts'
import { treeRows } from '../../shared/thread-state.ts'
import { addUser, addPost, content, describeStores, publicUrl, threadParts } from '../helpers/store.ts'

const render = createRenderer({ publicUrl })

async function exported(db: Db, thread: string): Promise<string[]> {
  const lines: string[] = []
  await exportThread({ db, write: (line) => Promise.resolve(void lines.push(line)) }, thread)
  return lines.map((line) => line.trimEnd())
}

async function* each(lines: Iterable<string>): AsyncGenerator<string> {
  for (const line of lines) yield await Promise.resolve(line)
}

function imported(db: Db, lines: Iterable<string>, onProgress?: (done: number, total: number) => void) {
  const linkIds = async (tx: Parameters<typeof ensureLinks>[0], urls: readonly string[]) =>
    (await ensureLinks(tx, urls)).map(({ id }) => id)
  return importThread({ db, render, ensureLinks: linkIds, ...(onProgress && { onProgress }) }, each(lines))
}

/** A snapshot without what a file does not carry: seqs, clientIds, and the ids of accounts and of the thread. */
function essence({ thread, posts }: ThreadSnapshot) {
  const names = new Map(posts.map(({ author }) => [author.id, author.name]))
  return {
    thread: { ...thread, id: undefined },
    posts: posts
      .toSorted((a, b) => a.number - b.number)
      .map(({ seq: _, clientId: __, author, reactions, ...post }) => ({
        ...post,
        author: { ...author, id: undefined },
        reactions: reactions.map((reaction) => ({
          ...reaction,
          by: reaction.by.map((id) => names.get(id) ?? '').toSorted(),
        })),
      })),
  }
}

/** A thread with some of everything. */
async function richThread(db: Db): Promise<string> {
  const parts = threadParts(db)
  const ada = await addUser(db, 'ada', { name: 'Ada Ö. "Quote"' })
  const guest = await addUser(db, 'guest', { kind: 'guest', role: 'guest', name: '客' })
  await addUser(db, 'echo', { kind: 'ai', name: 'Echo' })
  const root =
    '# On _everything_\n\n- a\n  - b\n\n```js\nlet x = 1\n```\n\nhttps://essay.example/one\n\n$x^2$'
  const url = 'https://essay.example/'
  const { thread } = await createThread(parts, ada, { title: 'Of “everything” 🎉', body: root, url })
  const { id } = thread
  const say = (actor: typeof ada, parent: number, body: string, quote?: { number: number; text: string }) =>
    reply(parts, actor, id, { parent, body, clientId: `c-${body.length}-${parent}`, ...(quote && { quote }) })
  await say(guest, 1, 'I *quote* you', { number: 1, text: 'everything' })
  await say(ada, 2, 'will be deleted, but answered')
  await say(guest, 3, 'an answer to what is gone', { number: 3, text: 'deleted' })
  await say(ada, 1, `/t/${id}/2\n\nand /t/zzzzzzzzzz/4 is not there\n\n/t/zzzzzzzzzz/4`)
  await addPost(db, id, 'echo', 'half an ans', {
    ...content('half an ans'),
    html: render('half an ans', {}).html,
    parent: 2,
    state: 'interrupted',
  })
  await addPost(db, id, 'echo', '', { ...content(''), html: '', state: 'failed' })
  await edit(parts, guest, { thread: id, number: 2 }, { body: 'I **quoted** you', seq: 99 })
  for (const [emoji, userId] of [
    ['🎉', 'guest'],
    ['👍', 'ada'],
    ['🎉', 'ada'],
  ] as const) {
    await setReaction(db, { thread: id, number: 1 }, { emoji, userId, on: true })
  }
  await erasePost(db, { thread: id, number: 3 })
  await updateThread(db, id, { locked: true })
  return id
}

describeStores('a thread in a file', (store) => {
  test('comes back as it left, to the site it left and under its own id', async () => {
    const { db } = store
    const id = await richThread(db)
    const before = (await readThread(db, id))!
    const lines = await exported(db, id)
    await db.deleteFrom('threads').execute()
    expect(await imported(db, lines)).toBe(id)
    const after = (await readThread(db, id))!
    expect(essence(after)).toEqual(essence(before))
    // The same accounts wrote it.
    const authors = ({ posts }: ThreadSnapshot) =>
      posts.map((post) => `${post.number} ${post.author.id}`).toSorted()
    expect(authors(after)).toEqual(authors(before))
    expect(await exported(db, id)).toEqual(lines)
    const stamps = after.posts.map(({ number, seq }) => [number, seq])
    expect(stamps).toEqual(before.posts.map((_, i) => [i + 1, i + 1]))
    expect(after.seq).toBe(after.posts.length)
  })

  test('comes to another site with accounts of its own, and goes on living there', async () => {
    const { db } = store
    const id = await richThread(db)
    const before = (await readThread(db, id))!
    const lines = await exported(db, id)
    await db.deleteFrom('threads').execute()
    // Someone else has the id of one of the authors here.
    await db.updateTable('users').set({ name: 'Somebody else' }).where('id', '=', 'ada').execute()
    const renamed = lines.map((line) => line.replaceAll(id, newThreadId()))
    const moved = await imported(db, lines)
    const after = (await readThread(db, moved))!
    expect(essence(after)).toEqual(essence(before))
    expect(after.posts.filter(({ author }) => author.id === 'ada')).toEqual([])
    expect(renamed).not.toEqual(lines)

    await updateThread(db, moved, { locked: false })
    const next = await addPost(db, moved, 'ada', 'and on')
    expect(next).toMatchObject({ number: before.posts.length + 1, seq: after.seq + 2 })
    await updatePost(db, { thread: moved, number: 1 }, content('anew'), { editorId: 'ada', seen: after.seq })
  })

  test('is refused where the site has it already', async () => {
    const { db } = store
    const id = await richThread(db)
    const lines = await exported(db, id)
    await expect(imported(db, lines)).rejects.toMatchObject({
      code: 'invalid',
      detail: expect.stringContaining(id),
    })
  })

  test.each([
    ['a last line that is no JSON', (line: string) => line.slice(0, -3)],
    ['a last line without a parent', (line: string) => line.replace(/"parent":\d+/, '"parent":999')],
    ['a last line by nobody', (line: string) => line.replace(/"author":"[^"]+"/, '"author":"nobody"')],
    ['no last line', () => undefined],
  ])('leaves nothing behind with %s', async (_, spoil) => {
    const { db } = store
    const id = await richThread(db)
    const lines = await exported(db, id)
    await db.deleteFrom('threads').execute()
    await db.deleteFrom('users').execute()
    await db.deleteFrom('links').execute()
    const last = spoil(lines.at(-1)!)
    const spoilt = [...lines.slice(0, -1), ...(last === undefined ? [] : [last])]
    const line = `line ${lines.length}`
    await expect(imported(db, spoilt)).rejects.toMatchObject({
      code: 'invalid',
      detail: expect.stringContaining(line),
    })
    for (const table of ['threads', 'posts', 'users', 'links', 'post_embeds', 'reactions'] as const) {
      expect(await db.selectFrom(table).selectAll().execute(), table).toEqual([])
    }
    // The whole file is taken after that.
    expect(await imported(db, lines)).toBe(id)
  })

  test('may be of 5,000 posts and a depth of 60', { timeout: 120_000 }, async () => {
    const { db } = store
    const count = 5_000
    const createdAt = '2026-01-01T00:00:00.000Z'
    const header = {
      format: 'numinex-thread',
      version: 1,
      thread: { title: 'Large', createdAt },
      posts: count,
    }
    function* lines() {
      yield JSON.stringify(header)
      for (const id of ['a', 'b', 'c']) yield JSON.stringify({ author: { id, name: id, kind: 'person' } })
      for (let number = 1; number <= count; number++) {
        const parent = number === 1 ? null : number <= 60 ? number - 1 : 1 + (number % 59)
        const body = `Post **${number}** says something, with \`code\` and a [link](https://example.org/${number}).`
        yield JSON.stringify({ post: { number, parent, author: 'abc'[number % 3], createdAt, body } })
      }
    }
    const progress: [number, number][] = []
    const started = performance.now()
    const id = await imported(db, lines(), (...told) => void progress.push(told))
    const seconds = (performance.now() - started) / 1000
    // Generous: a machine that does nothing else takes about a tenth of it.
    expect(seconds).toBeLessThan(60)
    expect(progress.at(-1)).toEqual([count, count])
    expect(progress.length).toBeGreaterThan(5)
    const snapshot = (await readThread(db, id))!
    expect(snapshot.posts).toHaveLength(count)
    const rows = treeRows(snapshot.posts)
    expect(rows).toHaveLength(count)
    expect(Math.max(...rows.map(({ depth }) => depth))).toBe(59)
    expect(await exported(db, id)).toHaveLength(count + 4)
  })
})
