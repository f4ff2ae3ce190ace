import type { AccountChange, Identity } from '../accounts/accounts.ts'
import type { Lookups } from './lookups.ts'

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
  /** Whether it was looked up, or is being so. Where that failed, it may be done once more. */
  asked = false

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

  /** Takes whose the credentials were a moment ago. False where that is not known. */
  recall(lookups: Lookups): boolean {
    this.identity = lookups.recall(this.credentials) ?? null
    this.asked = this.identity !== null
    return this.asked
  }

  /** The socket has closed. */
  leave(lookups: Lookups): void {
    if (this.identity !== null) lookups.remember(this.credentials, this.identity)
  }

  /** Looks up whose the credentials are. Throws what `identify` throws. */
  async identify(lookups: Lookups): Promise<void> {
    this.asked = true
    const asked = this.credentials
    const heard = (this.meanwhile = new Set<string>())
    try {
      let found = await lookups.identify(asked)
      // The answer may be from before a ban of which word came while it was under way.
      while (found !== null && heard.delete(found.actor.id)) found = await lookups.identify(asked)
      // Signed in anew meanwhile: that answer counts, not this one.
      if (asked === this.credentials) this.identity = found
    } catch (error) {
      if (this.meanwhile === heard) this.asked = false
      throw error
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
