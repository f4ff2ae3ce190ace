/**
 * Keeps drawing from taking all of the page's time: what is scrolled, typed or clicked meanwhile waits for it. Views that share
 * one have their part of the time together.
 */
export interface Pace {
  /** When the drawings so far have had no more than their share, in milliseconds of the page's clock. */
  even: number
}

/** The share of the time that drawing may take, and how many milliseconds too early it may be for that: about a frame. */
export const paceLimits = { share: 1 / 3, early: 16 } as const

/** Milliseconds until something may be drawn. */
export function untilNext({ even }: Pace): number {
  return Math.max(0, even - paceLimits.early - performance.now())
}

export function drawPaced(pace: Pace, draw: () => void): void {
  const began = performance.now()
  draw()
  pace.even = Math.max(pace.even, began) + (performance.now() - began) / paceLimits.share
}
