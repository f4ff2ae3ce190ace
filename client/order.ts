import type { Post } from '../shared/post.ts'
import { treeRows, type TreeView } from '../shared/thread-state.ts'

/** What is to be done to a list in reading order, one step after the other. `after` is null for the very first place. */
export type Step =
  | {
      readonly kind: 'insert'
      readonly number: number
      readonly after: number | null
      readonly depth: number
    }
  | { readonly kind: 'remove'; readonly number: number }
  | { readonly kind: 'update'; readonly number: number }

type Posts = readonly (Post | undefined)[]

/**
 * The reading order of a thread, kept up change by change. It is always that of `treeRows`, which costs the whole
 * thread each time; here a change costs the depth of its post.
 */
export interface Order {
  /** The steps that bring the list from what it showed to `posts`, where those numbered `changed` have changed. */
  change(posts: Posts, changed: readonly number[]): Step[]
  isShown(number: number): boolean
  /** Whether it is shown, or is what all that is shown replies to. */
  isThere(number: number): boolean
  depth(number: number): number
  /** Where a new reply to `number` goes: after this post, or with null in the very first place. */
  placeBeneath(number: number): number | null
  /** All that is shown beneath `number`, in reading order; `enter` says whether to look beneath one of them. */
  beneath(number: number, enter?: (number: number) => boolean): Iterable<number>
}

export function createOrder(initial: Posts, view: TreeView = {}): Order {
  const { branch = 1, headless = false, newestFirst = false } = view
  /** Of all posts in the view, and of its top even where that itself is left out. */
  const depths = new Map<number, number>()
  const parents = new Map<number, number>()
  /** In reading order. */
  const replies = new Map<number, number[]>()
  if (headless && initial[branch - 1] !== undefined) depths.set(branch, -1)
  for (const { post, depth } of treeRows(initial, view)) {
    depths.set(post.number, depth)
    if (post.number === branch || post.parent === null) continue
    parents.set(post.number, post.parent)
    repliesOf(post.parent).push(post.number)
  }

  function repliesOf(number: number): number[] {
    let list = replies.get(number)
    if (list === undefined) replies.set(number, (list = []))
    return list
  }

  /** The last post of the branch of `number`; null for the top itself, where it is left out and has no replies. */
  function lastOf(number: number): number | null {
    let last = number
    for (let next = replies.get(last)?.at(-1); next !== undefined; next = replies.get(last)?.at(-1))
      last = next
    return depths.get(last) === -1 ? null : last
  }

  /** After which post the one at `index` among the replies to `parent` stands. */
  function placeAmong(parent: number, index: number): number | null {
    if (index > 0) return lastOf(repliesOf(parent)[index - 1]!)
    return depths.get(parent) === -1 ? null : parent
  }

  /** A reply's place among its siblings, were it put there now. */
  function indexOf(parent: number, number: number): number {
    const siblings = repliesOf(parent)
    if (newestFirst && parent === branch) {
      const at = siblings.findIndex((sibling) => sibling < number)
      return at === -1 ? siblings.length : at
    }
    let at = siblings.length
    while (at > 0 && siblings[at - 1]! > number) at--
    return at
  }

  function inView(posts: Posts, number: number): boolean {
    let at = number
    // Replies have higher numbers than what they reply to.
    while (at > branch) at = posts[at - 1]?.parent ?? 0
    return at === branch
  }

  function belongs(posts: Posts, number: number): boolean {
    const post = posts[number - 1]
    if (headless && number === branch) return false
    return post !== undefined && (post.state !== 'deleted' || (replies.get(number)?.length ?? 0) > 0)
  }

  function show(posts: Posts, number: number, steps: Step[]): void {
    if (number === branch) {
      depths.set(number, headless ? -1 : 0)
      if (!headless) steps.push({ kind: 'insert', number, after: null, depth: 0 })
      return
    }
    const parent = posts[number - 1]!.parent!
    // A deleted parent comes back into view with its first reply.
    if (!depths.has(parent)) show(posts, parent, steps)
    const index = indexOf(parent, number)
    const after = placeAmong(parent, index)
    repliesOf(parent).splice(index, 0, number)
    parents.set(number, parent)
    const depth = depths.get(parent)! + 1
    depths.set(number, depth)
    steps.push({ kind: 'insert', number, after, depth })
  }

  function isShown(number: number): boolean {
    return (depths.get(number) ?? -1) >= 0
  }

  function hide(posts: Posts, number: number, steps: Step[]): void {
    steps.push({ kind: 'remove', number })
    depths.delete(number)
    const parent = parents.get(number)
    parents.delete(number)
    if (parent === undefined) return
    const siblings = repliesOf(parent)
    siblings.splice(siblings.indexOf(number), 1)
    if (depths.has(parent) && depths.get(parent) !== -1 && !belongs(posts, parent)) hide(posts, parent, steps)
  }

  return {
    change(posts, changed) {
      const steps: Step[] = []
      const up = changed
        .filter((number) => depths.has(number) || inView(posts, number))
        .toSorted((a, b) => a - b)
      for (const number of up) if (belongs(posts, number) && !depths.has(number)) show(posts, number, steps)
      // Replies have higher numbers than what they reply to, so branches go from their tips.
      for (const number of up.toReversed())
        if (isShown(number) && !belongs(posts, number)) hide(posts, number, steps)
      const inserted = new Set(steps.flatMap((step) => (step.kind === 'insert' ? [step.number] : [])))
      for (const number of up)
        if (isShown(number) && !inserted.has(number)) steps.push({ kind: 'update', number })
      return steps
    },
    isShown,
    isThere: (number) => depths.has(number),
    depth: (number) => depths.get(number) ?? 0,
    placeBeneath: (number) => placeAmong(number, indexOf(number, Infinity)),
    *beneath(number, enter = () => true) {
      const open = enter(number) ? (replies.get(number) ?? []).toReversed() : []
      for (let next = open.pop(); next !== undefined; next = open.pop()) {
        yield next
        const inner = enter(next) ? replies.get(next) : undefined
        if (inner) for (let i = inner.length - 1; i >= 0; i--) open.push(inner[i]!)
      }
    },
  }
}
