import { expect, test } from 'vitest'
import type { Db } from '../../server/store/database.ts'
import { readChanges, readHeads, readThread } from '../../server/store/read.ts'
import { insertPlain, insertPost } from '../../server/store/insert.ts'
import { erasePost, setReaction, touchPosts, updatePost } from '../../server/store/posts.ts'
import { updateThread } from '../../server/store/threads.ts'
import { Problem } from '../../shared/errors.ts'
import { applyChanges, fromSnapshot } from '../../shared/thread-state.ts'
import { createRandom, type Random } from '../helpers/random.ts'
import { addThread, addUser, content, describeStores } from '../helpers/store.ts'

const writers = 8
/** The embedded database has one connection, which lets nobody overtake anybody. */
const operations = { PGlite: 15, Postgres: 100 }

/** One committed change: the seqs it took, and the post it added. */
interface Done {
  seqs: number[]
  added?: number | undefined
  /** In one statement. */
  plain?: true
}

/** Does something to the thread, and tells what came of it; nothing where it was refused. */
async function operate(db: Db, random: Random, thread: string, userId: string, name: string): Promise<Done> {
  const last = (await db
    .selectFrom('threads')
    .select(['last_number', 'seq'])
    .where('id', '=', thread)
    .executeTakeFirstOrThrow())!
  const number = 1 + random.int(last.last_number)
  const at = { thread, number }
  const what = random.next()
  if (what < 0.45) {
    // Some show a post that is not there yet.
    const embeds = random.chance(0.2) ? [{ thread, number: number + random.int(20) }] : []
    const quote = random.chance(0.2) ? { number, text: 'words' } : null
    const clientId = random.chance(0.5) ? name : null
    if (embeds.length === 0 && quote === null && random.chance(0.6)) {
      const plain = { ...content(name), thread, parent: number, authorId: userId, clientId, quote }
      const written = await insertPlain(db, thread, [{ ...plain, embeds: [] }])
      if (written.length > 0) return { seqs: [written[0]!.seq], added: written[0]!.number, plain: true }
    }
    const input = { ...content(name, embeds), thread, parent: number, authorId: userId, clientId, quote }
    // A retried request, at the same time as the first.
    const twins = clientId !== null && random.chance(0.3) ? [input, input] : [input]
    // One of two may be refused while the thread is locked, and the other written when it is no more.
    const results = await Promise.allSettled(twins.map((twin) => insertPost(db, twin)))
    const answers = results.flatMap((each) => (each.status === 'fulfilled' ? each.value : []))
    const refused = results.find((each) => each.status === 'rejected')
    if (refused && (answers.length === 0 || !(refused.reason instanceof Problem))) throw refused.reason
    const created = answers.filter((each) => each.created)
    expect(created).toHaveLength(1)
    return { seqs: created[0]!.changes.map(({ seq }) => seq), added: created[0]!.post.number }
  }
  const change =
    what < 0.65
      ? updatePost(db, at, content(name), { editorId: userId, seen: last.seq })
      : what < 0.73
        ? erasePost(db, at)
        : what < 0.9
          ? setReaction(db, at, { emoji: random.pick(['👍', '🎉']), userId, on: random.chance(0.7) })
          : what < 0.95
            ? updateThread(db, thread, random.chance(0.3) ? { locked: random.chance(0.4) } : { title: name })
            : touchPosts(db, thread, [number, 1])
  return { seqs: (await change).map(({ seq }) => seq) }
}

