/** What the bus allows itself; sizes in UTF-16 units, times in milliseconds. */
export const busLimits = {
  /** Channels that topics are spread over. All nodes of a site must agree on it. */
  partitions: 256,
  /** Text on its way to one server and not yet confirmed, from which on messages are dropped. */
  unconfirmedText: 32 * 1024 * 1024,
  /** How long a connection may take to stand. */
  connectMs: 2_000,
  /** How long a closing connection may linger before it is cut. */
  disconnectMs: 100,
  /** How often a connection is asked for a sign of life; it is cut when it owes the second answer. */
  pingMs: 1_000,
  /** Between two attempts to mend what is broken, at first and at most. */
  retryMs: 50,
  retryMaxMs: 1_000,
  /** How often the Cluster is asked who serves what, while nothing else gives reason to. */
  topologyMs: 2_000,
  /** How long the text of a reply that is being written is kept in Redis, in seconds. */
  liveTextSeconds: 3_600,
  /** At most this often a line is logged about lost messages. */
  lossLogMs: 5_000,
} as const
