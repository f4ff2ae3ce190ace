/** Bounds on what an import takes at a time. Sizes of text are in UTF-16 units. */
export const importLimits = {
  /** All text of one record of a file; a longer one is left out. */
  recordMax: 4 * 1024 * 1024,
  /** One JSON document, which has to be held whole. */
  jsonMax: 256 * 1024 * 1024,
  /** Elements within elements of an XML file. */
  xmlDepth: 100,
  /** Comments that are written in one transaction. Of more posts than this, the store reads a thread's reactions whole. */
  batch: 200,
  /** Files that the comments wait in, so that only one part of all threads is held at a time. */
  buckets: 64,
  /** Text of one of them that is held until it is written. */
  bucketBuffer: 64 * 1024,
  /** Reactions with one emoji to one comment that are taken over. */
  reactionsMax: 1_000,
  /** Ids of a source's records. */
  idMax: 500,
  /** Accounts that are kept in mind. */
  authorsKept: 50_000,
  /** Milliseconds that a link for claiming holds. */
  claimMs: 30 * 24 * 60 * 60 * 1000,
} as const
