import { sql } from 'kysely'
import { Problem } from '../../shared/errors.ts'
import type { PostState } from '../../shared/post.ts'
import type { Bus } from '../bus/bus.ts'
import { createBatcher, type Outcome } from '../store/batcher.ts'
import { sqlState, type Db } from '../store/database.ts'
import { insertPost, insertPosts, type Inserted, type NewPost } from '../store/insert.ts'
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
}

export function createTogether({ db, bus }: { db: Db; bus: Bus }): Together {
  const writers = new Map<string, (post: NewPost) => Promise<Inserted>>()

  function writerOf(thread: string) {
    const known = writers.get(thread)
    if (known) return known
    const made = createBatcher<NewPost, Inserted>({
      most: most.posts,
      run: (posts) => write(thread, posts),
      onIdle: () => writers.delete(thread),
    })
    writers.set(thread, made)
    return made
  }

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

  return {
    look: createBatcher({ most: most.places, run: (places) => lookUp(db, places) }),
    write: (post) => writerOf(post.thread)(post),
  }
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
