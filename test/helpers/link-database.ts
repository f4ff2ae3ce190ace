import { afterAll, beforeAll, beforeEach } from 'vitest'
import type { Fetch, Fetched } from '../../server/links/fetch.ts'
import type { Db, OpenDatabase } from '../../server/store/database.ts'
import { migrate } from '../../server/store/migrate.ts'
import { openTestPglite } from './pglite.ts'

/** A database for the tests of this file; each finds it without links. */
export function useLinkDatabase(): { readonly db: Db } {
  let opened: OpenDatabase
  let end: () => Promise<void>
  beforeAll(async () => {
    ;({ database: opened, end } = await openTestPglite())
    await migrate(opened.db)
  })
  beforeEach(async () => {
    await opened.db.deleteFrom('links').execute()
  })
  afterAll(() => end())
  return {
    get db() {
      return opened.db
    },
  }
}

/** What a fetch of `url` answers with. */
export function fetched(url: string, type: string, body: string | Uint8Array): Fetched {
  return {
    url: new URL(url),
    type,
    charset: undefined,
    announcedBytes: undefined,
    body: (async function* () {
      yield await Promise.resolve(Buffer.from(body))
    })(),
    close: () => {},
  }
}

/** A fetch that waits until the test lets it go, and knows how many wait. */
export function gatedFetch(answer: Fetch) {
  const gates: { url: string; open: () => void }[] = []
  const asked: string[] = []
  const fetch: Fetch = async (url, options) => {
    asked.push(url)
    await new Promise<void>((resolve, reject) => {
      gates.push({ url, open: resolve })
      options.signal?.addEventListener('abort', () => reject(options.signal!.reason as Error), { once: true })
    })
    return await answer(url, options)
  }
  return {
    fetch,
    /** All that were asked for, in order. */
    asked,
    /** Those that wait right now. */
    waiting: () => gates.map((gate) => gate.url),
    /** Lets those go that wait right now. */
    open() {
      for (const gate of gates.splice(0)) gate.open()
    },
  }
}
