import { Hono } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { threadPath } from '../../client/views/format.ts'
import { Problem, problems } from '../../shared/errors.ts'
import type { ThreadSnapshot } from '../../shared/http.ts'
import { postNumber, threadId } from '../../shared/post.ts'
import { hostOfGrant } from '../embedding/popup-grants.ts'
import type { Sites } from '../embedding/sites.ts'
import type { Ctx, Env } from '../http/context.ts'
import { encodingFor } from '../http/encoding.ts'
import { toProblem } from '../http/problems.ts'
import type { RateLimits } from '../http/rate-limits.ts'
import { sendPacked } from '../http/send.ts'
import type { SnapshotPlace, Snapshots } from '../http/snapshots.ts'
import type { Heads } from '../live/heads.ts'
import type { Db } from '../store/database.ts'
import { can } from '../threads/access.ts'
import { getThreads } from '../threads/threads.ts'
import { adminPath, renderAdminPage } from './admin-page.tsx'
import { addClaimPages } from './claim-routes.ts'
import { devAssets, readManifest, type BuiltClient } from './assets.ts'
import { embedRoutes } from './embed-routes.ts'
import { embedSignInPath, leadsToWidget, renderEmbedSignInPage } from './embed-sign-in-page.tsx'
import { renderErrorPage } from './error-page.tsx'
import { renderPostsFeed, renderSitemap, renderThreadsFeed } from './feeds.ts'
import { fillIn, pageInline, type Frame } from './frame.tsx'
import { renderFrontPage } from './front-page.tsx'
import { renderNewThreadPage } from './new-thread-page.tsx'
import { createPostCache } from './post-cache.ts'
import { renderSignInPage } from './sign-in-page.tsx'
import { createSharedPages } from './shared-page.ts'
import { renderThreadPage } from './thread-page.tsx'

export interface PageParts {
  readonly db: Db
  readonly rates: RateLimits
  readonly snapshots: Snapshots
  readonly heads: Heads
  readonly sites: Sites
  /** Whether an origin is this server's own, as the request came to it. */
  isOwnOrigin(origin: string, host: string | undefined): boolean
  readonly publicUrl: string
  readonly clientDir: string
  readonly devClientUrl: string | undefined
  /** The name of the identity provider that people may sign in with. */
  readonly provider?: string | undefined
}

/** So many posts on a page count as one more use of the limit on reading. */
const postsPerPoint = 100

/** Pages tell who looks at them, so only the reader's own browser may keep them, and asks each time. */
const cacheControl = 'private, no-cache'

/** Threads that the sitemap names; search engines take no more addresses from one file. */
const sitemapThreads = 50_000

export interface Pages {
  readonly routes: Hono<Env>
  /** A page that tells of a problem, for people who asked for a page. */
  errorPage(problem: Problem, c: Ctx): Promise<Response>
}