describeStores('many writers of one thread', (store, name) => {
  test('take seqs and numbers without a gap, and whoever reads meanwhile misses nothing', async () => {
    const { db } = store
    const users = Array.from({ length: writers }, (_, i) => `user-${i}`)
    for (const user of users) await addUser(db, user)
    const thread = await addThread(db, users[0]!)
    const origin = fromSnapshot((await readThread(db, thread))!)
    const done: Done[] = []
    const refused = new Map<string, number>()
    let writing = true

    const write = async (userId: string, index: number) => {
      const random = createRandom(index + 1)
      for (let i = 0; i < operations[name]; i++) {
        try {
          done.push(await operate(db, random, thread, userId, `${userId}-${i}`))
        } catch (error) {
          if (!(error instanceof Problem)) throw error
          refused.set(error.code, (refused.get(error.code) ?? 0) + 1)
          // Whoever finds the thread locked opens it again: a game that stays locked would show little.
          if (error.code === 'thread-locked') {
            const opened = await updateThread(db, thread, { locked: false })
            done.push({ seqs: opened.map(({ seq }) => seq) })
          }
        }
      }
    }
    /** What a node does: reads what is new again and again, and knows nothing else. */
    const follow = async () => {
      let state = origin
      let reads = 0
      while (writing) {
        const changes = (await readChanges(db, thread, state.seq))!
        expect(changes.seq).toBeGreaterThanOrEqual(state.seq)
        for (const { seq } of changes.posts) {
          expect(seq).toBeGreaterThan(state.seq)
          expect(seq).toBeLessThanOrEqual(changes.seq)
        }
        state = applyChanges(state, state.seq, changes)
        reads++
      }
      return { state: applyChanges(state, state.seq, (await readChanges(db, thread, state.seq))!), reads }
    }

    const followers = [follow(), follow()]
    await Promise.all(users.map(write)).finally(() => (writing = false))
    const followed = await Promise.all(followers)

    const snapshot = (await readThread(db, thread))!
    const head = snapshot.seq
    const taken = done.flatMap(({ seqs }) => seqs).toSorted((a, b) => a - b)
    expect(taken).toEqual(Array.from({ length: head - 1 }, (_, i) => i + 2))
    const added = done.flatMap(({ added }) => added ?? []).toSorted((a, b) => a - b)
    expect(added).toEqual(Array.from({ length: snapshot.posts.length - 1 }, (_, i) => i + 2))
    const stamps = snapshot.posts.map(({ seq }) => seq)
    expect(new Set(stamps).size).toBe(stamps.length)
    expect(Math.max(...stamps)).toBeLessThanOrEqual(head)
    expect((await readHeads(db, [thread])).get(thread)).toBe(head)
    for (const { state, reads } of followed) {
      expect(reads).toBeGreaterThan(2)
      expect(state).toEqual(fromSnapshot(snapshot))
    }
    const counted = await db
      .selectFrom('threads')
      .select('post_count')
      .where('id', '=', thread)
      .executeTakeFirst()
    expect(counted?.post_count).toBe(snapshot.posts.filter(({ state }) => state !== 'deleted').length)
    // Enough of it really happened.
    // Where others can come between, they nearly always do.
    if (name === 'PGlite')
      expect(done.filter(({ plain }) => plain).length).toBeGreaterThan(operations[name] / 5)
    expect(done.length).toBeGreaterThan((writers * operations[name]) / 2)
    expect(
      [...refused.keys()].filter(
        (code) => !['post-deleted', 'edit-conflict', 'thread-locked'].includes(code),
      ),
    ).toEqual([])
  })

  test('of two threads at a time do not wait for each other forever', async () => {
    const { db } = store
    await addUser(db, 'ada')
    const threads = [await addThread(db, 'ada'), await addThread(db, 'ada')] as const
    const crosswise = Array.from({ length: 40 }, (_, i) => {
      const [here, there] = i % 2 === 0 ? threads : threads.toReversed()
      const embeds = [{ thread: there!, number: 1 }]
      const input = {
        ...content('x', embeds),
        thread: here!,
        parent: 1,
        authorId: 'ada',
        clientId: `c-${i >> 2}`,
        quote: null,
      }
      return insertPost(db, input)
    })
    const results = await Promise.all(crosswise)
    // Each clientId was used twice in each thread, where one of the two won.
    expect(results.filter(({ created }) => created)).toHaveLength(20)
    const heads = await readHeads(db, threads)
    expect(heads.get(threads[0])! + heads.get(threads[1])!).toBe(2 + 20)
  })
})
