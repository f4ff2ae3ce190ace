/** Every size, time and count of outgoing look-ups. Bytes are counted after decompression, times are in milliseconds. */
export const linkLimits = {
  /** One fetch from the first DNS question to the last byte, redirects included. */
  fetchMs: 8_000,
  redirects: 5,
  urlMax: 2_000,
  /** Bytes of a response's header lines. */
  headerBytes: 16 * 1024,
  /** 1xx answers before the real one. */
  interimAnswers: 10,
  pageBytes: 1024 * 1024,
  imageBytes: 2 * 1024 * 1024,
  /** How many bytes one compressed byte may become, asked once `ratioFromBytes` have come out. */
  ratio: 200,
  ratioFromBytes: 64 * 1024,

  /** Of a preview, in UTF-16 units. */
  titleMax: 300,
  siteMax: 100,
  descriptionMax: 500,
  /** Bytes that are searched for a charset before any text is read. */
  charsetBytes: 1024,

  /** Look-ups at a time, over all hosts and to one host. */
  lookups: 4,
  lookupsPerHost: 2,
  /** Look-ups that wait in memory; further ones wait in the database. */
  queue: 1_000,
  /** When a look-up that failed for a passing reason gets its second and last try. */
  retryMs: 30_000,

  /** Preview images: fetches at a time, and readers that may wait for a turn. */
  imageFetches: 4,
  imageWaiting: 32,
  imageCacheBytes: 32 * 1024 * 1024,
  imageCacheMs: 6 * 60 * 60 * 1000,
  /** How long an image that could not be had is not asked for again. */
  imageMissingMs: 60_000,
} as const
