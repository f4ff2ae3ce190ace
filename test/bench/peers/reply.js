/** The server's own `reply`, from what was built, without HTTP, Redis and live connections. */
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { serveClosedLoop } from './closed-loop.js'

/** @param {string} file */
const load = (file) => import(pathToFileURL(path.join(process.env.ROOT, 'dist/server', file)).href)
const [{ openDatabase }, { createMemoryBus }, { createRenderer }, { reply }, { createTogether }] =
  await Promise.all(
    [
      'store/database.js',
      'bus/memory.js',
      'threads/render.js',
      'threads/posts.js',
      'threads/together.js',
    ].map(load),
  )

const { db } = await openDatabase({ url: process.env.DATABASE_URL, dataDir: '.', onError: console.error })
const bus = createMemoryBus()
const parts = {
  db,
  bus,
  together: createTogether({ db, bus }),
  render: createRenderer({ publicUrl: 'http://localhost' }),
  links: { request: () => Promise.resolve([]) },
  log: console,
}
const guests = await db
  .selectFrom('users')
  .select(['id', 'name'])
  .where('kind', '=', 'guest')
  .limit(16)
  .execute()

serveClosedLoop((body, turn) => {
  const { id, name } = guests[turn % guests.length]
  const actor = { id, name, kind: 'guest', role: 'guest' }
  return reply(parts, actor, process.env.THREAD, { parent: 1, body, clientId: crypto.randomUUID() })
})
