// What clients need of the protocol without its schemas.

/** The number of the wire protocol. Raise it with any change that an older client would not survive. */
export const protocolVersion = 1

/** Why the server closes a socket. A client comes back after all of them. */
export const closeCodes = {
  badFrame: 4400,
  tooLarge: 4413,
  rate: 4429,
  slow: 4480,
} as const
