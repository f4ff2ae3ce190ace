import { sql } from 'kysely'
import { Problem } from '../../shared/errors.ts'
import type { Post, PostState } from '../../shared/post.ts'
import type { Bus } from '../bus/bus.ts'
import { createBatcher, type Outcome } from '../store/batcher.ts'
import { sqlState, type Db } from '../store/database.ts'
import {
  insertPlain,
  insertPost,
  insertPosts,
  type Inserted,
  type NewPost,
  type PlainPost,
} from '../store/insert.ts'
import { publishChanges } from './publish.ts'

/** Posts that are written in one transaction, and places that are looked up in one query, at the most. */
const most = { posts: 64, places: 256 } as const

/** What the rules ask about a place. Without a post there, `state` and `authorId` are null. */
export interface PlaceFacts {
  locked: boolean
  pageKey: string | null
  authorId: string | null
  state: PostState | null
}

/** What many ask of the database at the same moment is done for all of them in one go. */
export interface Together {
  /** A thread and a post in it; undefined where there is no such thread. */
  look(at: { thread: string; number: number }): Promise<PlaceFacts | undefined>
  /**
   * Writes a reply and tells every viewer. Replies to one thread that come while others of it are being written go into
   * one transaction; each is answered when that is committed. Problems: those of `insertPost`.
   */
  write(post: NewPost): Promise<Inserted>
  /**
   * The same in one statement, which holds to the rules about what is answered: for a reply that anybody with an account
   * may write, to a post that is there, with nothing else to be done. Undefined where this is not so, or not certain:
   * nothing was written then, and `look` and `write` tell more.
   */
  writePlain(post: PlainPost): Promise<Post | undefined>
}

export function createTogether({ db, bus }: { db: Db; bus: Bus }): Together {
  async function write(thread: string, posts: readonly NewPost[]): Promise<Outcome<Inserted>[]> {
    if (posts.length > 1) {
      try {
        const { inserted, changes } = await insertPosts(db, thread, posts)
        publishChanges(bus, thread, changes)
        return inserted.map((value) => ({ value }))
      } catch (error) {
        // One of them cannot be written; nothing of any was.
        if (!isOfOne(error)) throw error
      }
    }
    const outcomes: Outcome<Inserted>[] = []
    for (const post of posts) outcomes.push(await writeAlone(thread, post))
    return outcomes
  }

  async function writeAlone(thread: string, post: NewPost): Promise<Outcome<Inserted>> {
    try {
      const value = await insertPost(db, post)
      publishChanges(bus, thread, value.changes)
      return { value }
    } catch (error) {
      return { error }
    }
  }

  /** Writes plain replies until it could not: others write to this thread, too, and would come between again. */
  function plainWriter(thread: string) {
    let alone = true
    return async (posts: readonly PlainPost[]): Promise<Outcome<Post | undefined>[]> => {
      const written = alone ? await insertPlain(db, thread, posts).catch(noneIfOfOne) : []
      alone = written.length > 0
      publishChanges(
        bus,
        thread,
        written.map((post) => ({ seq: post.seq, post })),
      )
      return posts.map((_, i) => ({ value: written[i] }))
    }
  }

  return {
    look: createBatcher({ most: most.places, run: (places) => lookUp(db, places) }),
    write: batchedByThread((thread) => (posts) => write(thread, posts)),
    writePlain: batchedByThread(plainWriter),
  }
}

/** A batcher for each thread, as long as somebody writes to it. */
function batchedByThread<P extends NewPost, O>(
  runOf: (thread: string) => (posts: readonly P[]) => Promise<readonly Outcome<O>[]>,
): (post: P) => Promise<O> {
  const batchers = new Map<string, (post: P) => Promise<O>>()
  return (post) => {
    const { thread } = post
    let batcher = batchers.get(thread)
    if (batcher === undefined) {
      batcher = createBatcher({
        most: most.posts,
        run: runOf(thread),
        onIdle: () => batchers.delete(thread),
      })
      batchers.set(thread, batcher)
    }
    return batcher(post)
  }
}

function noneIfOfOne(error: unknown): [] {
  if (isOfOne(error)) return []
  throw error
}

/** Whether the fault lies with what was to be written: a rule of ours, or one of the database's (SQLSTATE classes 22, 23). */
function isOfOne(error: unknown): boolean {
  return error instanceof Problem || /^2[23]/.test(sqlState(error) ?? '')
}

async function lookUp(
  db: Db,
  places: readonly { thread: string; number: number }[],
): Promise<Outcome<PlaceFacts | undefined>[]> {
  const { rows } = await sql<PlaceFacts & { i: number }>`
    select at.i, t.locked, t.page_key as "pageKey", p.author_id as "authorId", p.state
    from unnest(${places.map(({ thread }) => thread)}::text[], ${places.map(({ number }) => number)}::integer[])
      with ordinality as at (thread, number, i)
    join threads t on t.id = at.thread
    left join posts p on p.thread_id = at.thread and p.number = at.number`.execute(db)
  const found = new Map(rows.map(({ i, ...facts }) => [i, facts]))
  return places.map((_, i) => ({ value: found.get(i + 1) }))
}
