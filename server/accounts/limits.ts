/** Sizes and times that only accounts know of. Times are in seconds. */
export const accountLimits = {
  /** A session that is not used for this long ends. */
  sessionLifetime: 90 * 24 * 3600,
  /** A session in use is prolonged at the most this often: each time is a write. */
  sessionRenewal: 24 * 3600,
  /** Time an API key may be given to live at the most, in days. */
  apiKeyDays: 365,
  apiKeyNameMax: 60,
  banReasonMax: 500,
} as const
