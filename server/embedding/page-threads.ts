import { Problem } from '../../shared/errors.ts'
import { createThread, type ThreadSnapshot } from '../../shared/http.ts'
import { limits } from '../../shared/limits.ts'
import type { OpenPage } from '../../shared/site.ts'
import { cleanText } from '../links/text.ts'
import { sqlState, type Db } from '../store/database.ts'
import { readThread } from '../store/read.ts'
import { insertThread } from '../store/threads.ts'
import { authorize, type Actor } from '../threads/access.ts'
import { prepareContent } from '../threads/content.ts'
import { derivedThreadId } from '../threads/ids.ts'
import type { ThreadParts } from '../threads/parts.ts'
import { publishChanges } from '../threads/publish.ts'
import { getThread } from '../threads/threads.ts'
import { siteLimits } from './limits.ts'
import { pageKey, pageUrl } from './page-address.ts'
import type { Sites, StoredSite } from './sites.ts'

/** A page of a site. */
export interface Page {
  readonly site: StoredSite
  /** What names it among the site's pages. */
  readonly key: string
  /** Its address for people. */
  readonly url: string
  /** The thread that it has, or will have. */
  readonly threadId: string
}

export interface PageParts {
  readonly sites: Sites
  readonly publicUrl: string
}

/** The thread of a page is known before it is there, so that widgets can wait for it. */
export function pageThreadId(siteId: string, key: string): string {
  return derivedThreadId(`${siteId} ${key}`)
}

/** The page at an address, by the rules of its site. Throws `page-not-allowed`, and `invalid` where it is too long. */
export async function findPage({ sites, publicUrl }: PageParts, address: string): Promise<Page> {
  const { origin } = new URL(address)
  const site = await sites.byOrigin(origin)
  if (site === undefined) {
    throw new Problem('page-not-allowed', {
      detail: `Pages of ${origin} may not have threads on ${publicUrl}.`,
    })
  }
  const key = pageKey(address, site.rules)
  const url = pageUrl(address, site.rules)
  if (Math.max(key.length, url.length) > siteLimits.pageKeyMax) {
    const message = 'is too long'
    throw new Problem('invalid', { detail: `url: ${message}`, issues: [{ path: '/url', message }] })
  }
  return { site, key, url, threadId: pageThreadId(site.id, key) }
}

/**
 * The thread of a page; it is made where it is not there yet, once, whoever else does so at the same time.
 * Throws `sign-in-required`, `page-not-allowed`, `invalid`.
 */
export async function openPageThread(
  parts: ThreadParts & PageParts,
  actor: Actor | null,
  input: OpenPage,
): Promise<ThreadSnapshot> {
  authorize(actor, 'create-thread')
  const page = await findPage(parts, input.url)
  const known = await readThread(parts.db, page.threadId)
  if (known !== undefined) return known
  const { site, key, url, threadId: id } = page
  const content = await prepareContent(parts, id, rootBody(page))
  const [linkId = null] = await parts.links.request([url])
  const title = titleOf(input.title, key)
  const thread = { ...content, id, title, url, linkId, authorId: site.authorId }
  const made = await tryInsert(parts, { ...thread, page: { siteId: site.id, key } })
  const snapshot = await getThread(parts, id)
  const root = snapshot.posts.find((post) => post.number === 1)
  // Widgets wait for it: their page had no thread when they were opened.
  if (made && root) publishChanges(parts.bus, id, [{ seq: root.seq, post: root }])
  return snapshot
}

/** Whether it was made; somebody else may have been first. */
async function tryInsert(
  { db, sites }: Pick<ThreadParts & PageParts, 'db' | 'sites'>,
  thread: Parameters<typeof insertThread>[1],
): Promise<boolean> {
  try {
    await insertThread(db, thread)
    return true
  } catch (error) {
    if (sqlState(error) === '23505') return false
    if (sqlState(error) !== '23503') throw error
    // The site was deleted in the last seconds.
    sites.forget()
    throw new Problem('page-not-allowed', { cause: error })
  }
}

/** The title that the page gave, as one line that fits; its key where it gave none. */
function titleOf(given: string | undefined, key: string): string {
  const { data } = createThread.shape.title.safeParse(cleanText(given, limits.titleMax))
  return data ?? cleanText(key, limits.titleMax)!
}

/** A link to the page, in Markdown. It is no card: the thread has one above its posts. */
function rootBody({ key, url }: Page): string {
  const label = key.replace(/[!-/:-@[-`{-~]/g, '\\$&')
  const target = url.replace(/[\\&]/g, '\\$&')
  return `[${label}](<${target}>)`
}

/** The site that a thread belongs to, if it has one still, and whether the thread is that of a page. Throws `thread-not-found`. */
export async function siteOfThread(
  { db, sites }: { db: Db; sites: Sites },
  thread: string,
): Promise<{ site: StoredSite | undefined; isPage: boolean }> {
  const row = await db
    .selectFrom('threads')
    .select(['site_id', 'page_key'])
    .where('id', '=', thread)
    .executeTakeFirst()
  if (row === undefined) throw new Problem('thread-not-found')
  return {
    site: row.site_id === null ? undefined : await sites.find(row.site_id),
    isPage: row.page_key !== null,
  }
}
