import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { startHeartbeat } from '../../server/live/heartbeat.ts'
import { liveLimits } from '../../server/live/limits.ts'

const every = 10_000
let stop: () => void
/** What a visit takes, in milliseconds. */
let cost: number
let visits: { each: number; at: number; shared: Map<string, number> }[]

beforeEach(() => {
  vi.useFakeTimers()
  cost = 0
  visits = []
})
afterEach(() => {
  stop()
  vi.useRealTimers()
})

function start(visited: Iterable<number>): void {
  stop = startHeartbeat(every, visited, (each, shared: Map<string, number>) => {
    visits.push({ each, at: performance.now(), shared })
    now += cost
  })
}

/** Time as the work takes it, beside the time that timers take. */
let now = 0
beforeEach(() => {
  now = 0
  const timers = performance.now.bind(performance)
  vi.spyOn(performance, 'now').mockImplementation(() => timers() + now)
})
afterEach(() => void vi.restoreAllMocks())

const names = () => visits.map(({ each }) => each)

test('all are visited once a beat', () => {
  start([1, 2, 3])
  vi.advanceTimersByTime(every - 1)
  expect(names()).toEqual([])
  vi.advanceTimersByTime(1)
  expect(names()).toEqual([1, 2, 3])
  vi.advanceTimersByTime(every)
  expect(names()).toEqual([1, 2, 3, 1, 2, 3])
})

test('a beat of many is cut into slices, each with a map of its own', () => {
  const all = Array.from({ length: 10_000 }, (_, i) => i)
  cost = 0.02
  start(all)
  vi.advanceTimersByTime(every)
  // One slice so far, and it took no longer than it may by more than a few visits.
  expect(visits.length).toBeLessThan(all.length / 10)
  expect(visits.length * cost).toBeLessThan(liveLimits.sliceMs + liveLimits.sliceWrites * cost + 1)
  vi.advanceTimersByTime(every / 2)
  expect(names()).toEqual(all)
  expect(new Set(visits.map(({ shared }) => shared)).size).toBeGreaterThan(20)
})

test('who leaves between two slices is not visited, and who comes is', () => {
  const all = new Set(Array.from({ length: 1_000 }, (_, i) => i))
  cost = 1
  start(all)
  vi.advanceTimersByTime(every)
  expect(visits.length).toBeLessThan(500)
  all.delete(900)
  all.add(1_000)
  vi.advanceTimersByTime(every - 1)
  expect(names()).toEqual([...all])
})

test('a beat that takes too long is not overtaken by the next', () => {
  const all = Array.from({ length: 90_000 }, (_, i) => i)
  cost = 1
  start(all)
  vi.advanceTimersByTime(4 * every - 1)
  expect(names()).toEqual(all.slice(0, visits.length))
})

test('nothing is visited once it was stopped', () => {
  const all = Array.from({ length: 1_000 }, (_, i) => i)
  cost = 1
  start(all)
  vi.advanceTimersByTime(every)
  const before = visits.length
  stop()
  vi.advanceTimersByTime(3 * every)
  expect(visits.length).toBe(before)
})
