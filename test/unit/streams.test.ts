import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { liveLimits } from '../../server/live/limits.ts'
import { createStreams, type RoomLine, type Streams, type StreamText } from '../../server/live/streams.ts'

const thread = 'k3v9x2q7ab'
let known: StreamText[]
let said: RoomLine[]
let streams: Streams
let reads: number
let failing: boolean

beforeEach(() => {
  known = []
  said = []
  reads = 0
  failing = false
  let alias = 0
  streams = createStreams({
    thread,
    read: () => {
      reads++
      return failing ? Promise.reject(new Error('down')) : Promise.resolve(known)
    },
    say: (line) => void said.push(line),
    nextAlias: () => ++alias,
    onError: (error) => {
      if (!failing) throw error
    },
  })
})

afterEach(() => streams.close())

function hear(at: number, text: string, { run = 'r1', epoch = 1, post = 2 } = {}): void {
  const line = JSON.stringify({ type: 'delta', thread, post, run, at, text })
  streams.hear({ post, run, epoch, at }, line)
}

const text = (post = 2) => streams.list(new Map()).find((each) => each.post === post)?.text
const full = () => said.map(({ line }) => JSON.parse(line) as { at: number; text: string })

describe('the replies of a room', () => {
  test('grow by what comes in order, in full first and then in brief', () => {
    streams.changed({ post: 2, run: 'r1', streaming: true })
    hear(0, 'Hello')
    hear(5, ' there')
    expect(text()).toBe('Hello there')
    expect(said.map(({ brief }) => JSON.parse(brief!))).toEqual([
      { type: 'delta', thread, post: 2, run: 'r1', at: 0, text: 'Hello', as: 1 },
      { type: 'more', as: 1, at: 5, text: ' there' },
    ])
    expect(said.every((line) => line.passing)).toBe(true)
  })

  test('say nothing twice, and of an overlap only what is new', () => {
    hear(0, 'abc')
    hear(0, 'abc')
    hear(1, 'bcde')
    expect(full().map(({ at, text }) => [at, text])).toEqual([
      [0, 'abc'],
      [3, 'de'],
    ])
  })

  test('fill a hole from what the others know, once for all', async () => {
    hear(0, 'one ')
    known = [{ post: 2, run: 'r1', epoch: 1, text: 'one two three ' }]
    hear(8, 'three ')
    hear(14, 'four')
    await vi.waitFor(() => expect(text()).toBe('one two three '))
    expect(reads).toBe(1)
    // What is still missing is looked for again.
    known = [{ post: 2, run: 'r1', epoch: 1, text: 'one two three four' }]
    await vi.waitFor(() => expect(text()).toBe('one two three four'))
    expect(
      full()
        .map(({ text }) => text)
        .join(''),
    ).toBe('one two three four')
  })

  test('are known to a room that opens in their midst', async () => {
    known = [{ post: 2, run: 'r1', epoch: 1, text: 'so far' }]
    await streams.load()
    hear(6, ' so good')
    expect(text()).toBe('so far so good')
    expect(streams.list(new Map([['r1', 7]]))).toEqual([
      { post: 2, run: 'r1', at: 7, text: 'so good', as: 1 },
    ])
    expect(streams.text(2, 'r1', 3)).toMatchObject({ at: 3, text: 'far so good' })
    expect(streams.text(2, 'other', 0)).toBeUndefined()
  })

  test('that ended do not come back with a late piece', () => {
    hear(0, 'abc')
    streams.changed({ post: 2, run: 'r1', streaming: false })
    hear(3, 'def')
    streams.changed({ post: 2, run: 'r1', streaming: true })
    expect(text()).toBeUndefined()
    expect(said).toHaveLength(1)
  })

  test('take nothing from a holder that was taken for dead', () => {
    hear(0, 'new', { epoch: 2 })
    hear(3, ' and old', { epoch: 1 })
    expect(text()).toBe('new')
  })
})

