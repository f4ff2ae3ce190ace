import { afterEach, describe, expect, test } from 'vitest'
import {
  createArticleWorkers,
  type ArticleWorkers,
  type WorkerLimits,
} from '../../server/links/article-workers.ts'
import { articleLimits } from '../../server/links/limits.ts'

const running: ArticleWorkers[] = []
afterEach(async () => {
  for (const workers of running.splice(0)) await workers.close()
})

function start(limits?: Partial<WorkerLimits>): ArticleWorkers {
  const workers = createArticleWorkers(limits)
  running.push(workers)
  return workers
}

const never = new AbortController().signal
const raw = (html: string) => ({
  type: 'text/html',
  charset: undefined,
  bytes: new Uint8Array(Buffer.from(html)),
  name: 'page',
})
/** Takes a worker a good while. */
const long = '<p>some words, and more words, and more</p>'.repeat(9_000)

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

describe('workers', () => {
  test('are made when there is something to read, and used again', async () => {
    const workers = start()
    expect(workers.pids).toEqual([])
    expect((await workers.extract(raw('<p>One'), never)).sections[0]!.text).toBe('One')
    const [pid] = workers.pids
    expect((await workers.extract(raw('<p>Two'), never)).sections[0]!.text).toBe('Two')
    await expect(workers.extract(raw(''), never)).rejects.toMatchObject({ failure: 'no-text' })
    expect(workers.pids).toEqual([pid])
    expect(pid).not.toBe(process.pid)
  })

  test('end when nothing came for a while', async () => {
    const workers = start({ idleMs: 20 })
    await workers.extract(raw('<p>One'), never)
    const [pid] = workers.pids
    await expect.poll(() => workers.pids).toEqual([])
    expect(isAlive(pid!)).toBe(false)
    expect((await workers.extract(raw('<p>Two'), never)).sections[0]!.text).toBe('Two')
  })

  test('are only so many at a time', async () => {
    const workers = start()
    const reading = Array.from({ length: 5 }, (_, at) => workers.extract(raw(`<p>Number ${at}`), never))
    await expect.poll(() => workers.pids.length).toBe(articleLimits.workers)
    const texts = await Promise.all(reading)
    expect(texts.map(({ sections }) => sections[0]!.text)).toEqual(
      [0, 1, 2, 3, 4].map((at) => `Number ${at}`),
    )
    expect(workers.pids).toHaveLength(articleLimits.workers)
  })

  test('are ended when nobody wants their page any more', async () => {
    const workers = start()
    const leaving = new AbortController()
    const reading = workers.extract(raw(long), leaving.signal)
    await expect.poll(() => workers.pids.length).toBe(1)
    const [pid] = workers.pids
    leaving.abort(new Error('left'))
    await expect(reading).rejects.toThrow('left')
    expect(workers.pids).toEqual([])
    expect(isAlive(pid!)).toBe(false)
  })

  test('that die are replaced', async () => {
    const workers = start()
    await workers.extract(raw('<p>One'), never)
    const [pid] = workers.pids
    process.kill(pid!, 'SIGKILL')
    await expect.poll(() => workers.pids).toEqual([])
    expect((await workers.extract(raw('<p>Two'), never)).sections[0]!.text).toBe('Two')
    // And one that dies at work fails its page only.
    const reading = workers.extract(raw(long), never)
    process.kill(workers.pids[0]!, 'SIGKILL')
    await expect(reading).rejects.toMatchObject({ failure: 'complex' })
    expect((await workers.extract(raw('<p>Three'), never)).sections[0]!.text).toBe('Three')
  })

  test('end with the server', async () => {
    const workers = start()
    await workers.extract(raw('<p>One'), never)
    const reading = [workers.extract(raw(long), never), workers.extract(raw(long), never)]
    const ended = Promise.allSettled(reading)
    const pids = workers.pids
    await workers.close()
    expect((await ended).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(pids.length).toBeGreaterThan(0)
    expect(pids.filter(isAlive)).toEqual([])
    await expect(workers.extract(raw('<p>Two'), never)).rejects.toThrow('closed')
  })
})
