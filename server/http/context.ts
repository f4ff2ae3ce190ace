import type { HttpBindings } from '@hono/node-server'
import type { Context } from 'hono'
import type { Logger } from 'pino'
import type { Identity } from '../accounts/accounts.ts'

/** What middleware leaves for handlers. */
export interface Env {
  Bindings: HttpBindings
  Variables: {
    requestId: string
    log: Logger
    /** For this answer's own scripts and styles. */
    nonce: string
    /** The client's address, seen through the proxies that are trusted. */
    address: string
    /** Who may put this answer into a frame, as a content policy says it; nobody where it is not set. */
    frameAncestors: string | undefined
    /** Who asks; looked up on first use. */
    identify: () => Promise<Identity | null>
  }
}

export type Ctx = Context<Env>
