/** What API keys begin with, and how much of a key is stored for people to know it again. */
export const keyPrefix = 'nx_'
export const keyStartLength = 6

/** Sizes and times that only accounts know of. Times are in seconds. */
export const accountLimits = {
  /** How many people a node remembers between their requests, and for how many milliseconds. */
  remembered: 10_000,
  rememberedMs: 10_000,
  /** A session that is not used for this long ends. */
  sessionLifetime: 90 * 24 * 3600,
  /** A session in use is prolonged at the most this often: each time is a write. */
  sessionRenewal: 24 * 3600,
  /** Time an API key may be given to live at the most, in days. */
  apiKeyDays: 365,
  apiKeyNameMax: 60,
  banReasonMax: 500,
  /** The use of a key is noted at the most this often: each time is a write. */
  keyUseNoted: 3600,
} as const
