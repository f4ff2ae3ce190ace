import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { liveLimits } from '../../server/live/limits.ts'
import { createPresence, type Presence } from '../../server/live/presence.ts'
import { limits } from '../../shared/limits.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

interface TestNode extends Presence {
  readonly told: { viewers: number; typing: { name: string }[] }[]
  readonly changes: number
}

/** Nodes that hear each other, as long as nobody is in `cut`. */
function nodes(...names: string[]) {
  const cut = new Set<string>()
  const made = new Map<string, TestNode>()
  for (const node of names) {
    const state = { told: [] as TestNode['told'], changes: 0 }
    const presence = createPresence({
      node,
      now: () => Date.now(),
      tell(body) {
        state.told.push(JSON.parse(body) as TestNode['told'][number])
        if (cut.has(node)) return
        for (const [name, other] of made) if (!cut.has(name)) other.hear(body)
      },
      onChange: () => void state.changes++,
    })
    made.set(node, {
      ...presence,
      told: state.told,
      get changes() {
        return state.changes
      },
    })
  }
  return { cut, list: names.map((name) => made.get(name)!) }
}

const ada = { id: 'ada', name: 'Ada' }

/** Lets time pass as a room does, which ticks every second. */
function pass(ms: number, ...presences: Presence[]): void {
  for (let left = ms; left > 0; left -= 1_000) {
    vi.advanceTimersByTime(Math.min(1_000, left))
    for (const presence of presences) presence.tick()
  }
}

test('viewers of all nodes are counted, each once', () => {
  const [a, b] = nodes('a', 'b').list as [TestNode, TestNode]
  a.enter('1')
  a.enter('1')
  a.enter('2')
  b.enter('3')
  pass(1_000)
  expect([a.viewers(), b.viewers()]).toEqual([3, 3])
  a.leave('1')
  a.leave('1')
  pass(1_000)
  expect([a.viewers(), b.viewers()]).toEqual([2, 2])
  a.leave('2')
  pass(1_000)
  expect([a.viewers(), b.viewers()]).toEqual([1, 1])
})

test('who comes new is told what the others know', () => {
  const [a, b] = nodes('a', 'b').list as [TestNode, TestNode]
  a.enter('1')
  pass(1_000)
  b.hear('')
  const before = a.told.length
  a.hear('')
  expect(a.told.length).toBe(before + 1)
  // Who has nothing to tell says nothing.
  expect(b.told).toEqual([])
})

test('typing is told, renewed without a word, and forgotten', () => {
  const [a, b] = nodes('a', 'b').list as [TestNode, TestNode]
  a.enter('1')
  a.type('1', ada, 7)
  pass(1_000)
  expect(b.typing()).toEqual([{ ...ada, parent: 7 }])
  const [said, changes] = [a.told.length, b.changes]
  pass(limits.typingRenewMs, a, b)
  a.type('1', ada, 7)
  expect([a.told.length, b.changes]).toEqual([said, changes])
  pass(limits.typingMs - 1_000, a, b)
  expect(b.typing()).toHaveLength(1)
  pass(2_000, a, b)
  expect([a.typing(), b.typing()]).toEqual([[], []])
  a.type('1', ada, 8)
  a.type('1', ada, null)
  pass(1_000)
  expect(b.typing()).toEqual([])
  a.type('1', ada, 9)
  a.leave('1')
  pass(1_000)
  expect(b.typing()).toEqual([])
})

test('a crowd that writes is told by a few names', () => {
  const [a, b] = nodes('a', 'b').list as [TestNode, TestNode]
  for (let i = 0; i < 1_000; i++) {
    a.enter(String(i))
    a.type(String(i), { id: String(i), name: `N${i}` }, 1)
  }
  pass(1_000)
  expect(a.told.at(-1)).toMatchObject({ viewers: 1_000 })
  expect(b.typing()).toHaveLength(liveLimits.typingShown)
})

test('who writes without being counted is not left behind when they go', () => {
  const [a, b] = nodes('a', 'b').list as [TestNode, TestNode]
  a.enter('2')
  a.type('1', ada, 7)
  pass(1_000)
  expect(b.typing()).toHaveLength(1)
  a.leave('1')
  pass(1_000)
  expect([a.typing(), b.typing()]).toEqual([[], []])
})

test('many changes at once are told in few words', () => {
  const [a] = nodes('a').list as [TestNode]
  for (let i = 0; i < 1_000; i++) a.enter(String(i))
  pass(liveLimits.presenceMs)
  expect(a.told.length).toBeLessThanOrEqual(2)
  expect(a.told.at(-1)).toMatchObject({ viewers: 1_000 })
})

test('a node that went without a word is forgotten, one that only views stays', () => {
  const { list, cut } = nodes('a', 'b', 'c')
  const [a, b, c] = list as [TestNode, TestNode, TestNode]
  a.enter('1')
  b.enter('2')
  c.enter('3')
  pass(1_000, a, b, c)
  expect(a.viewers()).toBe(3)
  cut.add('b')
  pass(liveLimits.presenceExpiryMs - 2_000, a, c)
  expect(a.viewers()).toBe(3)
  pass(3_000, a, c)
  expect([a.viewers(), c.viewers()]).toEqual([2, 2])
  // Much later still: those who live have said so.
  pass(5 * liveLimits.presenceExpiryMs, a, c)
  expect([a.viewers(), c.viewers()]).toEqual([2, 2])
  cut.delete('b')
  b.tick()
  expect([a.viewers(), c.viewers()]).toEqual([3, 3])
})

test.each(['nonsense', '{}', '[]', '{"node":"b","viewers":"many","typing":[]}', '{"node":"b","viewers":1}'])(
  'what cannot be read is passed over: %s',
  (body) => {
    const [a] = nodes('a').list as [TestNode]
    a.enter('1')
    const changes = a.changes
    a.hear(body)
    expect([a.viewers(), a.changes]).toEqual([1, changes])
  },
)
