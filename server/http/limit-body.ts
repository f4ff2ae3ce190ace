import type { MiddlewareHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { Problem } from '../../shared/errors.ts'
import { limits } from '../../shared/limits.ts'
import type { Env } from './context.ts'

const limitStream = bodyLimit({
  maxSize: limits.requestBytes,
  onError: () => {
    throw new Problem('too-large')
  },
})

/**
 * Refuses bodies over `limits.requestBytes`. Problems: too-large. Most requests tell their length, which the HTTP parser
 * holds them to: to look at their bodies as streams, as it takes where none is told, would cost more than all else here.
 */
export const limitBody: MiddlewareHandler<Env> = (c, next) => {
  const length = c.req.header('content-length')
  if (length === undefined || c.req.header('transfer-encoding') !== undefined) return limitStream(c, next)
  if (!(Number(length) <= limits.requestBytes)) throw new Problem('too-large')
  return next() as Promise<void>
}
