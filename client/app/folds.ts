import type { Post } from '../../shared/post.ts'
import type { Order } from '../order.ts'

type Find = (number: number) => Post | undefined

/** Which branches the reader has folded away. */
export interface Folds {
  toggle(number: number): void
  /** How many posts are folded away beneath `number`; nothing when its branch is open. */
  count(number: number): number | undefined
  /** Whether a post lies in a folded branch. */
  hides(post: Post, find: Find): boolean
  /** Opens every branch that hides the post; returns which. */
  open(number: number, find: Find): number[]
}

export function createFolds(
  order: Pick<Order, 'beneath'>,
  element: (number: number) => HTMLElement | null,
): Folds {
  const folded = new Set<number>()

  function toggle(number: number): void {
    const fold = !folded.has(number)
    if (fold) folded.add(number)
    else folded.delete(number)
    // Branches within that were folded before stay so.
    for (const beneath of order.beneath(number, (one) => one === number || fold || !folded.has(one))) {
      const article = element(beneath)
      if (article !== null) article.hidden = fold
    }
  }

  function* above(post: Post | undefined, find: Find): Iterable<number> {
    for (let parent = post?.parent ?? null; parent !== null; parent = find(parent)?.parent ?? null)
      yield parent
  }

  return {
    toggle,
    count: (number) => (folded.has(number) ? [...order.beneath(number)].length : undefined),
    hides: (post, find) => [...above(post, find)].some((number) => folded.has(number)),
    open(number, find) {
      const closed = [...above(find(number), find)].filter((one) => folded.has(one))
      for (const one of closed) toggle(one)
      return closed
    },
  }
}
