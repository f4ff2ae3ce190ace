import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createOrder, type Step } from '../../client/order.ts'
import type { Post } from '../../shared/post.ts'
import { treeRows, type TreeView } from '../../shared/thread-state.ts'
import { aPost } from '../helpers/posts.ts'

/** What a thread does: someone replies to a post, deletes one, or changes one. Picks are taken modulo what is there. */
const change = fc.record({
  kind: fc.constantFrom('reply', 'reply', 'reply', 'delete', 'edit'),
  pick: fc.nat(),
})

function write(posts: (Post | undefined)[], { kind, pick }: { kind: string; pick: number }): number {
  const number = (pick % posts.length) + 1
  if (kind === 'reply') {
    posts.push(aPost(posts.length + 1, { parent: number }))
    return posts.length
  }
  const state = kind === 'delete' ? 'deleted' : (posts[number - 1]?.state ?? 'complete')
  posts[number - 1] = { ...posts[number - 1]!, state, seq: posts.length }
  return number
}

/** A list of `number:depth` that does what the steps say. */
function follow(list: string[], steps: readonly Step[]): void {
  const at = (number: number) => list.findIndex((item) => item.startsWith(`${number}:`))
  for (const step of steps) {
    if (step.kind === 'insert') {
      const after = step.after === null ? -1 : at(step.after)
      expect(step.after === null || after >= 0).toBe(true)
      list.splice(after + 1, 0, `${step.number}:${step.depth}`)
    } else {
      expect(at(step.number)).toBeGreaterThanOrEqual(0)
      if (step.kind === 'remove') list.splice(at(step.number), 1)
    }
  }
}

const rowsOf = (posts: readonly (Post | undefined)[], view?: TreeView) =>
  treeRows(posts, view).map(({ post, depth }) => `${post.number}:${depth}`)

const views = fc.record(
  { branch: fc.constantFrom(1, 2, 5), headless: fc.boolean(), newestFirst: fc.boolean() },
  { requiredKeys: [] },
)

describe('the reading order', () => {
  test('is that of treeRows after any changes, in batches of any size', () => {
    fc.assert(
      fc.property(
        fc.array(change, { maxLength: 30 }),
        fc.array(fc.array(change, { minLength: 1, maxLength: 12 }), { maxLength: 12 }),
        views,
        (before, batches, view) => {
          const posts: (Post | undefined)[] = [aPost(1)]
          for (const one of before) write(posts, one)
          const order = createOrder(posts, view)
          const list = rowsOf(posts, view)
          for (const batch of batches) {
            const changed = new Set(batch.map((one) => write(posts, one)))
            follow(list, order.change(posts, [...changed]))
            expect(list).toEqual(rowsOf(posts, view))
          }
        },
      ),
      { numRuns: 500 },
    )
  })

  test('lets go of posts that a restored server no longer has', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 40 }), fc.nat(), views, (changes, pick, view) => {
        const posts: (Post | undefined)[] = [aPost(1)]
        for (const one of changes) write(posts, one)
        const order = createOrder(posts, view)
        const list = rowsOf(posts, view)
        const left = posts.slice(0, 1 + (pick % posts.length))
        const changed = posts.map((_, i) => i + 1).filter((number) => left[number - 1] !== posts[number - 1])
        follow(list, order.change(left, changed))
        expect(list).toEqual(rowsOf(left, view))
      }),
    )
  })

  test('names a deleted post again when its first reply comes', () => {
    const posts = [aPost(1), aPost(2, { state: 'deleted' })]
    const order = createOrder(posts)
    expect(order.isShown(2)).toBe(false)
    const steps = order.change([...posts, aPost(3, { parent: 2 })], [3])
    expect(steps).toEqual([
      { kind: 'insert', number: 2, after: 1, depth: 1 },
      { kind: 'insert', number: 3, after: 2, depth: 2 },
    ])
  })

  test('knows what lies beneath a post', () => {
    const posts = [aPost(1), aPost(2), aPost(3, { parent: 2 }), aPost(4), aPost(5, { parent: 3 })]
    const order = createOrder(posts)
    expect([...order.beneath(1)]).toEqual([2, 3, 5, 4])
    expect([...order.beneath(1, (number) => number !== 3)]).toEqual([2, 3, 4])
    expect(order.placeBeneath(2)).toBe(5)
  })

  test('knows where a new reply goes', () => {
    const posts = [aPost(1), aPost(2), aPost(3, { parent: 2 }), aPost(4), aPost(5, { parent: 3 })]
    expect(createOrder(posts).placeBeneath(1)).toBe(4)
    expect(createOrder(posts, { newestFirst: true }).placeBeneath(1)).toBe(1)
    expect(createOrder(posts, { newestFirst: true, headless: true }).placeBeneath(1)).toBe(null)
    expect(createOrder(posts, { headless: true }).placeBeneath(1)).toBe(4)
    expect(createOrder([aPost(1)], { headless: true }).placeBeneath(1)).toBe(null)
    expect(createOrder(posts, { branch: 2 }).placeBeneath(2)).toBe(5)
  })

  test('shows one branch, or the newest first, or a thread without its root', () => {
    const posts = [aPost(1), aPost(2), aPost(3, { parent: 2 }), aPost(4), aPost(5, { parent: 3 })]
    expect(rowsOf(posts, { branch: 2 })).toEqual(['2:0', '3:1', '5:2'])
    expect(rowsOf(posts, { newestFirst: true })).toEqual(['1:0', '4:1', '2:1', '3:2', '5:3'])
    expect(rowsOf(posts, { headless: true })).toEqual(['2:0', '3:1', '5:2', '4:0'])
  })
})