describe('a reply that the database does not name', () => {
  const { tornMs, tornMostMs } = liveLimits
  const names = () => streams.list(new Map()).map(({ run }) => run)

  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  test('is forgotten, whole or torn, and not asked about for ever', async () => {
    hear(0, 'late', { run: 'whole', post: 2 })
    hear(40, 'late', { run: 'torn', post: 3 })
    expect(names()).toEqual(['whole', 'torn'])
    await vi.advanceTimersByTimeAsync(10 * tornMostMs)
    expect(names()).toEqual([])
    expect(reads).toBe(liveLimits.unnamedReads)
    await vi.advanceTimersByTimeAsync(100 * tornMostMs)
    expect(reads).toBe(liveLimits.unnamedReads)
  })

  test('survives one read, whose answer may be older than it', async () => {
    hear(4, 'said')
    await vi.advanceTimersByTimeAsync(0)
    expect(reads).toBe(1)
    known = [{ post: 2, run: 'r1', epoch: 1, text: 'all said' }]
    await vi.advanceTimersByTimeAsync(tornMs)
    expect(text()).toBe('all said')
    // Now it is known, and nobody asks further.
    await vi.advanceTimersByTimeAsync(100 * tornMostMs)
    expect([reads, text()]).toEqual([2, 'all said'])
  })

  test('comes back whole with its next piece, if it is written after all', async () => {
    hear(0, 'so far')
    await vi.advanceTimersByTimeAsync(10 * tornMostMs)
    expect(names()).toEqual([])
    known = [{ post: 2, run: 'r1', epoch: 1, text: 'so far, so good' }]
    hear(6, ', so')
    await vi.advanceTimersByTimeAsync(tornMs)
    expect(text()).toBe('so far, so good')
  })

  test('that began during a read is not judged by it', async () => {
    hear(4, 'torn')
    hear(0, 'new', { run: 'r2', post: 3 })
    await vi.advanceTimersByTimeAsync(tornMs)
    expect(reads).toBe(2)
    expect(names()).toEqual(['r2'])
  })

  test('is looked for when word of its end may have been lost', async () => {
    streams.changed({ post: 2, run: 'r1', streaming: true })
    hear(0, 'abc')
    await vi.advanceTimersByTimeAsync(10 * tornMostMs)
    expect([reads, text()]).toEqual([0, 'abc'])
    streams.doubt()
    await vi.advanceTimersByTimeAsync(10 * tornMostMs)
    expect([reads, text()]).toEqual([liveLimits.unnamedReads, undefined])
  })

  test('is not forgotten for reads that failed, and looked for until one does not', async () => {
    streams.changed({ post: 2, run: 'r1', streaming: true })
    hear(0, 'abc')
    failing = true
    streams.doubt()
    await vi.advanceTimersByTimeAsync(10 * tornMostMs)
    expect(text()).toBe('abc')
    failing = false
    await vi.advanceTimersByTimeAsync(10 * tornMostMs)
    expect(text()).toBeUndefined()
  })
})

describe('a piece that does not come', () => {
  beforeEach(() => {
    vi.useFakeTimers()
    known = [{ post: 2, run: 'r1', epoch: 1, text: '' }]
  })
  afterEach(() => void vi.useRealTimers())

  test('is looked for less and less often, however many pieces follow', async () => {
    const seconds = 30
    for (let i = 0; i < seconds * 20; i++) {
      hear(10 + i, 'x')
      await vi.advanceTimersByTimeAsync(50)
    }
    // 100, 200, 400 … 3,000 ms, and from there on every 3 s.
    expect(reads).toBeGreaterThan(10)
    expect(reads).toBeLessThan(20)
  })

  test('is not looked for where the room was closed before', async () => {
    streams.close()
    hear(4, 'torn')
    await vi.advanceTimersByTimeAsync(10 * liveLimits.tornMostMs)
    expect(reads).toBe(0)
  })

  test('is looked for no more once the room is closed', async () => {
    hear(4, 'torn')
    streams.close()
    await vi.advanceTimersByTimeAsync(10 * liveLimits.tornMostMs)
    expect(reads).toBe(1)
    hear(2, 'torn', { run: 'r2', post: 3 })
    streams.doubt()
    await vi.advanceTimersByTimeAsync(10 * liveLimits.tornMostMs)
    expect(reads).toBe(1)
  })
})
