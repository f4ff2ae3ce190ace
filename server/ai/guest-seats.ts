import { Problem } from '../../shared/errors.ts'
import { atOnceLimits } from './limits.ts'

/** How many replies this node writes for guests, by the address that they ask from. Kept in memory alone. */
export interface GuestSeats {
  /** Takes one until the function that it returns is called; more than once does no harm. Problems: ai-busy. */
  take(address: string): () => void
}

/** A guest is quickly made anew, an address is not: without this, one who makes many guests could have all of their places. */
export function createGuestSeats(): GuestSeats {
  const taken = new Map<string, number>()
  const count = (address: string, by: 1 | -1) => {
    const now = (taken.get(address) ?? 0) + by
    if (now > 0) taken.set(address, now)
    else taken.delete(address)
  }
  return {
    take(address) {
      if ((taken.get(address) ?? 0) >= atOnceLimits.guestAddress) {
        throw new Problem('ai-busy', {
          detail:
            'As many AI replies are being written for guests at your address as may be at a time. Wait for one to end.',
          retryMs: 10_000,
        })
      }
      count(address, 1)
      let left = false
      return () => {
        if (left) return
        left = true
        count(address, -1)
      }
    },
  }
}
