import { createHash } from 'node:crypto'
import { Hono } from 'hono'
import * as z from 'zod/mini'
import type { EmbedState } from '../../client/page-state.ts'
import { checkedStyles, framePath } from '../../shared/widget.ts'
import { Problem } from '../../shared/errors.ts'
import { webUrl, type ThreadSnapshot } from '../../shared/http.ts'
import { limits } from '../../shared/limits.ts'
import { postNumber, threadId } from '../../shared/post.ts'
import { siteDefaults, sorts } from '../../shared/site.ts'
import { frameAncestors, matchesOrigin } from '../embedding/origins.ts'
import { findPage, siteOfThread, type Page } from '../embedding/page-threads.ts'
import type { Sites, StoredSite } from '../embedding/sites.ts'
import type { Ctx, Env } from '../http/context.ts'
import { encodingFor } from '../http/encoding.ts'
import { etagOf, isKnown } from '../http/etag.ts'
import { toProblem } from '../http/problems.ts'
import type { RateLimits } from '../http/rate-limits.ts'
import { sendPacked, sendUnchanged } from '../http/send.ts'
import type { Snapshots } from '../http/snapshots.ts'
import type { Heads } from '../live/heads.ts'
import type { Db } from '../store/database.ts'
import type { BuiltClient } from './assets.ts'
import { frameInline, renderEmbedFrame, renderEmbedNotice } from './embed-frame.tsx'
import { renderEmbedHtml } from './embed-html.tsx'
import type { PostCache } from './post-cache.ts'
import type { SharedPages } from './shared-page.ts'
import { streamPage } from './stream-page.ts'

export interface EmbedPageParts {
  readonly db: Db
  readonly sites: Sites
  readonly rates: RateLimits
  readonly snapshots: Snapshots
  readonly sharedPage: SharedPages
  readonly heads: Heads
  readonly publicUrl: string
  readonly cache: PostCache
  client(): Promise<BuiltClient>
  /** Whether an origin is this server's own, as the request came to it. */
  isOwnOrigin(origin: string, host: string | undefined): boolean
}

/** An attribute that is there says yes, unless it says no. */
const flag = z.pipe(
  z.string(),
  z.transform((text: string) => text !== 'false' && text !== '0'),
)
const number = z.pipe(
  z.string().check(z.regex(/^\d{1,10}$/)),
  z.pipe(
    z.transform((text: string) => Number(text)),
    postNumber,
  ),
)

/** What an address may say beside what page or thread it is about. Whatever is not understood is left out. */
const wishes = {
  post: number,
  title: z.string().check(z.maxLength(2_000)),
  locale: siteDefaults.shape.locale,
  sort: z.enum(sorts),
  collapsed: flag,
  'read-only': flag,
}

/** An origin as browsers write it. */
const hostOrigin = z.string().check(
  z.maxLength(limits.originMax),
  z.refine((value: string) => URL.canParse(value) && new URL(value).origin === value),
)

