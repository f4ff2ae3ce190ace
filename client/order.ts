import type { Post } from '../shared/post.ts'
import { treeRows } from '../shared/thread-state.ts'

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
  depth(number: number): number
  /** The last post of the branch of `number`: itself, when it has no replies. */
  lastOf(number: number): number
  /** All that is shown beneath `number`, in reading order; `enter` says whether to look beneath one of them. */
  beneath(number: number, enter?: (number: number) => boolean): Iterable<number>
}

export function createOrder(initial: Posts): Order {
  const depths = new Map<number, number>()
  const parents = new Map<number, number>()
  const replies = new Map<number, number[]>()
  for (const { post, depth } of treeRows(initial)) {
    depths.set(post.number, depth)
    if (post.parent === null) continue
    parents.set(post.number, post.parent)
    repliesOf(post.parent).push(post.number)
  }

  function repliesOf(number: number): number[] {
    let list = replies.get(number)
    if (list === undefined) replies.set(number, (list = []))
    return list
  }

  function lastOf(number: number): number {
    let last = number
    for (let next = replies.get(last)?.at(-1); next !== undefined; next = replies.get(last)?.at(-1))
      last = next
    return last
  }

  function belongs(posts: Posts, number: number): boolean {
    const post = posts[number - 1]
    return post !== undefined && (post.state !== 'deleted' || (replies.get(number)?.length ?? 0) > 0)
  }

  function show(posts: Posts, number: number, steps: Step[]): void {
    const { parent } = posts[number - 1]!
    if (parent === null) {
      depths.set(number, 0)
      steps.push({ kind: 'insert', number, after: null, depth: 0 })
      return
    }
    // A deleted parent comes back into view with its first reply.
    if (!depths.has(parent)) show(posts, parent, steps)
    const siblings = repliesOf(parent)
    let at = siblings.length
    while (at > 0 && siblings[at - 1]! > number) at--
    const after = at === 0 ? parent : lastOf(siblings[at - 1]!)
    siblings.splice(at, 0, number)
    parents.set(number, parent)
    const depth = depths.get(parent)! + 1
    depths.set(number, depth)
    steps.push({ kind: 'insert', number, after, depth })
  }

  function hide(posts: Posts, number: number, steps: Step[]): void {
    steps.push({ kind: 'remove', number })
    depths.delete(number)
    const parent = parents.get(number)
    parents.delete(number)
    if (parent === undefined) return
    const siblings = repliesOf(parent)
    siblings.splice(siblings.indexOf(number), 1)
    if (depths.has(parent) && !belongs(posts, parent)) hide(posts, parent, steps)
  }

  return {
    change(posts, changed) {
      const steps: Step[] = []
      const up = changed.toSorted((a, b) => a - b)
      for (const number of up) if (belongs(posts, number) && !depths.has(number)) show(posts, number, steps)
      // Replies have higher numbers than what they reply to, so branches go from their tips.
      for (const number of up.toReversed())
        if (depths.has(number) && !belongs(posts, number)) hide(posts, number, steps)
      const inserted = new Set(steps.flatMap((step) => (step.kind === 'insert' ? [step.number] : [])))
      for (const number of up)
        if (depths.has(number) && !inserted.has(number)) steps.push({ kind: 'update', number })
      return steps
    },
    isShown: (number) => depths.has(number),
    depth: (number) => depths.get(number) ?? 0,
    lastOf,
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