/** The pages for people, and the feeds. */
export function createPages(parts: PageParts): Pages {
  const { db, rates, publicUrl, snapshots, heads } = parts
  const pages = new Hono<Env>()
  const cache = createPostCache()
  const sharedPage = createSharedPages(snapshots)
  let built: Promise<BuiltClient> | undefined

  async function client(): Promise<BuiltClient> {
    const { clientDir, devClientUrl } = parts
    return devClientUrl === undefined ? await (built ??= readManifest(clientDir)) : devAssets(devClientUrl)
  }

  /** With a problem, the page must come out even where the database does not answer. */
  async function frameFor(c: Ctx, problem?: Problem): Promise<Frame> {
    const { site: assets } = await client()
    const broken = problem !== undefined && problem.status >= 500
    const viewer = broken ? null : ((await c.get('identify')())?.actor ?? null)
    return { viewer, assets, publicUrl }
  }

  async function admit(c: Ctx): Promise<void> {
    const identity = await c.get('identify')()
    await rates.take('read', identity?.actor.id ?? c.get('address'))
  }

  function page(c: Ctx, html: string, status = 200): Response {
    c.header('cache-control', cacheControl)
    c.set('inline', pageInline)
    return c.html(html, status as ContentfulStatusCode)
  }

  /** The thread that is asked for and where it stands, once this reader may read it. */
  async function openThread(c: Ctx): Promise<SnapshotPlace> {
    await admit(c)
    const id = threadId.safeParse(c.req.param('thread'))
    const head = id.success ? await heads.of(id.data) : undefined
    if (!id.success || head === undefined) throw new Problem('thread-not-found')
    const place = { thread: id.data, after: 0, head }
    // A long thread is more work to show than a short one, and is counted so.
    const { posts } = await snapshots.read(place)
    const extra = Math.floor(posts / postsPerPoint)
    if (extra > 0) await rates.take('read', (await c.get('identify')())?.actor.id ?? c.get('address'), extra)
    return place
  }

  async function threadPage(c: Ctx): Promise<Response> {
    const place = await openThread(c)
    const asked = c.req.param('number')
    const number = asked === undefined ? undefined : postNumber.safeParse(Number(asked))
    if (number?.success === false) throw new Problem('post-not-found')
    const focus = number?.data
    const { viewer, ...shared } = await frameFor(c)
    const render = (snapshot: ThreadSnapshot) => {
      if (focus !== undefined && !snapshot.posts.some((post) => post.number === focus))
        throw new Problem('post-not-found')
      return renderThreadPage({ cache }, { ...shared, snapshot, ...(focus !== undefined && { focus }) })
    }
    c.set('inline', pageInline)
    return sharedPage(c, {
      place,
      name: `page/${focus ?? ''}`,
      headers: { 'cache-control': cacheControl, vary: 'accept-encoding, cookie' },
      render,
      fillIn: (opening) => fillIn(opening, viewer, threadPath(place.thread)),
      // To all who are nobody the page says the same.
      own: viewer !== null,
    })
  }

  async function threadFeed(c: Ctx): Promise<Response> {
    const place = await openThread(c)
    const make = (snapshot: ThreadSnapshot) => renderPostsFeed(publicUrl, snapshot)
    return sendPacked(c, await snapshots.view({ name: 'feed', ...place, make }, encodingFor(c)), feedHeaders)
  }

  pages.get('/', async (c) => {
    await admit(c)
    const cursor = c.req.query('cursor')
    const list = await getThreads({ db }, cursor)
    return page(
      c,
      renderFrontPage({ ...(await frameFor(c)), page: list, ...(cursor !== undefined && { cursor }) }),
    )
  })
  pages.get('/sign-in', async (c) => {
    const forWidget = leadsToWidget(c.req.query('to'))
    if (forWidget) keepOpener(c)
    return page(c, renderSignInPage(await frameFor(c), parts.provider, forWidget))
  })
  pages.get(embedSignInPath, async (c) => {
    await admit(c)
    keepOpener(c)
    const challenge = c.req.query('challenge') ?? ''
    const host = await hostOfGrant(db, challenge)
    const waiting = host === undefined ? undefined : { challenge, host }
    return page(c, renderEmbedSignInPage(await frameFor(c), waiting), waiting ? 200 : 410)
  })
  pages.get(adminPath, async (c) => {
    await admit(c)
    const viewer = (await c.get('identify')())?.actor ?? null
    // Signing in would not help most of those who come here.
    if (!can(viewer, 'manage-ai')) throw new Problem('forbidden', { detail: 'Only admins see this page.' })
    return page(c, renderAdminPage(await frameFor(c)))
  })
  pages.get('/new', async (c) => page(c, renderNewThreadPage(await frameFor(c))))

  pages.get('/feed.xml', async (c) => {
    await admit(c)
    return feed(c, renderThreadsFeed(publicUrl, await getThreads({ db }, undefined)))
  })
  pages.get('/t/:thread/feed.xml', threadFeed)
  pages.get('/t/:thread', threadPage)
  pages.get('/t/:thread/:number', threadPage)
  addClaimPages(pages, { db, rates, isOwnOrigin: parts.isOwnOrigin, frameFor, page })
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

  pages.route('/', embedRoutes({ ...parts, sharedPage, cache, client }))

  async function errorPage(problem: Problem, c: Ctx): Promise<Response> {
    if (problem.retryMs !== undefined) c.header('retry-after', String(Math.ceil(problem.retryMs / 1000)))
    const frame = await frameFor(c, problem)
    const title = problems[problem.code][1]
    return page(c, renderErrorPage(frame, { title, detail: problem.detail }), problem.status)
  }

  pages.onError((error, c) => errorPage(toProblem(error, c), c))
  return { routes: pages, errorPage }
}

/** The widget that opened this window hears from it, unless the page around the widget keeps windows apart. */
function keepOpener(c: Ctx): void {
  c.header('cross-origin-opener-policy', 'unsafe-none')
}

const feedHeaders = {
  'content-type': 'application/atom+xml; charset=utf-8',
  'cache-control': 'public, max-age=60',
}

function feed(c: Ctx, xml: string): Response {
  return c.body(xml, 200, feedHeaders)
}
