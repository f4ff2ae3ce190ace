/** How sites are kept, and what they may have. Times are in milliseconds. */
export const siteLimits = {
  /** How old a node's knowledge of the `sites` table may be. */
  cacheMs: 5_000,
  /** Keys of one site. A token that names none is tried with each. */
  keys: 20,
  /** ASCII characters of a page's key, and of its address as it is shown. An index of the database holds the key. */
  pageKeyMax: 2_000,
} as const
