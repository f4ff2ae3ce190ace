import { Hono } from 'hono'
import { stream } from 'hono/streaming'
import { Problem } from '../../shared/errors.ts'
import type { ThreadSnapshot } from '../../shared/http.ts'
import { postNumber, threadId } from '../../shared/post.ts'
import type { Ctx, Env } from '../http/context.ts'
import { problemAnswer, toProblem } from '../http/problems.ts'
import type { RateLimits } from '../http/rate-limits.ts'
import type { Db } from '../store/database.ts'
import { getThread, getThreads } from '../threads/threads.ts'
import { devAssets, readManifest, type Assets } from './assets.ts'
import { renderErrorPage } from './error-page.tsx'
import { renderPostsFeed, renderSitemap, renderThreadsFeed } from './feeds.ts'
import type { Frame } from './frame.tsx'
import { renderFrontPage } from './front-page.tsx'
import { renderNewThreadPage } from './new-thread-page.tsx'
import { createPostCache } from './post-cache.ts'
import { renderSignInPage } from './sign-in-page.tsx'
import { renderThreadPage } from './thread-page.tsx'

export interface PageParts {
  readonly db: Db
  readonly rates: RateLimits
  readonly publicUrl: string
  readonly clientDir: string
  readonly devClientUrl: string | undefined
}

/** Threads that the sitemap names; search engines take no more addresses from one file. */
const sitemapThreads = 50_000

/** The pages for people, and the feeds. */
export function pageRoutes(parts: PageParts): Hono<Env> {
  const { db, rates, publicUrl } = parts
  const pages = new Hono<Env>()
  const cache = createPostCache()
  let built: Promise<Assets> | undefined

  async function frameFor(c: Ctx): Promise<Frame> {
    const assets = parts.devClientUrl === undefined ? await (built ??= readManifest(parts.clientDir)) : devAssets(parts.devClientUrl)
    const viewer = (await c.get('identify')())?.actor ?? null
    return { viewer, assets, nonce: c.get('nonce'), publicUrl }
  }

  async function admit(c: Ctx): Promise<void> {
    const identity = await c.get('identify')()
    await rates.take('read', identity?.actor.id ?? c.get('address'))
  }

  /** Pages tell who looks at them, so only the reader's own browser may keep them, and asks each time. */
  function page(c: Ctx, html: string, status: 200 | 404 = 200): Response {
    c.header('cache-control', 'private, no-cache')
    return c.html(html, status)
  }

  async function readThread(c: Ctx): Promise<ThreadSnapshot> {
    await admit(c)
    const id = threadId.safeParse(c.req.param('thread'))
    if (!id.success) throw new Problem('thread-not-found')
    return getThread({ db }, id.data)
  }

  async function threadPage(c: Ctx): Promise<Response> {
    const snapshot = await readThread(c)
    const asked = c.req.param('number')
    const number = asked === undefined ? undefined : postNumber.safeParse(Number(asked))
    const found = number === undefined || snapshot.posts.some((post) => post.number === number.data)
    if (!found) throw new Problem('post-not-found')
    const data = { ...(await frameFor(c)), snapshot, ...(number?.success && { focus: number.data }) }
    c.header('cache-control', 'private, no-cache')
    c.header('content-type', 'text/html; charset=utf-8')
    return stream(c, async (out) => {
      for await (const piece of renderThreadPage({ cache }, data)) {
        if (out.aborted) return
        await out.write(piece)
      }
    })
  }

  pages.onError(async (error, c) => {
    const problem = toProblem(error, c)
    if (problem.status !== 404) return problemAnswer(problem)
    return page(c, renderErrorPage(await frameFor(c), { title: problem.message }), 404)
  })

  pages.get('/', async (c) => {
    await admit(c)
    const cursor = c.req.query('cursor')
    const list = await getThreads({ db }, cursor)
    return page(c, renderFrontPage({ ...(await frameFor(c)), page: list, ...(cursor !== undefined && { cursor }) }))
  })
  pages.get('/sign-in', async (c) => page(c, renderSignInPage(await frameFor(c))))
  pages.get('/new', async (c) => page(c, renderNewThreadPage(await frameFor(c))))

  pages.get('/feed.xml', async (c) => {
    await admit(c)
    return feed(c, renderThreadsFeed(publicUrl, await getThreads({ db }, undefined)))
  })
  pages.get('/t/:thread/feed.xml', async (c) => feed(c, renderPostsFeed(publicUrl, await readThread(c))))
  pages.get('/t/:thread', threadPage)
  pages.get('/t/:thread/:number', threadPage)
  pages.get('/sitemap.xml', async (c) => {
    await admit(c)
    const threads = await db
      .selectFrom('threads')
      .select(['id', 'last_activity_at'])
      .orderBy('last_activity_at', 'desc')
      .limit(sitemapThreads)
      .execute()
    const listed = threads.map(({ id, last_activity_at: at }) => ({ id, lastActivityAt: at.toISOString() }))
    return c.body(renderSitemap(publicUrl, listed), 200, { 'content-type': 'application/xml; charset=utf-8' })
  })
  return pages
}

function feed(c: Ctx, xml: string): Response {
  return c.body(xml, 200, { 'content-type': 'application/atom+xml; charset=utf-8', 'cache-control': 'public, max-age=60' })
}
