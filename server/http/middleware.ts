import { randomUUID } from 'node:crypto'
import type { MiddlewareHandler } from 'hono'
import { compress } from 'hono/compress'
import type { Logger } from 'pino'
import { Problem } from '../../shared/errors.ts'
import type { Accounts, Identity } from '../accounts/accounts.ts'
import { addressOf } from './address.ts'
import type { Env } from './context.ts'
import type { HttpMetrics } from './metrics.ts'
import { ownWay, securityHeadersOf } from './security-headers.ts'

type Middleware = MiddlewareHandler<Env>

/** Gives each request its id, log and address, and tells how it went. */
export function trace(parts: { log: Logger; metrics: HttpMetrics; trustProxy: number }): Middleware {
  return async (c, next) => {
    const requestId = randomUUID()
    const started = performance.now()
    let log: Logger | undefined
    c.set('requestId', requestId)
    // Few requests have anything to log, and a log of their own takes longer to make than all else here.
    c.set('log', () => (log ??= parts.log.child({ requestId })))
    c.set('address', addressOf(c.env.incoming, parts.trustProxy))
    await next()
    const ms = performance.now() - started
    const { method, routePath: route } = c.req
    if (c.get('complete') !== true) c.header('x-request-id', requestId)
    const { status } = c.res
    parts.metrics.requests.observe({ method, route, status: String(status) }, ms / 1000)
    // The path without its query: cursors and tokens do not belong into logs.
    if (parts.log.isLevelEnabled('debug'))
      c.get('log')().debug({ method, path: c.req.path, status, ms: Math.round(ms) }, 'request')
  }
}

/** Looks up who asks, once and only if someone wants to know. */
export function identity(accounts: Accounts): Middleware {
  return async (c, next) => {
    let found: Promise<Identity | null> | undefined
    c.set('identify', () => (found ??= accounts.identify(c.req.raw.headers)))
    await next()
  }
}

/** Security headers on every answer: what they are is in `security-headers.ts`. */
export function securityHeaders(parts: { secure: boolean; devClientUrl: string | undefined }): Middleware {
  const headersOf = securityHeadersOf(parts)
  return async (c, next) => {
    const own = () => headersOf({ frameAncestors: c.get('frameAncestors'), inline: c.get('inline') })
    c.set('headers', () => ({ ...own(), 'x-request-id': c.get('requestId') }))
    await next()
    if (c.get('complete') === true) return
    const { headers } = c.res
    for (const [name, value] of Object.entries(own())) {
      if (!ownWay.has(name) || !headers.has(name)) headers.set(name, value)
    }
  }
}

/** Compresses text on its way, for who takes that, unless the answer is packed already. */
export function compression(): Middleware {
  const pack = compress()
  return async (c, next) => {
    await next()
    if (c.get('complete') !== true) await pack(c, () => Promise.resolve())
  }
}

/**
 * Refuses what a foreign page makes a browser send with this site's cookies. Browsers tell where a request comes from
 * and pages cannot change it; programs that send neither header bring no one else's cookies.
 */
export function refuseCrossSite(
  isOwnOrigin: (origin: string, host: string | undefined) => boolean,
): Middleware {
  return async (c, next) => {
    if (!['GET', 'HEAD', 'OPTIONS'].includes(c.req.method)) {
      const site = c.req.header('sec-fetch-site')
      const origin = c.req.header('origin')
      const foreignSite = site !== undefined && site !== 'same-origin' && site !== 'none'
      const foreignOrigin = origin !== undefined && !isOwnOrigin(origin, c.req.header('host'))
      if (foreignSite || foreignOrigin) throw new Problem('cross-site')
    }
    await next()
  }
}
