import type { WidgetSession } from '../../shared/site.ts'
import type { Actor } from '../threads/access.ts'
import type { WidgetSessionTerms } from './widget-sessions.ts'

/** Someone signed in: who, and by which session. API keys have no session. */
export interface Identity {
  readonly actor: Actor
  readonly sessionId: string | null
  /** The session is a widget's: `actor` has no more rights than people have there. */
  readonly inWidget?: boolean
}

/** What the rest of the server asks of accounts. */
export interface Accounts {
  /** Who sends these headers (cookie, bearer token or API key); null for a reader without an account, or with one that is banned or signed out. */
  identify(headers: Headers): Promise<Identity | null>

  /** Signs someone in in a widget. Throws `banned`, `forbidden` for an AI participant, `not-found` for an unknown user. */
  openWidgetSession(terms: WidgetSessionTerms): Promise<WidgetSession>

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
