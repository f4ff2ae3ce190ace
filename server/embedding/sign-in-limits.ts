/** Sizes and times of signing in in widgets. Times are in seconds. */
export const signInLimits = {
  /** The time that a host's token may be made to hold. */
  tokenLifetime: 600,
  /** How far the clocks of two servers may be apart. */
  clockTolerance: 60,
  /** A token is good for this long after its first use: all widgets of a page use the same. */
  tokenReuse: 30,
  /** How long a session holds that was made by a token. The host gives another one then. */
  tokenSession: 3_600,
  /** Characters of `sub` and of `jti`. */
  tokenIdMax: 200,
  emailMax: 320,
  /** Time to sign in in the other window; some have to make an account first. */
  popup: 900,
  /** Time to bring the code back to the widget. */
  popupCode: 300,
  /** Codes that may be tried for one such sign-in. */
  popupAttempts: 5,
  popupSession: 30 * 24 * 3_600,
  /** What has run out is removed this often. */
  sweep: 60,
} as const
