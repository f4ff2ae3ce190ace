import { Hono } from 'hono'
import { stream } from 'hono/streaming'
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
import { toProblem } from '../http/problems.ts'
import type { RateLimits } from '../http/rate-limits.ts'
import type { Snapshots } from '../http/snapshots.ts'
import type { Db } from '../store/database.ts'
import { readHeads } from '../store/read.ts'
import type { BuiltClient } from './assets.ts'
import { renderEmbedFrame, renderEmbedNotice } from './embed-frame.tsx'
import { renderEmbedHtml } from './embed-html.tsx'
import type { PostCache } from './post-cache.ts'

export interface EmbedPageParts {
  readonly db: Db
  readonly sites: Sites
  readonly rates: RateLimits
  readonly snapshots: Snapshots
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
  const { db, sites, rates, snapshots, publicUrl, cache } = parts
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

  async function read({ thread, page }: Found, title: string | undefined): Promise<Read> {
    const head = (await readHeads(db, [thread])).get(thread)
    if (head !== undefined) {
      const { json } = await snapshots.read(thread, 0, head)
      return { snapshot: JSON.parse(json) as ThreadSnapshot, there: true }
    }
    if (page === undefined) throw new Problem('thread-not-found')
    return { snapshot: beforeFirst(page, title), there: false }
  }

  routes.get(framePath, async (c) => {
    await rates.take('read', c.get('address'))
    const query = c.req.query()
    const host = hostOrigin.safeParse(query['host'])
    const say = (problem: Problem, words = problem.detail ?? problem.message) => {
      // It holds nothing of anyone's, so that it may be shown wherever somebody tried.
      c.set('frameAncestors', '*')
      const data = { nonce: c.get('nonce'), publicUrl, code: problem.code, reason: words }
      return c.html(renderEmbedNotice(data), problem.status as 403)
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
    const { snapshot, there } = await read(found, asked.title)
    const known = (wanted: number | undefined) => snapshot.posts.some((post) => post.number === wanted)
    if (asked.post !== undefined && !known(asked.post)) throw new Problem('post-not-found')
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
      there,
      shown: {
        ...(asked.post !== undefined ? { branch: asked.post } : found.headless && { headless: true }),
        ...((asked.sort ?? defaults?.sort) === 'newest' && { newestFirst: true }),
      },
      readOnly: asked['read-only'] ?? defaults?.readOnly ?? false,
      theme: usual,
      tools: assets.tools,
    }
    c.set('frameAncestors', `'self' ${frameAncestors(patterns)}`.trim())
    // The same for every reader, but made anew: it holds a nonce.
    c.header('cache-control', 'no-cache')
    c.header('content-type', 'text/html; charset=utf-8')
    const data = {
      assets,
      nonce: c.get('nonce'),
      publicUrl,
      snapshot,
      embed,
      theme: look.theme ?? usual ?? look.scheme,
      styles: look.styles,
      locale: asked.locale ?? defaults?.locale ?? '',
      collapsed: asked.collapsed ?? defaults?.collapsed ?? false,
    }
    return stream(c, async (out) => {
      for await (const piece of renderEmbedFrame({ cache }, data)) {
        if (out.aborted) return
        await out.write(piece)
      }
    })
  }

  routes.get('/embed/html', async (c) => {
    await rates.take('read', c.get('address'))
    const found = await find(c)
    const { snapshot, there } = await read(found, undefined)
    const etag = `W/"${snapshot.thread.id}-${snapshot.seq}"`
    c.header('access-control-allow-origin', '*')
    c.header('etag', etag)
    c.header('cache-control', 'public, max-age=30')
    if (c.req.header('if-none-match') === etag) return c.body(null, 304)
    return c.html(renderEmbedHtml({ publicUrl, snapshot, there, headless: found.headless }))
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

interface Read {
  snapshot: ThreadSnapshot
  there: boolean
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
