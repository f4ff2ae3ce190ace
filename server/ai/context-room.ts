import { contextLimits } from './limits.ts'

/** Something that wants room; sizes in tokens. */
export interface Want {
  /** All of it. */
  readonly cost: number
  /** What it takes beside its text. */
  readonly frame: number
  /** The most that it may take while others want room too. */
  readonly most: number
  /** The same, for all of its kind together. */
  readonly kind: { readonly most: number }
}

/**
 * Shares out `room`, to the first first, and returns what each one gets; 0 for those that get none, and never so little that
 * nothing of a text would be left. What is over in the end goes to those that got less than they wanted.
 */
export function shareOut(wants: readonly Want[], room: number): number[] {
  const given = wants.map(() => 0)
  const spent = new Map<Want['kind'], number>()
  let left = Math.floor(room)
  for (const bounded of [true, false]) {
    for (const [at, { cost, frame, most, kind }] of wants.entries()) {
      const ofKind = spent.get(kind) ?? 0
      const bound = bounded ? Math.floor(Math.min(most, kind.most - ofKind)) : cost
      const offer = Math.min(cost, bound, left + given[at]!)
      if (offer <= given[at]! || (offer < cost && offer < frame + 2 * contextLimits.leastCut)) continue
      left -= offer - given[at]!
      spent.set(kind, ofKind + offer - given[at]!)
      given[at] = offer
    }
  }
  return given
}
