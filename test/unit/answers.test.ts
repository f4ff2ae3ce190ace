import { gunzipSync } from 'node:zlib'
import { expect, test, vi } from 'vitest'
import { createAnswers, type Body } from '../../server/http/answers.ts'
import { answerLimits } from '../../server/http/limits.ts'

const body = (text: string): Body => ({
  bytes: Buffer.from(text),
  readAt: performance.now(),
  seq: 1,
  posts: 1,
})
const long = (text: string) => text.repeat(Math.ceil(answerLimits.compressFrom / text.length))

test('a body is made once, however many ask and however they want it packed', async () => {
  const answers = createAnswers({ era: () => 0 })
  const make = vi.fn(() => Promise.resolve(body(long('words '))))
  const asked = await Promise.all(
    [undefined, 'gzip', 'br', 'gzip', 'br', undefined].map(async (encoding) =>
      answers.get('a', encoding as 'gzip' | 'br' | undefined, make),
    ),
  )
  expect(make).toHaveBeenCalledTimes(1)
  // The very same bytes: they were packed once.
  expect(asked[1]!.bytes).toBe(asked[3]!.bytes)
  expect(asked[2]!.bytes).toBe(asked[4]!.bytes)
  expect(gunzipSync(asked[1]!.bytes).toString()).toBe(long('words '))
  expect((await answers.get('a', 'gzip', make)).bytes).toBe(asked[1]!.bytes)
  expect(make).toHaveBeenCalledTimes(1)
})

test('what could not be made is told to all who wait, and tried again by the next', async () => {
  const answers = createAnswers({ era: () => 0 })
  let fails = true
  const make = vi.fn(() => (fails ? Promise.reject(new Error('no')) : Promise.resolve(body('yes'))))
  const asked = await Promise.allSettled([answers.get('a', 'gzip', make), answers.get('a', undefined, make)])
  expect(asked.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  fails = false
  expect((await answers.get('a', undefined, make)).bytes.toString()).toBe('yes')
})

test('no more bytes are kept than there is room for', async () => {
  const maxBytes = 100_000
  const answers = createAnswers({ era: () => 0, maxBytes })
  for (let i = 0; i < 200; i++) {
    await answers.get(`key ${i}`, 'gzip', () => Promise.resolve(body(`${i} `.repeat(1_000))))
    expect(answers.size).toBeLessThanOrEqual(maxBytes)
  }
  expect(answers.size).toBeGreaterThan(maxBytes / 2)
  // What has no room at all is answered all the same.
  const huge = await answers.get('huge', undefined, () => Promise.resolve(body('x'.repeat(maxBytes * 2))))
  expect(huge.bytes.length).toBe(maxBytes * 2)
  expect(answers.size).toBeLessThanOrEqual(maxBytes)
})

test('what is small is not packed', async () => {
  const answers = createAnswers({ era: () => 0 })
  const small = await answers.get('a', 'br', () => Promise.resolve(body('small')))
  expect([small.encoding, small.bytes.toString()]).toEqual([undefined, 'small'])
})

test('nothing is kept for longer than its time, packed or not, nor into another era', async () => {
  let era = 0
  const answers = createAnswers({ era: () => era })
  const old = { ...body(long('old ')), readAt: performance.now() - answerLimits.keptMs - 2_000 }
  await answers.get('a', 'gzip', () => Promise.resolve(old))
  const next = vi.fn(() => Promise.resolve(body(long('new '))))
  expect(gunzipSync((await answers.get('a', 'gzip', next)).bytes).toString()).toBe(long('new '))
  era = 1
  await answers.get('a', 'gzip', next)
  expect(next).toHaveBeenCalledTimes(2)
})
