import { Hono } from 'hono'
import { sql } from 'kysely'
import type { Registry } from 'prom-client'
import type { Bus } from '../bus/bus.ts'
import type { Db } from '../store/database.ts'
import type { Env } from './context.ts'

/** How long the database may take to say that it is there, in milliseconds. */
const readyMs = 2_000

/**
 * For the machinery around the server. `/healthz`: the process answers. `/readyz`: it can serve, which a proxy asks
 * before it sends anyone; a bus that is down slows live delivery but refuses nobody, so it is told, not held against it.
 */
export function healthRoutes(parts: {
  db: Db
  bus: Bus
  registry: Registry
  isDraining(): boolean
}): Hono<Env> {
  const { db, bus, registry } = parts
  return new Hono<Env>()
    .get('/healthz', (c) => c.json({ status: 'ok' }))
    .get('/readyz', async (c) => {
      const database = await isThere(db)
      const ready = database && !parts.isDraining()
      const body = {
        status: ready ? 'ready' : 'not ready',
        database,
        bus: bus.up,
        draining: parts.isDraining(),
      }
      return c.json(body, ready ? 200 : 503)
    })
    .get('/metrics', async (c) =>
      c.text(await registry.metrics(), 200, { 'content-type': registry.contentType }),
    )
}

async function isThere(db: Db): Promise<boolean> {
  const asked = sql`select 1`.execute(db).then(
    () => true,
    () => false,
  )
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<boolean>((resolve) => (timer = setTimeout(resolve, readyMs, false)))
  const answer = await Promise.race([asked, late])
  clearTimeout(timer)
  return answer
}
