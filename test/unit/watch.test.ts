import { expect, test } from 'vitest'
import { createWatch } from '../../server/live/watch.ts'

test('word of a user reaches their sessions, and those of whom it is not known whose they are', () => {
  const watch = createWatch<string>()
  for (const session of ['a1', 'a2', 'b', 'c']) watch.unsure(session)
  watch.known('a1', 'ada')
  watch.known('a2', 'ada')
  watch.known('b', 'bob')
  expect(watch.concerned('ada').toSorted()).toEqual(['a1', 'a2', 'c'])
  expect(watch.concerned('eve')).toEqual(['c'])
  watch.known('c', undefined)
  expect(watch.concerned('eve')).toEqual([])
  expect(watch.signedIn().toSorted()).toEqual(['a1', 'a2', 'b'])
})

test('who becomes another, nobody, or is gone, is no longer found as who they were', () => {
  const watch = createWatch<string>()
  watch.known('s', 'ada')
  watch.known('s', 'bob')
  expect([watch.concerned('ada'), watch.concerned('bob')]).toEqual([[], ['s']])
  watch.unsure('s')
  expect([watch.concerned('bob'), watch.signedIn()]).toEqual([['s'], []])
  watch.known('s', undefined)
  expect(watch.concerned('bob')).toEqual([])
  watch.known('s', 'ada')
  watch.forget('s')
  watch.forget('s')
  expect([watch.concerned('ada'), watch.signedIn()]).toEqual([[], []])
})
