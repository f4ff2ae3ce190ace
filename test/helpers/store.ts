import { sql } from 'kysely'
import { pino } from 'pino'
import { afterAll, beforeAll, beforeEach, describe } from 'vitest'
import { createMemoryBus } from '../../server/bus/memory.ts'
import { ensureLinks } from '../../server/links/link-rows.ts'
import { openDatabase, type Db, type OpenDatabase } from '../../server/store/database.ts'
import { migrate } from '../../server/store/migrate.ts'
import { insertThread } from '../../server/store/threads.ts'
import { type Content } from '../../server/store/content.ts'
import { insertPost, type NewPost } from '../../server/store/insert.ts'
import type { Actor, Role } from '../../server/threads/access.ts'
import { newThreadId } from '../../server/threads/ids.ts'
import type { ThreadParts } from '../../server/threads/parts.ts'
import { createRenderer } from '../../server/threads/render.ts'
import { createTogether } from '../../server/threads/together.ts'
import type { Post } from '../../shared/post.ts'
import { openTestPglite } from './pglite.ts'
import { createDatabase, describeWith } from './services.ts'

export const publicUrl = 'http://numinex.test'

/** A database of a test, with nothing in its tables. */
export interface TestStore {
  readonly db: Db
  readonly database: OpenDatabase
}

/** The same tests on the embedded database and on Postgres. The tables are empty before each. */
export function describeStores(
  title: string,
  tests: (store: TestStore, name: 'PGlite' | 'Postgres') => void,
): void {
  describe(`${title} on PGlite`, () => tests(useStore(openTestPglite), 'PGlite'))
  describePostgres(title, (store) => tests(store, 'Postgres'))
}

/** Tests that need more than the embedded database's one connection. */
export function describePostgres(title: string, tests: (store: TestStore) => void): void {
  describeWith('postgres', `${title} on Postgres`, () => tests(useStore(openPostgres)))
}

type Opened = { database: OpenDatabase; end(): Promise<void> }

function useStore(open: () => Promise<Opened>): TestStore {
  let opened: Opened
  beforeAll(async () => {
    opened = await open()
    await migrate(opened.database.db)
  })
  beforeEach(async () => {
    await sql`truncate users, settings, threads, links, models, ai_budgets, articles cascade`.execute(
      opened.database.db,
    )
  })
  afterAll(() => opened.end())
  return {
    get db() {
      return opened.database.db
    },
    get database() {
      return opened.database
    },
  }
}

/** A database of its own on the run's Postgres, without tables. */
export async function openPostgres(): Promise<Opened> {
  const made = await createDatabase()
  let ending = false
  const database = await openDatabase({
    url: made.url,
    dataDir: '',
    poolSize: 12,
    onError(error) {
      if (!ending) throw error
    },
  })
  return {
    database,
    async end() {
      ending = true
      await database.close()
      await made.drop()
    },
  }
}

/** What threads are done to with: real rendering, a bus of one process, links that stay pending. */
export function threadParts(db: Db): ThreadParts {
  const bus = createMemoryBus()
  return {
    db,
    bus,
    together: createTogether({ db, bus }),
    render: createRenderer({ publicUrl }),
    links: { request: async (urls) => (await ensureLinks(db, urls)).map(({ id }) => id) },
    log: pino({ level: 'silent' }),
  }
}

/** Puts an account there, which nobody can sign in to. */
export async function addUser(
  db: Db,
  id: string,
  more: { role?: Role; kind?: Actor['kind']; name?: string } = {},
): Promise<Actor> {
  const { role = 'member', kind = 'person', name = id } = more
  await db
    .insertInto('users')
    .values({ id, name, kind, role, email: `${id}@test.invalid` })
    .execute()
  return { id, name, kind, role }
}

/** A text as the store takes it, without a renderer. */
export function content(body: string, embeds: Content['embeds'] = []): Content {
  return { body, html: `<p>${body}</p>`, excerpt: body, embeds }
}

/** A thread with a root post. */
export async function addThread(
  db: Db,
  authorId: string,
  body = 'root',
  title = 'A thread',
): Promise<string> {
  const id = newThreadId()
  await insertThread(db, { ...content(body), id, title, url: null, linkId: null, authorId })
  return id
}

/** A reply, to the root unless said otherwise. */
export async function addPost(
  db: Db,
  thread: string,
  authorId: string,
  body: string,
  more: Partial<NewPost> = {},
): Promise<Post> {
  const post = { ...content(body), thread, parent: 1, authorId, clientId: null, quote: null, ...more }
  return (await insertPost(db, post)).post
}
