import { expect, test, vi } from 'vitest'
import { createRing } from '../../server/live/ring.ts'

const post = (seq: number, number: number) =>
  JSON.stringify({ type: 'post', thread: 't', seq, post: { number, seq } })
const info = (seq: number, title: string) => JSON.stringify({ type: 'thread', thread: 't', seq, title })

test('an empty ring covers only who is at the newest', () => {
  const ring = createRing(4)
  expect(ring.covers(0, 0)).toBe(true)
  expect(ring.covers(5, 5)).toBe(true)
  expect(ring.covers(4, 5)).toBe(false)
  expect(ring.since(0)).toEqual({ posts: [] })
})

test('what changed since comes once a post, as it is now, in the order of the latest change', () => {
  const ring = createRing(10)
  ring.push(5, post(5, 1))
  ring.push(6, post(6, 2))
  ring.push(7, post(7, 1))
  expect(ring.since(4)).toEqual({
    posts: [
      { number: 2, seq: 6 },
      { number: 1, seq: 7 },
    ],
  })
  expect(ring.since(6)).toEqual({ posts: [{ number: 1, seq: 7 }] })
  expect(ring.since(7)).toEqual({ posts: [] })
})

test('the thread itself comes as it was last told, and only to who has not heard of it', () => {
  const ring = createRing(10)
  ring.push(1, info(1, 'old'))
  ring.push(2, info(2, 'new'))
  ring.push(3, post(3, 1))
  expect(ring.since(0)).toEqual({ info: { id: 't', title: 'new' }, posts: [{ number: 1, seq: 3 }] })
  expect(ring.since(2)).toEqual({ posts: [{ number: 1, seq: 3 }] })
})

test('it covers what it holds without a hole, and forgets the oldest', () => {
  const size = 4
  const ring = createRing(size)
  for (let seq = 10; seq <= 40; seq++) {
    ring.push(seq, post(seq, seq))
    // At least as many as its size, once there were so many.
    for (let after = Math.max(9, seq - size); after <= seq; after++) {
      expect(ring.covers(after, seq), `${after} of ${seq}`).toBe(true)
      expect(ring.since(after).posts.map((each) => each.seq)).toEqual(
        Array.from({ length: seq - after }, (_, i) => after + 1 + i),
      )
    }
    expect(ring.covers(8, seq)).toBe(false)
    expect(ring.covers(seq - 2 * size - 1, seq)).toBe(false)
  }
})

test('who is ahead of the newest misses nothing of it', () => {
  const ring = createRing(4)
  ring.push(3, post(3, 1))
  expect(ring.covers(9, 3)).toBe(true)
  expect(ring.since(9)).toEqual({ posts: [] })
})

test('after it was cleared it begins anew at any seq', () => {
  const ring = createRing(4)
  ring.push(3, post(3, 1))
  ring.clear()
  expect(ring.covers(2, 3)).toBe(false)
  ring.push(9, post(9, 2))
  expect(ring.covers(8, 9)).toBe(true)
  expect(ring.covers(7, 9)).toBe(false)
  expect(ring.since(2)).toEqual({ posts: [{ number: 2, seq: 9 }] })
})

test('it holds only so much text, without a hole up to the newest', () => {
  const line = post(1, 1).padEnd(100)
  const ring = createRing(1_000, 1_000)
  for (let seq = 1; seq <= 100; seq++) {
    ring.push(seq, line.replace('"seq":1', `"seq":${seq}`))
    expect(ring.covers(seq - 1, seq), String(seq)).toBe(true)
    expect(ring.covers(seq - 11, seq)).toBe(false)
  }
  // One that is too much by itself leaves nothing, and those that follow are held again.
  ring.push(101, line.padEnd(5_000))
  expect(ring.covers(100, 101)).toBe(false)
  ring.push(102, post(102, 2))
  expect([ring.covers(101, 102), ring.covers(100, 102)]).toEqual([true, false])
})

test('a line is read once, from wherever it is asked for', () => {
  const ring = createRing(10)
  for (let seq = 1; seq <= 10; seq++) ring.push(seq, post(seq, seq))
  const parse = vi.spyOn(JSON, 'parse')
  for (let after = 0; after < 10; after++) expect(ring.since(after).posts).toHaveLength(10 - after)
  expect(parse).toHaveBeenCalledTimes(10)
  parse.mockRestore()
})
