import { randomBytes, randomUUID } from 'node:crypto'
import type { MiddlewareHandler } from 'hono'
import type { Logger } from 'pino'
import { Problem } from '../../shared/errors.ts'
import type { Accounts, Identity } from '../accounts/accounts.ts'
import { addressOf } from './address.ts'
import type { Env } from './context.ts'
import type { HttpMetrics } from './metrics.ts'

type Middleware = MiddlewareHandler<Env>

/** Gives each request its id, logger, address and nonce, and tells how it went. */
export function trace(parts: { log: Logger; metrics: HttpMetrics; trustProxy: number }): Middleware {
  return async (c, next) => {
    const requestId = randomUUID()
    const started = performance.now()
    c.set('requestId', requestId)
    c.set('log', parts.log.child({ requestId }))
    c.set('address', addressOf(c.env.incoming, parts.trustProxy))
    c.set('nonce', randomBytes(16).toString('base64'))
    await next()
    const ms = performance.now() - started
    const { method, routePath: route } = { method: c.req.method, routePath: c.req.routePath }
    c.header('x-request-id', requestId)
    parts.metrics.requests.observe({ method, route, status: String(c.res.status) }, ms / 1000)
    // The path without its query: cursors and tokens do not belong into logs.
    c.get('log').debug({ method, path: c.req.path, status: c.res.status, ms: Math.round(ms) }, 'request')
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

/**
 * Security headers on every answer. Pages may load what this server serves and nothing else; scripts need to be files
 * of ours or carry the answer's nonce. Nobody may frame an answer unless its handler says who.
 */
export function securityHeaders(parts: { secure: boolean; devClientUrl: string | undefined }): Middleware {
  const { secure, devClientUrl: dev } = parts
  const devSockets = dev?.replace(/^http/, 'ws')
  return async (c, next) => {
    await next()
    const nonce = `'nonce-${c.get('nonce')}'`
    const ancestors = c.get('frameAncestors')
    const policy = [
      `default-src 'none'`,
      `script-src 'self' ${nonce}${dev ? ` ${dev}` : ''}`,
      // Vite puts styles into the page while the client is developed.
      `style-src 'self' ${dev ? `${dev} 'unsafe-inline'` : nonce}`,
      `img-src 'self' data:`,
      `font-src 'self'`,
      `connect-src 'self'${dev ? ` ${dev} ${devSockets}` : ''}`,
      `manifest-src 'self'`,
      `form-action 'self'`,
      `base-uri 'none'`,
      `frame-ancestors ${ancestors ?? "'none'"}`,
    ].join('; ')
    const headers = c.res.headers
    if (!headers.has('content-security-policy')) headers.set('content-security-policy', policy)
    headers.set('x-content-type-options', 'nosniff')
    headers.set('referrer-policy', 'strict-origin-when-cross-origin')
    if (ancestors === undefined) headers.set('x-frame-options', 'DENY')
    // A window that hands something back to its opener says so itself.
    if (!headers.has('cross-origin-opener-policy')) headers.set('cross-origin-opener-policy', 'same-origin')
    // A host page that asks for it of all that it holds may hold the frame, which holds nothing but files of ours.
    if (ancestors !== undefined) headers.set('cross-origin-embedder-policy', 'require-corp')
    if (!headers.has('cross-origin-resource-policy'))
      headers.set('cross-origin-resource-policy', ancestors === undefined ? 'same-origin' : 'cross-origin')
    headers.set('permissions-policy', 'camera=(), microphone=(), geolocation=(), payment=(), usb=()')
    if (secure) headers.set('strict-transport-security', 'max-age=31536000')
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
