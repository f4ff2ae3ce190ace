import { Hono } from 'hono'
import type { Env } from '../http/context.ts'
import type { RateLimits } from '../http/rate-limits.ts'
import type { Db } from '../store/database.ts'

export interface PageParts {
  readonly db: Db
  readonly rates: RateLimits
  readonly publicUrl: string
  readonly clientDir: string
  readonly devClientUrl: string | undefined
}

export function pageRoutes(_parts: PageParts): Hono<Env> {
  return new Hono<Env>()
}
