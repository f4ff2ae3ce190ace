import { Hono } from 'hono'
import type { Registry } from 'prom-client'
import { Problem } from '../shared/errors.ts'
import type { Accounts } from './accounts/accounts.ts'
import type { AskParts } from './ai/ask.ts'
import type { ModelDirectory } from './ai/models.ts'
import type { SiteKeys } from './embedding/site-keys.ts'
import type { Sites } from './embedding/sites.ts'
import { aiUsageRoutes } from './http/ai-usage.ts'
import { authRequest } from './http/auth-request.ts'
import { claimRoutes } from './http/claims.ts'
import { createAnswers } from './http/answers.ts'
import type { Env } from './http/context.ts'
import { embedSignInRoutes } from './http/embed-sign-in.ts'
import { embedApiRoutes } from './http/embed.ts'
import { serveFiles } from './http/files.ts'
import { healthRoutes } from './http/health.ts'
import { linkRoutes, type Image } from './http/links.ts'
import type { HttpMetrics } from './http/metrics.ts'
import { limitBody } from './http/limit-body.ts'
import { compression, identity, refuseCrossSite, securityHeaders, trace } from './http/middleware.ts'
import { describeApi } from './http/openapi.ts'
import { postRoutes } from './http/posts.ts'
import { modelRoutes } from './http/models.ts'
import { personaRoutes } from './http/personas.ts'
import { previewRoutes } from './http/preview.ts'
import { problemAnswer, toProblem } from './http/problems.ts'
import type { RateLimits } from './http/rate-limits.ts'
import { mountRoutes } from './http/route.ts'
import { runRoutes } from './http/runs.ts'
import { siteRoutes } from './http/sites.ts'
import { createSnapshots } from './http/snapshots.ts'
import { threadRoutes } from './http/threads.ts'
import type { Heads } from './live/heads.ts'
import { createPages, type PageParts } from './pages/routes.ts'
import { userRoutes } from './http/users.ts'

export interface AppParts extends Omit<AskParts, 'admit' | 'models'> {
  readonly models: ModelDirectory
  readonly accounts: Accounts
  readonly sites: Sites
  readonly siteKeys: SiteKeys
  readonly registry: Registry
  readonly httpMetrics: HttpMetrics
  readonly rates: RateLimits
  readonly heads: Heads
  readonly pages: Omit<PageParts, 'snapshots' | 'heads'>
  readonly publicUrl: string
  readonly version: string
  /** Built files of the client: hashed names below `assets/`, and a few with fixed names. */
  readonly clientDir: string
  readonly trustProxy: number
  readonly devClientUrl: string | undefined
  isOwnOrigin(origin: string, host: string | undefined): boolean
  readImage(link: string): Promise<Image | null>
}

/** Everything that is answered over HTTP. */
export function createApp(parts: AppParts): Hono<Env> {
  const app = new Hono<Env>()
  const { heads } = parts
  const answers = createAnswers({ era: () => heads.era })
  const snapshots = createSnapshots({ db: parts.db, answers })
  const pages = createPages({ ...parts.pages, snapshots, heads })
  app.onError((error, c) => problemAnswer(toProblem(error, c)))
  app.notFound(async (c) => {
    const problem = new Problem('not-found')
    const isPage = !c.req.path.startsWith('/api/') && c.req.header('accept')?.includes('text/html') === true
    return isPage ? await pages.errorPage(problem, c) : problemAnswer(problem)
  })

  app.use(trace({ log: parts.log, metrics: parts.httpMetrics, trustProxy: parts.trustProxy }))
  app.use(securityHeaders({ secure: parts.publicUrl.startsWith('https:'), devClientUrl: parts.devClientUrl }))
  app.route('/', healthRoutes(parts))
  app.use(compression())
  app.use(identity(parts.accounts))
  app.use('/api/*', refuseCrossSite(parts.isOwnOrigin))

  app.on(['GET', 'POST'], '/api/auth/*', limitBody, async (c) => {
    // Guessing is slowed by address; asking who one is happens on each page.
    await parts.rates.take(/\/sign-(in|up)/.test(c.req.path) ? 'sign-in' : 'auth', c.get('address'))
    const answer = await parts.accounts.handle(await authRequest(c))
    // Some carry tokens.
    answer.headers.set('cache-control', 'no-store')
    return answer
  })

  const routes = [
    ...threadRoutes({ ...parts, snapshots }),
    ...postRoutes(parts),
    ...runRoutes(parts),
    ...personaRoutes(parts),
    ...aiUsageRoutes(parts),
    ...modelRoutes(parts),
    ...siteRoutes(parts),
    ...embedApiRoutes(parts),
    ...embedSignInRoutes(parts),
    ...previewRoutes(parts),
    ...userRoutes(parts),
    ...claimRoutes(parts),
  ]
  mountRoutes(app, routes, parts.rates)
  app.route('/', linkRoutes(parts))
  const description = describeApi(routes, parts.version)
  app.get('/api/openapi.json', (c) => c.json(description))

  // Their names change with what is in them.
  app.use('/assets/*', serveFiles(parts.clientDir, 'public, max-age=31536000, immutable'))
  app.route('/', pages.routes)
  // Pages of other sites load these.
  app.on('GET', ['/embed.js', '/embed-count.js'], async (c, next) => {
    c.header('cross-origin-resource-policy', 'cross-origin')
    await next()
  })
  app.use('*', serveFiles(parts.clientDir, 'public, max-age=3600'))
  return app
}
