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
  /** Of how many sockets it is looked up at a time who sits there. */
  lookupsAtOnce: 4,
  /** Of how many sockets that closed it is remembered who sat there, and for how long. */
  readersRemembered: 20_000,
  readersRememberedMs: 60_000,
  /** How long a closing socket may take before it is cut. */
  closeMs: 3_000,
  /**
   * After a round of writes a room rests for so many times what the round took, at most so long: with what lasts waiting,
   * and where there is nothing but pieces of replies. Rooms leave the better part of the time to others that way.
   */
  restShare: 3,
  restMs: 25,
  passingRestShare: 6,
  passingRestMs: 40,
  /** A round that takes longer lets others in between; so many writes are made between two looks at the clock. */
  sliceMs: 2,
  sliceWrites: 16,
  /** How long the heartbeat of many sockets rests between two slices. */
  beatRestMs: 6,
  /** Recent changes that a room remembers, and how many UTF-16 units of them. */
  ring: 256,
  ringText: 4 * 1024 * 1024,
  /** Bytes of what one viewer missed that its socket is burdened with at once; more is fetched over HTTP. */
  joinedBytes: 1024 * 1024,
  /**
   * What one socket may draw by what it asks for, and regains each second. Three of the largest answers, of which the
   * last may exceed it by as much again: answers alone never make a socket slow.
   */
  answerBytes: 3 * 1024 * 1024,
  answerBytesPerSecond: 256 * 1024,
  /** Who drew too much is asked to wait at least this long. */
  answerRetryMs: 1_000,
  /** The same text of a reply is not told again within this time. */
  textAgainMs: 1_000,
  /** Threads that are not there yet, for which one socket may wait. */
  awaitedThreads: 4,
  /** How many answers to those who come back a room keeps until it next changes, and for how many seconds at the most. */
  caughtUpFrames: 32,
  caughtUpBytes: 4 * 1024 * 1024,
  /** The same of answers together with the texts of replies that are being written. */
  joinedFrames: 32,
  joinedFramesBytes: 4 * 1024 * 1024,
  rememberTicks: 15,
  /** How long a room waits for the bus before it opens without it. */
  subscribeMs: 1_000,
  /** How long a room waits for a change that another one overtook. */
  gapMs: 40,
  /** How long a room waits before it looks again for a piece of a reply that did not come, at first and at the most. */
  tornMs: 100,
  tornMostMs: 3_000,
  /** Reads in a row that do not name a reply, after which it is forgotten: the first may have come too early. */
  unnamedReads: 2,
  /** Ended replies that a room remembers, lest a late piece bring one back. */
  endedRuns: 64,
  /** How often heads are compared with the database. */
  headCheckMs: 3_000,
  /** What was not compared for this long is not relied on: the database is asked for each head then. */
  headTrustMs: 9_000,
  /** A thread that is read twice within this time gets a room, so that its head is known without asking … */
  readAgainMs: 10_000,
  /** … as long as no more than so many rooms are open for nothing else. */
  readRooms: 1_000,
  /** Threads of which it is remembered that they were read once. */
  readOnce: 10_000,
  /** How long a node remembers what it committed itself: until a comparison has told its rooms, whatever the bus lost. */
  committedMs: 20_000,
  /** Threads of which that is remembered. */
  committedThreads: 20_000,
  /** How long a room without viewers stays, for those who come back at once. */
  lingerMs: 60_000,
  /** Who met a room that was just closed is asked to come back after this time. */
  reopenMs: 1_000,
  /** Names of typists that a node tells, and that viewers are told; more would not be read. */
  typingShown: 5,
  /** Presence goes out at most this often, and in a large room less: each time costs so much a viewer … */
  presenceMs: 250,
  presenceMsPerViewer: 0.1,
  /** … is repeated this often, so that others know that this node lives … */
  presenceRenewMs: 10_000,
  /** … and a node unheard of for this long is taken for dead. */
  presenceExpiryMs: 25_000,
  /** Reconnects after a goodbye are spread over this long. */
  goodbyeSpreadMs: 5_000,
} as const
