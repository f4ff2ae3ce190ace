import type { HttpBindings } from '@hono/node-server'
import type { Context } from 'hono'
import type { Logger } from 'pino'
import type { Identity } from '../accounts/accounts.ts'
import type { Inline } from './security-headers.ts'

/** What middleware leaves for handlers. */
export interface Env {
  Bindings: HttpBindings
  Variables: {
    requestId: string
    /** The request's own log; made on first use. */
    log: () => Logger
    /** What stands within this page itself and may run or style it; nothing where it is not set. */
    inline: Inline | undefined
    /** The client's address, seen through the proxies that are trusted. */
    address: string
    /** Who may put this answer into a frame, as a content policy says it; nobody where it is not set. */
    frameAncestors: string | undefined
    /** Headers that every answer bears, by what is set here so far. */
    headers: () => Record<string, string>
    /** The answer has all its headers, and is packed if it is to be. */
    complete: boolean | undefined
    /** Who asks; looked up on first use. */
    identify: () => Promise<Identity | null>
  }
}

export type Ctx = Context<Env>
