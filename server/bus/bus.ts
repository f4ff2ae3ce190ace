/**
 * Carries messages between the nodes. Everything sent here is a hint: a message may be lost, repeated or come late,
 * and then costs delay, never data; the database is the truth.
 */
export interface Bus {
  /**
   * Sends `message` to every subscriber of `topic` on every node, this one included. Resolves when the transport
   * has it, and also when it was lost because the transport is down: the loss is counted and logged, never thrown.
   * Nothing is kept for later while the transport is down; `onRecovered` tells when to look what was missed.
   */
  publish(topic: string, message: string): Promise<void>

  /**
   * Calls `handler` with each message of `topic` from when the promise resolves on. Messages of one publisher come
   * in the order in which it sent them. While the transport is down it resolves once the subscription stands again.
   * Rejects when the bus is closed before. Handlers must not throw; one that does is logged and hinders no other.
   */
  subscribe(topic: string, handler: (message: string) => void): Promise<Unsubscribe>

  /** Calls `handler` each time the transport comes back after it was away, once all subscriptions stand again: messages may have been missed. */
  onRecovered(handler: () => void): void

  /** Whether messages flow right now: every connection answers and every subscription stood when last looked at. */
  readonly up: boolean

  /** Ends all subscriptions and connections. */
  close(): Promise<void>
}

/** Ends one subscription. No message comes once it was called; further calls do nothing. */
export type Unsubscribe = () => Promise<void>

/** Topics are a thread's id, or one of these. They hold no line breaks. */
export const topics = {
  /** Changes of who may do what: bans, sign-outs, roles. */
  accounts: 'accounts',
  /** Runs that are to stop, by id. */
  stops: 'stops',
} as const
