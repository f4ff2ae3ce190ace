import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createRateLimits, memoryCounters, unlimited } from '../../server/http/rate-limits.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

async function refused(promise: Promise<void>): Promise<number | undefined> {
  try {
    await promise
    return undefined
  } catch (error) {
    expect(error).toMatchObject({ code: 'rate-limited', status: 429 })
    return (error as { retryMs: number }).retryMs
  }
}

test('grants as often as it says, then tells when to come again, and grants again then', async () => {
  const rates = createRateLimits(memoryCounters)
  for (let i = 0; i < 20; i++) await rates.take('create-thread', 'ada')
  vi.advanceTimersByTime(600_000)
  const wait = await refused(rates.take('create-thread', 'ada'))
  expect(wait).toBeGreaterThan(2_990_000)
  expect(wait).toBeLessThanOrEqual(3_000_000)
  vi.advanceTimersByTime(wait! - 10)
  expect(await refused(rates.take('create-thread', 'ada'))).toBeGreaterThan(0)
  vi.advanceTimersByTime(20)
  expect(await refused(rates.take('create-thread', 'ada'))).toBeUndefined()
})

test('counts each limit and each one apart', async () => {
  const rates = createRateLimits(memoryCounters)
  for (let i = 0; i < 20; i++) await rates.take('sign-in', 'ada')
  expect(await refused(rates.take('sign-in', 'ada'))).toBeGreaterThan(0)
  expect(await refused(rates.take('sign-in', 'bob'))).toBeUndefined()
  expect(await refused(rates.take('auth', 'ada'))).toBeUndefined()
})

test('what breaks in a counter is no refusal', async () => {
  const rates = createRateLimits(() => ({ consume: () => Promise.reject(new Error('broken')) }))
  await expect(rates.take('read', 'ada')).rejects.toThrow('broken')
})

test('may be off', async () => {
  for (let i = 0; i < 1_000; i++) await unlimited.take('create-thread', 'ada')
})
