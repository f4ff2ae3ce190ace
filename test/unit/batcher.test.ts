import { expect, test, vi } from 'vitest'
import { createBatcher, type Outcome } from '../../server/store/batcher.ts'

/** Rounds that end when they are told to. */
function start(most = 3) {
  const rounds: {
    items: readonly number[]
    end: (outcomes: Outcome<string>[]) => void
    fail: (error: Error) => void
  }[] = []
  const onIdle = vi.fn()
  const run = (items: readonly number[]) =>
    new Promise<Outcome<string>[]>((end, fail) => rounds.push({ items, end, fail }))
  return { rounds, onIdle, ask: createBatcher<number, string>({ most, run, onIdle }) }
}

test('alone nobody waits; who comes meanwhile goes together, so many at the most', async () => {
  const { rounds, onIdle, ask } = start()
  const answers = [1, 2, 3, 4, 5].map(ask)
  expect(rounds.map(({ items }) => items)).toEqual([[1]])
  rounds[0]!.end([{ value: 'one' }])
  expect(await answers[0]).toBe('one')
  await vi.waitFor(() => expect(rounds.map(({ items }) => items)).toEqual([[1], [2, 3, 4]]))
  expect(onIdle).not.toHaveBeenCalled()
  rounds[1]!.end([{ value: 'two' }, { error: new Error('three') }, { value: 'four' }])
  expect(await answers[1]).toBe('two')
  await expect(answers[2]).rejects.toThrow('three')
  expect(await answers[3]).toBe('four')
  await vi.waitFor(() => expect(rounds).toHaveLength(3))
  rounds[2]!.end([{ value: 'five' }])
  expect(await answers[4]).toBe('five')
  await vi.waitFor(() => expect(onIdle).toHaveBeenCalledTimes(1))
})

test('a round that fails fails for all of its own, and the next goes on', async () => {
  const { rounds, ask } = start()
  const answers = [1, 2, 3].map(ask)
  rounds[0]!.end([{ value: 'one' }])
  await vi.waitFor(() => expect(rounds).toHaveLength(2))
  const refused = Promise.allSettled(answers.slice(1))
  rounds[1]!.fail(new Error('gone'))
  expect((await refused).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  const later = ask(4)
  rounds[2]!.end([{ value: 'four' }])
  expect(await later).toBe('four')
})