/** The frame that a widget shows, and the same thread as plain HTML for servers of host pages. */
export function embedRoutes(parts: EmbedPageParts): Hono<Env> {
  const { db, sites, rates, snapshots, sharedPage, heads, publicUrl, cache } = parts
  const routes = new Hono<Env>()

  /** The site that a request is about, and its thread: that of the page, or the one that is named. */
  async function find(c: Ctx): Promise<Found> {
    const { thread, url } = c.req.query()
    if (thread !== undefined) {
      const id = threadId.safeParse(thread)
      if (!id.success) throw new Problem('thread-not-found')
      const { site, isPage } = await siteOfThread({ db, sites }, id.data)
      return { site, thread: id.data, headless: isPage }
    }
    const parsed = webUrl.safeParse(url)
    if (!parsed.success)
      throw new Problem('bad-request', { detail: 'url: the address of a page, or thread: its id' })
    const page = await findPage({ sites, publicUrl }, parsed.data)
    return { site: page.site, thread: page.threadId, headless: true, page }
  }

  /** Where a thread stands; nothing for that of a page which has none yet. */
  async function headOf({ thread, page }: Found): Promise<number | undefined> {
    const head = await heads.of(thread)
    if (head === undefined && page === undefined) throw new Problem('thread-not-found')
    return head
  }

  routes.get(framePath, async (c) => {
    await rates.take('read', c.get('address'))
    const query = c.req.query()
    const host = hostOrigin.safeParse(query['host'])
    const say = (problem: Problem, words = problem.detail ?? problem.message) => {
      // It holds nothing of anyone's, so that it may be shown wherever somebody tried.
      c.set('frameAncestors', '*')
      const notice = renderEmbedNotice({ publicUrl, code: problem.code, reason: words })
      c.set('inline', notice.inline)
      return c.html(notice.html, problem.status as 403)
    }
    try {
      if (!host.success)
        return say(new Problem('bad-request', { detail: 'host: the origin of the page around it' }))
      const found = await find(c)
      const patterns = found.site ? found.site.origins : await sites.origins()
      const own = parts.isOwnOrigin(host.data, c.req.header('host'))
      if (!own && !patterns.some((pattern) => matchesOrigin(pattern, host.data))) {
        return say(
          new Problem('page-not-allowed'),
          `Pages of ${host.data} may not show comments of this server.`,
        )
      }
      // A long list of others is nobody's business, and would be a long header.
      const fitting = patterns.filter((pattern) => matchesOrigin(pattern, host.data))
      return await frame(c, found, host.data, fitting)
    } catch (error) {
      return say(toProblem(error, c))
    }
  })

  async function frame(c: Ctx, found: Found, host: string, patterns: readonly string[]): Promise<Response> {
    const asked = wishesOf(c.req.query())
    const head = await headOf(found)
    const defaults = found.site?.defaults
    const usual = defaults === undefined || defaults.theme === 'auto' ? null : defaults.theme
    const look = lookOf(c.req.query('look'))
    const { frame: assets } = await parts.client()
    const embed: EmbedState = {
      host,
      site: found.site?.id ?? null,
      vouches: (found.site?.keys ?? 0) > 0,
      url: found.page?.url ?? null,
      title: asked.title ?? null,
      there: head !== undefined,
      shown: {
        ...(asked.post !== undefined ? { branch: asked.post } : found.headless && { headless: true }),
        ...((asked.sort ?? defaults?.sort) === 'newest' && { newestFirst: true }),
      },
      readOnly: asked['read-only'] ?? defaults?.readOnly ?? false,
      theme: usual,
      tools: assets.tools,
    }
    c.set('frameAncestors', `'self' ${frameAncestors(patterns)}`.trim())
    const data = {
      assets,
      publicUrl,
      embed,
      theme: look.theme ?? usual ?? look.scheme,
      styles: look.styles,
      locale: asked.locale ?? defaults?.locale ?? '',
      collapsed: asked.collapsed ?? defaults?.collapsed ?? false,
    }
    const render = (snapshot: ThreadSnapshot) => {
      if (asked.post !== undefined && !snapshot.posts.some(({ number: its }) => its === asked.post))
        throw new Problem('post-not-found')
      return renderEmbedFrame({ cache }, { ...data, snapshot })
    }
    c.set('inline', frameInline(data))
    const headers = { 'cache-control': 'no-cache', vary: 'accept-encoding' }
    if (head === undefined) return streamPage(c, render(beforeFirst(found.page!, asked.title)), headers)
    const place = { thread: found.thread, after: 0, head }
    return sharedPage(c, { place, name: `frame/${digestOf(data)}`, headers, render })
  }

  routes.get('/embed/html', async (c) => {
    await rates.take('read', c.get('address'))
    const found = await find(c)
    const { thread, headless, page } = found
    const head = await headOf(found)
    const headers = (seq: number) => ({
      'content-type': 'text/html; charset=UTF-8',
      'access-control-allow-origin': '*',
      'cache-control': 'public, max-age=30',
      etag: etagOf(thread, seq),
    })
    if (isKnown(c.req.header('if-none-match'), etagOf(thread, head ?? 0)))
      return sendUnchanged(c, headers(head ?? 0))
    const make = (snapshot: ThreadSnapshot) =>
      renderEmbedHtml({ publicUrl, snapshot, there: head !== undefined, headless })
    if (head === undefined) return c.body(make(beforeFirst(page!, undefined)), 200, headers(0))
    const view = { name: headless ? 'html/headless' : 'html', thread, head, make }
    const html = await snapshots.view(view, encodingFor(c))
    return sendPacked(c, html, headers(html.seq))
  })

  return routes
}

interface Found {
  site: StoredSite | undefined
  thread: string
  /** The thread is that of a page, whose root is no comment. */
  headless: boolean
  page?: Page
}

/** Stands for a value of any length in the name of what was made by it. */
function digestOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('base64url')
}

function wishesOf(query: Record<string, string>): {
  [Name in keyof typeof wishes]?: z.output<(typeof wishes)[Name]> | undefined
} {
  const understood: Record<string, unknown> = {}
  for (const [name, schema] of Object.entries(wishes)) {
    const { data } = z.safeParse(schema, query[name])
    if (data !== undefined) understood[name] = data
  }
  return understood
}

/** How the host page looks, as far as it can be understood. */
function lookOf(text: string | undefined) {
  const themeOf = (value: unknown): 'light' | 'dark' | undefined =>
    value === 'light' || value === 'dark' ? value : undefined
  try {
    const { theme, scheme, styles } = JSON.parse(text ?? '{}') as Record<string, unknown>
    return { theme: themeOf(theme), scheme: themeOf(scheme), styles: checkedStyles(styles) }
  } catch {
    return { theme: undefined, scheme: undefined, styles: {} }
  }
}

/** What a page's thread will be, before it is there: version 0, with the root that everything replies to. */
function beforeFirst({ site, url, threadId: id }: Page, title: string | undefined): ThreadSnapshot {
  const createdAt = new Date().toISOString()
  return {
    thread: { id, title: title ?? url, url, card: null, locked: false, createdAt },
    seq: 0,
    posts: [
      {
        number: 1,
        parent: null,
        author: { id: site.authorId, name: site.name, kind: 'person' },
        html: '',
        state: 'complete',
        createdAt,
        editedAt: null,
        quote: null,
        reactions: [],
        seq: 0,
      },
    ],
  }
}
