import { expect, test } from 'vitest'
import type { Db } from '../../server/store/database.ts'
import { readChanges, readThread } from '../../server/store/read.ts'
import { type Change } from '../../server/store/change.ts'
import { insertPost } from '../../server/store/insert.ts'
import { erasePost, setReaction, touchPosts, updatePost } from '../../server/store/posts.ts'
import { updateThread } from '../../server/store/threads.ts'
import { Problem } from '../../shared/errors.ts'
import { apply, applyChanges, fromSnapshot, isMissing, type ThreadState } from '../../shared/thread-state.ts'
import { createRandom, type Random } from '../helpers/random.ts'
import { addThread, addUser, content, describeStores } from '../helpers/store.ts'

const histories = 12
const operations = 20

/** Does something at random, and tells what was committed; nothing where it was refused. */
async function operate(
  db: Db,
  random: Random,
  thread: string,
  posts: number,
  turn: number,
): Promise<Change[]> {
  const at = { thread, number: 1 + random.int(posts) }
  const userId = random.pick(['ada', 'bob'])
  const text = `text ${turn}`
  const embeds = random.chance(0.4) ? [{ thread, number: 1 + random.int(posts + 3) }] : []
  const operation = random.pick([
    async () => {
      const quote = random.chance(0.4) ? { number: 1 + random.int(posts), text: 'words' } : null
      const input = {
        ...content(text, embeds),
        thread,
        parent: at.number,
        authorId: userId,
        clientId: null,
        quote,
      }
      return (await insertPost(db, input)).changes
    },
    () => updatePost(db, at, content(text, embeds), { editorId: userId, seen: Number.MAX_SAFE_INTEGER }),
    () => erasePost(db, at),
    () => setReaction(db, at, { emoji: random.pick(['👍', '🎉']), userId, on: random.chance(0.7) }),
    () => updateThread(db, thread, random.chance(0.5) ? { title: text } : { locked: random.chance(0.2) }),
    () => touchPosts(db, thread, [1 + random.int(posts), posts]),
  ])
  try {
    return await operation()
  } catch (error) {
    if (error instanceof Problem) return []
    throw error
  }
}

/** A committed change as the message that carries it. */
function message(thread: string, change: Change) {
  return 'post' in change
    ? ({ type: 'post', thread, seq: change.seq, post: change.post } as const)
    : ({ ...change.info, type: 'thread', thread, seq: change.seq } as const)
}

describeStores('what changed', (store) => {
  test('makes of any older state the newest, read at once or heard change by change', async () => {
    const { db } = store
    for (const id of ['ada', 'bob']) await addUser(db, id)
    for (let seed = 1; seed <= histories; seed++) {
      const random = createRandom(seed)
      const thread = await addThread(db, 'ada')
      const states = [fromSnapshot((await readThread(db, thread))!)]
      const heard: Change[] = []
      for (let turn = 0; turn < operations; turn++) {
        heard.push(...(await operate(db, random, thread, states.at(-1)!.posts.length, turn)))
        states.push(fromSnapshot((await readThread(db, thread))!))
      }
      const newest = states.at(-1)!
      expect(heard.map(({ seq }) => seq)).toEqual(Array.from({ length: newest.seq - 1 }, (_, i) => i + 2))
      for (const old of states) {
        const told = (await readChanges(db, thread, old.seq))!
        expect(told.posts.every(({ seq }) => seq > old.seq && seq <= told.seq)).toBe(true)
        expect(told.posts.map(({ seq }) => seq)).toEqual(
          told.posts.map(({ seq }) => seq).toSorted((a, b) => a - b),
        )
        expect(new Set(told.posts.map(({ number }) => number)).size).toBe(told.posts.length)
        expect(applyChanges(old, old.seq, told), `seed ${seed}, after ${old.seq}`).toEqual(newest)
        const live = heard.reduce<ThreadState>((state, change) => apply(state, message(thread, change)), old)
        expect(live, `seed ${seed}, live from ${old.seq}`).toEqual(newest)
      }
      // Backwards, every change is held until the missing one comes.
      const shuffled = heard
        .toReversed()
        .reduce<ThreadState>((state, change) => apply(state, message(thread, change)), states[0]!)
      expect(shuffled).toEqual(newest)
      expect(isMissing(shuffled)).toBe(false)
    }
  })

  test('is the whole thread for a client that knows more than the database', async () => {
    const { db } = store
    await addUser(db, 'ada')
    const thread = await addThread(db, 'ada')
    const snapshot = (await readThread(db, thread))!
    const ahead: ThreadState = {
      ...fromSnapshot(snapshot),
      seq: 9,
      head: 9,
      posts: [undefined, snapshot.posts[0]],
    }
    expect(applyChanges(ahead, 9, (await readChanges(db, thread, 9))!)).toEqual(fromSnapshot(snapshot))
  })
})
