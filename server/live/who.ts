import type { AccountChange, Accounts, Identity } from '../accounts/accounts.ts'

/** Headers that tell who asks, by their names. Plain text: sockets keep them for as long as they are open. */
export type Credentials = Readonly<Record<string, string>>

/**
 * Who the client of one socket is. There is one for each socket that has shown credentials, which most have not; a class,
 * since methods that are shared cost nothing a socket.
 */
export class Who {
  /** Null for a reader without an account, and until it is known. */
  identity: Identity | null = null
  private credentials: Credentials
  /** While it is looked up who asks: of whom word came meanwhile. */
  private meanwhile: Set<string> | undefined = undefined

  constructor(credentials: Credentials) {
    this.credentials = credentials
  }

  /** Whether it is being looked up. */
  get unsure(): boolean {
    return this.meanwhile !== undefined
  }

  /** Takes other credentials; nobody until it is looked up whose they are. */
  replace(credentials: Credentials): void {
    this.credentials = credentials
    this.identity = null
  }

  /** Looks up whose the credentials are. Throws what `identify` throws. */
  async identify(accounts: Pick<Accounts, 'identify'>): Promise<void> {
    const asked = this.credentials
    const heard = (this.meanwhile = new Set<string>())
    try {
      let found = await accounts.identify(new Headers(asked))
      // The answer may be from before a ban of which word came while it was under way.
      while (found !== null && heard.delete(found.actor.id))
        found = await accounts.identify(new Headers(asked))
      // Signed in anew meanwhile: that answer counts, not this one.
      if (asked === this.credentials) this.identity = found
    } finally {
      if (this.meanwhile === heard) this.meanwhile = undefined
    }
  }

  /** Takes note of a change. True where it concerns this client, which then is nobody until it is looked up again. */
  loses({ userId, sessionId }: AccountChange): boolean {
    this.meanwhile?.add(userId)
    if (this.identity?.actor.id !== userId) return false
    if (sessionId !== undefined && this.identity.sessionId !== sessionId) return false
    this.identity = null
    return true
  }
}
