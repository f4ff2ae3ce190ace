import { expect, test, vi } from 'vitest'
import type { Identity } from '../../server/accounts/accounts.ts'
import { createIdentityCache } from '../../server/accounts/identity-cache.ts'
import { accountLimits } from '../../server/accounts/limits.ts'

const ada: Identity = { actor: { id: 'ada', name: 'Ada', kind: 'person', role: 'member' }, sessionId: 's' }
const cookie = (value: string) => new Headers({ cookie: value })

function start(found: () => Promise<Identity | null> = async () => ada) {
  const bus = { up: true }
  const identify = vi.fn((_: Headers) => found())
  return { bus, identify, cache: createIdentityCache(bus, identify) }
}

test('who asks again within a moment is not looked up again, and others are', async () => {
  const { cache, identify } = start()
  for (const value of ['a', 'a', 'b', 'a']) expect(await cache.identify(cookie(value))).toBe(ada)
  expect(identify).toHaveBeenCalledTimes(2)
  // The same words in another header are other credentials.
  await cache.identify(new Headers({ authorization: 'a' }))
  expect(identify).toHaveBeenCalledTimes(3)
})

test('nobody is remembered for longer than that', async () => {
  const now = vi.spyOn(performance, 'now')
  try {
    const { cache, identify } = start()
    now.mockReturnValue(1_000)
    await cache.identify(cookie('a'))
    now.mockReturnValue(1_000 + accountLimits.rememberedMs + 1)
    await cache.identify(cookie('a'))
    expect(identify).toHaveBeenCalledTimes(2)
  } finally {
    now.mockRestore()
  }
})

test.each([
  ['nobody', null],
  ['an API key, whose end nobody tells of', { ...ada, sessionId: null }],
])('%s is looked up each time', async (_, found) => {
  const { cache, identify } = start(async () => found)
  for (let i = 0; i < 2; i++) expect(await cache.identify(cookie('a'))).toBe(found)
  expect(identify).toHaveBeenCalledTimes(2)
})

test('a change forgets everybody, and an answer that was under way then is not kept', async () => {
  let answer = (_: Identity) => {}
  const { cache, identify } = start(() => new Promise((resolve) => (answer = resolve)))
  const under = cache.identify(cookie('a'))
  cache.forget()
  answer(ada)
  expect(await under).toBe(ada)
  const again = cache.identify(cookie('a'))
  answer(ada)
  await again
  expect(identify).toHaveBeenCalledTimes(2)
  expect(await cache.identify(cookie('a'))).toBe(ada)
  cache.forget()
  void cache.identify(cookie('a'))
  expect(identify).toHaveBeenCalledTimes(3)
})

test('while the bus is down, when a ban may not be heard of, everybody is looked up', async () => {
  const { cache, bus, identify } = start()
  await cache.identify(cookie('a'))
  bus.up = false
  await cache.identify(cookie('a'))
  bus.up = true
  expect(identify).toHaveBeenCalledTimes(2)
})

test('readers without credentials cost nothing', async () => {
  const { cache, identify } = start()
  expect(await cache.identify(new Headers())).toBeNull()
  expect(identify).not.toHaveBeenCalled()
})
