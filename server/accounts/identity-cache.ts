import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Bus } from '../bus/bus.ts'
import type { Identity } from './accounts.ts'
import { accountLimits } from './limits.ts'

type Identify = (headers: Headers) => Promise<Identity | null>

/**
 * Whoever writes, writes again: whose session a request came by is remembered for a moment, so that many requests of one
 * person are not as many queries. What ends rights is told over the bus and forgets everybody; while the bus is down nobody
 * is remembered. A session whose time runs out may be used that moment longer. Of API keys nobody tells when they end, so
 * they are looked up each time.
 */
export interface IdentityCache {
  readonly identify: Identify
  /** To be called before anybody acts on a change. */
  forget(): void
}

export function createIdentityCache(bus: Pick<Bus, 'up'>, identify: Identify): IdentityCache {
  const known = new LRUCache<string, Identity>({
    max: accountLimits.remembered,
    ttl: accountLimits.rememberedMs,
  })
  let changes = 0

  return {
    async identify(headers) {
      const key = keyOf(headers)
      if (key === undefined) return null
      const remembered = bus.up ? known.get(key) : undefined
      if (remembered !== undefined) return remembered
      const before = changes
      const found = await identify(headers)
      // An answer from before a change must not outlive it.
      if (found?.sessionId && changes === before && bus.up) known.set(key, found)
      return found
    },
    forget() {
      changes++
      known.clear()
    },
  }
}

/** What credentials are remembered under; undefined where there are none. */
function keyOf(headers: Headers): string | undefined {
  const credentials = ['x-api-key', 'authorization', 'cookie'].map((name) => headers.get(name))
  if (credentials.every((each) => each === null)) return undefined
  return digestOf(credentials)
}

/** Stands for credentials where they are remembered: not the tokens themselves, which are long, and secrets. */
export function digestOf(credentials: unknown): string {
  return createHash('sha256').update(JSON.stringify(credentials)).digest('base64')
}
