import type { Actor } from '../threads/access.ts'

/** Someone signed in: who, and by which session. API keys have no session. */
export interface Identity {
  readonly actor: Actor
  readonly sessionId: string | null
}

/** What the rest of the server asks of accounts. */
export interface Accounts {
  /** Who sends these headers (cookie, bearer token or API key); null for a reader without an account, or with one that is banned or signed out. */
  identify(headers: Headers): Promise<Identity | null>

  /** Answers `/api/auth/*`. */
  handle(request: Request): Promise<Response>

  /** Calls `handler` on every node when a user was banned, changed role, or a session ended. */
  onChanged(handler: (change: AccountChange) => void): void
}

/** `sessionId` is missing where all sessions of the user are concerned. */
export interface AccountChange {
  readonly userId: string
  readonly sessionId?: string
}
