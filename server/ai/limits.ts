/** How runs are kept alive and told of. Times are in milliseconds. */
export const runLimits = {
  /** How long a node is taken to be at work on a run after it last said so … */
  leaseMs: 8_000,
  /** … of which it keeps this much as a distance from those who might think it dead. */
  leaseMarginMs: 1_500,
  /** How long an agent outside may be silent. */
  agentLeaseMs: 60_000,
  /** How often the text so far is kept in the database, and the lease prolonged. */
  saveMs: 1_000,
  /** How often readers are told of new text. The first of it goes out at once. */
  deltaMs: 80,
  /** How often a node looks for runs that nobody works on any more, and how many it takes up then. */
  sweepMs: 2_000,
  claims: 8,
  /** How many nodes may try a run that has shown no text yet. */
  epochs: 3,
  /** How long runs may go on after SIGTERM. */
  drainMs: 10_000,
  /** How long a node tries to write a run's end while the database is away. */
  endMs: 60_000,
  endRetryMs: 500,
  /** AI replies that may follow each other in a branch before a person has to go on. */
  depth: 4,
  /** Personas that one post may name. */
  mentions: 3,
  /** UTF-16 units that are kept of what a model thinks aloud. */
  reasoningMax: 40_000,
} as const

/** AI replies that may be written at a time; by one node for all guests of an address, too. Tokens of a day are settings. */
export const atOnceLimits = { site: 64, thread: 16, person: 3, guestAddress: 4 } as const

/** Times, counts and sizes of talking to models. Times are in milliseconds. */
export const modelLimits = {
  /** Until a model's server takes the connection. */
  connectMs: 10_000,
  /** From the request to the first part of the reply. */
  firstPartMs: 120_000,
  /** Between two parts of it. */
  silenceMs: 45_000,
  wholeMs: 15 * 60_000,
  /** How long a model's server may keep the connection open after it said that the reply is done. */
  tailMs: 3_000,
  /** A passing fault gets one more try after this long, where the server names no other time and nothing was shown yet. */
  retryMs: 1_000,
  /** Nobody is kept waiting for a server that wants to be left alone for longer. */
  retryAfterMaxMs: 5_000,
  /** Bytes that are read of an answer that is no reply, and UTF-16 units that are told of it. */
  errorBytes: 64 * 1024,
  detailMax: 300,
  /** Bytes of a reply that wait for a slow reader before its server is made to wait. */
  waitingBytes: 1024 * 1024,
  /** Bytes of a stream up to its next empty line, which the libraries keep until that comes; and of a stream in all. */
  eventBytes: 1024 * 1024,
  streamBytes: 64 * 1024 * 1024,
  /** Tokens of a reply that a server may tell of: what is beyond it is no count of any. */
  usageMax: 1_000_000_000,

  /** How old a node's knowledge of the `models` table may be. */
  cacheMs: 3_000,
  /** An admin's test of a model. */
  testMs: 30_000,
  testTokens: 200,
} as const

export type ModelLimits = { readonly [Name in keyof typeof modelLimits]: number }

/** What a model is given to read. Shares are of the room that there is, sizes are in estimated tokens. */
export const contextLimits = {
  /** Linked pages. */
  documents: 2,
  /** The part that is kept for linked pages, as far as they need it; and where it is the talk that is asked about. */
  articleShare: 0.5,
  articleShareOfTalk: 0.15,
  /** The most that the asked post takes, and any other post, of the room for posts. */
  askedShare: 0.6,
  postShare: 0.4,
  /** The most that posts of one kind take, of the room for posts: what stands above, replies nearby. */
  aboveShare: 0.7,
  aboveShareOfTalk: 0.3,
  nearbyShare: 0.3,
  /** The most that one new post takes where many are new. */
  newPost: 400,
  /** What is left of a post or a section after a cut; below this it is left out. */
  leastCut: 40,
  /** The least that the marks around a piece take. */
  leastFrame: 15,
  /** The least room for posts and pages with which it is worth to ask a model at all. */
  leastRoom: 120,
  /** What a model's server puts around a message. */
  perMessage: 8,
  /** UTF-16 units of names and titles. */
  labelMax: 120,
} as const

/** What the model without a language model does. */
export const extractiveLimits = {
  /** Sentences that are weighed. Each is compared with each. */
  sentences: 250,
  /** Letters and UTF-16 units of a sentence that can stand alone. */
  shortest: 25,
  longest: 320,
  /** Words that it says at a time, and the pause after them in milliseconds. */
  wordsAtATime: 3,
  pauseMs: 70,
  contextTokens: 64_000,
} as const
