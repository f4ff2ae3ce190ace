import type { Logger } from 'pino'
import type { Db } from '../store/database.ts'
import type { Fetch } from './fetch.ts'
import { linkLimits } from './limits.ts'
import { ensureLinks, pendingLinks, settleLink, settlePendingAsMissing, type LinkState } from './link-rows.ts'
import { createLookupQueue } from './lookup-queue.ts'
import { readPreview, type Preview } from './preview.ts'

export interface LinksParts {
  readonly db: Db
  readonly fetch: Fetch
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>
  /** False where the server may not ask others: no link is ever found then. */
  readonly enabled: boolean
  /** Called on the node that settled a link: what shows it has changed. */
  onSettled(linkId: string): void | Promise<void>
  /** Milliseconds until the second try of a failed look-up. */
  readonly retryMs?: number
}

export interface Links {
  /** Makes sure that the links are known, in the order given, and returns their ids; new ones are looked up in the background. */
  request(urls: readonly string[]): Promise<string[]>
  /** Looks up those of `links` that are pending: for rows that `ensureLinks` made in a transaction, after its commit. */
  lookUp(links: readonly LinkState[]): void
  /** Looks up what an earlier process left pending. */
  resume(): Promise<void>
  /** Breaks off the look-ups that run. Their rows stay pending for `resume`. */
  close(): Promise<void>
}

/**
 * Previews of links, looked up once in the background and kept in the database. A look-up that failed for a passing
 * reason settles as missing at once, so that readers are not left waiting, and gets one more try later. Several
 * nodes may look up the same link; one of them settles it.
 */
export function createLinks(parts: LinksParts): Links {
  const { db, log } = parts
  const stopping = new AbortController()
  const retries = new Set<NodeJS.Timeout>()
  /** Some rows found no room in the queue. */
  let more = false
  const queue = createLookupQueue(
    { atOnce: linkLimits.lookups, perHost: linkLimits.lookupsPerHost, waiting: linkLimits.queue },
    () => {
      if (more)
        resume().catch((error: unknown) => log.error({ err: error }, 'pending links could not be read'))
    },
  )
  return { request, lookUp, resume, close }

  async function request(urls: readonly string[]): Promise<string[]> {
    const rows = await ensureLinks(db, urls, parts.enabled ? 'pending' : 'missing')
    lookUp(rows)
    return rows.map((row) => row.id)
  }

  function lookUp(links: readonly LinkState[]): void {
    if (!parts.enabled) return
    for (const link of links) if (link.state === 'pending') enqueue(link, 'pending')
  }

  async function resume(): Promise<void> {
    if (!parts.enabled) {
      for (const id of await settlePendingAsMissing(db)) await announce(id)
      return
    }
    const rows = await pendingLinks(db, linkLimits.queue)
    more = rows.length === linkLimits.queue
    lookUp(rows)
  }

  async function close(): Promise<void> {
    stopping.abort(new Error('the server stops'))
    for (const timer of retries) clearTimeout(timer)
    await queue.close()
  }

  function enqueue(link: LinkState, from: 'pending' | 'missing'): void {
    const host = URL.canParse(link.url) ? new URL(link.url).hostname : ''
    const taken = queue.add({ key: link.id, host, run: () => run(link, from) })
    // A second try that finds no room is let go: it is settled already.
    if (!taken && from === 'pending') more = true
  }

  async function run(link: LinkState, from: 'pending' | 'missing'): Promise<void> {
    let preview: Preview | null = null
    let again = false
    try {
      preview = await readPreview(parts, link.url, stopping.signal)
    } catch (error) {
      if (stopping.signal.aborted) return
      log.info({ link: link.id, reason: (error as Error).message }, 'a link could not be looked up')
      again = true
    }
    try {
      if (from === 'missing' && !preview) return
      if (await settleLink(db, link.id, from, preview)) await announce(link.id)
      if (again) retryLater(link)
    } catch (error) {
      // The row stays as it was; `resume` finds it.
      log.error({ err: error, link: link.id }, 'a link could not be settled')
    }
  }

  function retryLater(link: LinkState): void {
    const timer = setTimeout(() => {
      retries.delete(timer)
      enqueue(link, 'missing')
    }, parts.retryMs ?? linkLimits.retryMs)
    timer.unref()
    retries.add(timer)
  }

  async function announce(id: string): Promise<void> {
    try {
      await parts.onSettled(id)
    } catch (error) {
      log.error({ err: error, link: id }, 'posts could not be told of a settled link')
    }
  }
}
