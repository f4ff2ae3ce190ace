import { LRUCache } from 'lru-cache'
import type { Accounts, Identity } from '../accounts/accounts.ts'
import { digestOf } from '../accounts/identity-cache.ts'
import { turns } from '../links/turns.ts'
import { liveLimits } from './limits.ts'
import type { Credentials } from './who.ts'

/**
 * Who sits at the sockets. That a thousand readers come at once must not be a thousand queries at once, and to read nobody
 * needs to be known: so few are looked up at a time, and who comes back a moment after a connection broke is remembered.
 */
export interface Lookups {
  /** Whose these are, looked up at once. Throws what `Accounts.identify` throws. */
  identify(credentials: Credentials): Promise<Identity | null>
  /** Calls `work`, which looks somebody up, when it is its turn. `work` must not reject. */
  turn(work: () => Promise<void>): void
  /** A socket has closed, and until then they were this one's. */
  remember(credentials: Credentials, identity: Identity): void
  /** Whose they were until a moment ago. */
  recall(credentials: Credentials): Identity | undefined
  /** To be called when rights have changed, before anybody acts on it. */
  forget(): void
}

export function createLookups(accounts: Pick<Accounts, 'identify'>): Lookups {
  const remembered = new LRUCache<string, Identity>({
    max: liveLimits.readersRemembered,
    ttl: liveLimits.readersRememberedMs,
  })
  const withTurn = turns(liveLimits.lookupsAtOnce, Infinity)

  return {
    identify: (credentials) => accounts.identify(new Headers(credentials)),
    turn: (work) => void withTurn(work),
    remember(credentials, identity) {
      // Of API keys nobody tells when they end.
      if (identity.sessionId !== null) remembered.set(digestOf(credentials), identity)
    },
    recall: (credentials) => (remembered.size === 0 ? undefined : remembered.get(digestOf(credentials))),
    forget: () => remembered.clear(),
  }
}
