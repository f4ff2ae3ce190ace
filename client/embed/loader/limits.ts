/** A frame that has said nothing for so many milliseconds is taken for lost. */
export const patienceMs = 12_000
/** Applications change their address first, and what else says which page it is within so many milliseconds. */
export const settleMs = 99
