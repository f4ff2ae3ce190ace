/** What the live side allows itself; sizes in bytes, times in milliseconds. Limits of the wire are in shared/limits.ts. */
export const liveLimits = {
  /** Sockets from one address. */
  socketsPerAddress: 200,
  /** Unsent bytes of a socket from which presence and the like are left out … */
  shedBytes: 256 * 1024,
  /** … and from which it is closed as slow. */
  slowBytes: 4 * 1024 * 1024,
  /** Bytes of a frame that are read at all. Up to here one that is too large is told so, beyond it the socket is cut. */
  readBytes: 64 * 1024,
  /** How long a closing socket may take before it is cut. */
  closeMs: 3_000,
  /** Recent changes that a room remembers. */
  ring: 256,
  /** Bytes of what one viewer missed that its socket is burdened with at once; more is fetched over HTTP. */
  joinedBytes: 1024 * 1024,
  /** How many answers to those who come back a room keeps until it next changes, and for how many seconds at the most. */
  caughtUpFrames: 32,
  rememberTicks: 15,
  /** How long a room waits for the bus before it opens without it. */
  subscribeMs: 1_000,
  /** How long a room waits for a change that another one overtook. */
  gapMs: 40,
  /** How long a room waits before it looks again for a piece of a reply that did not come. */
  tornMs: 100,
  /** Ended replies that a room remembers, lest a late piece bring one back. */
  endedRuns: 64,
  /** How often heads are compared with the database. */
  headCheckMs: 3_000,
  /** How long a room without viewers stays, for those who come back at once. */
  lingerMs: 60_000,
  /** Presence goes out at most this often … */
  presenceMs: 250,
  /** … is repeated this often, so that others know that this node lives … */
  presenceRenewMs: 10_000,
  /** … and a node unheard of for this long is taken for dead. */
  presenceExpiryMs: 25_000,
  /** Reconnects after a goodbye are spread over this long. */
  goodbyeSpreadMs: 5_000,
} as const
