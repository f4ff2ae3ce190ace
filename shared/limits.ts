/** Every size and rate that both sides know, in one place. Sizes of text are in UTF-16 units, times in milliseconds. */
export const limits = {
  titleMax: 200,
  bodyMax: 40_000,
  urlMax: 2_000,
  nameMax: 60,
  passwordMin: 10,
  passwordMax: 128,
  quoteMax: 2_000,
  clientIdMax: 64,
  excerptMax: 280,
  /** Cards and live quotes in one post; further stand-alone links stay plain links. */
  embedsPerPost: 10,
  emojiPerPost: 20,
  /** User ids listed under one reaction; its count has no such bound. */
  reactorsListed: 100,
  threadsPerPage: 30,
  handleMax: 30,
  /** The one line that an asker may add for a persona. */
  requestMax: 500,
  runIdMax: 64,
  modelIdMax: 64,
  /** What a model's server calls a model. */
  modelNameMax: 200,
  apiKeyMax: 2_000,
  /** What is said of an AI participant in a line, and what it is told. */
  descriptionMax: 200,
  instructionsMax: 20_000,
  /** Tokens that an AI participant may read and write for one reply. */
  personaContextTokens: { least: 1_000, usual: 16_000, most: 2_000_000 },
  personaOutputTokens: { least: 50, usual: 1_200, most: 32_000 },
  originMax: 300,
  originsPerSite: 50,
  publicKeyMax: 2_000,
  /** A token by which a host page's server vouches for a reader. */
  tokenMax: 8_000,
  /** Addresses whose comments are counted in one request. */
  countsPerRequest: 100,

  /** Bytes of one HTTP request body. */
  requestBytes: 256 * 1024,
  /** Bytes of one frame from a client. */
  frameBytes: 8 * 1024,
  /** Threads that one socket may have joined at a time. */
  joinedThreads: 64,
  /** Messages a socket may send in a burst, and how many a second it regains. */
  messageBurst: 100,
  messagesPerSecond: 20,
  /** Changed posts that a `joined` carries; who has missed more fetches them over HTTP. */
  joinedPosts: 200,
  /** Streams that a `join` may name as known in part. */
  streamsNamed: 32,
  /** Messages that a client keeps while it waits for a missing one. */
  heldMessages: 1_000,

  /** A quiet server says at least this often where its threads stand; silence for twice as long means a dead socket. */
  heartbeatMs: 20_000,
  /** A typing note is forgotten after this long unless it is renewed. */
  typingMs: 6_000,
  /** How often a client renews its typing note. */
  typingRenewMs: 3_000,
} as const
