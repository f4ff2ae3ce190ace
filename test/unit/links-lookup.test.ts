import { afterEach, describe, expect, test, vi } from 'vitest'
import type { Fetch } from '../../server/links/fetch.ts'
import { FetchError } from '../../server/links/guard.ts'
import { linkLimits } from '../../server/links/limits.ts'
import { linkId, normaliseUrl } from '../../server/links/link-id.ts'
import { ensureLinks } from '../../server/links/link-rows.ts'
import { createLinks, type Links, type LinksParts } from '../../server/links/links.ts'
import { createLookupQueue } from '../../server/links/lookup-queue.ts'
import { fetched, gatedFetch, useLinkDatabase } from '../helpers/link-database.ts'

const database = useLinkDatabase()
const found: Fetch = (url) =>
  Promise.resolve(fetched(url, 'text/html', `<title>Page ${new URL(url).pathname}</title>`))
const gone: Fetch = () => Promise.reject(new FetchError('status', '404', { status: 404 }))
const broken: Fetch = () => Promise.reject(new FetchError('network', 'ECONNRESET'))

const running: Links[] = []
afterEach(async () => {
  for (const links of running.splice(0)) await links.close()
})

function start(parts: Partial<LinksParts> = {}) {
  const onSettled = vi.fn<(id: string) => void>()
  const log = { info: vi.fn(), warn: vi.fn(), error: vi.fn() }
  const links = createLinks({ db: database.db, fetch: found, enabled: true, log, onSettled, ...parts })
  running.push(links)
  return { links, onSettled, log }
}

const row = (url: string) =>
  database.db.selectFrom('links').selectAll().where('id', '=', linkId(url)).executeTakeFirst()
const state = async (url: string) => (await row(url))?.state
const count = async (of: 'pending' | 'found' | 'missing') =>
  (await database.db.selectFrom('links').select('id').where('state', '=', of).execute()).length

const one = 'https://site.example/one'
const two = 'https://site.example/two'

describe('ids', () => {
  test.each([
    ['HTTPS://Site.Example:443/a#b', 'https://site.example/a'],
    ['http://site.example:80', 'http://site.example/'],
    ['http://site.example:8080/?#', 'http://site.example:8080/?'],
    ['https://bücher.example/ä b', 'https://xn--bcher-kva.example/%C3%A4%20b'],
    ['https://site.example/Case?Q=1', 'https://site.example/Case?Q=1'],
    ['http://999.999.999.999/', 'http://999.999.999.999/'],
    ['no\0address', 'noaddress'],
  ])('%s', (url, normal) => {
    expect(normaliseUrl(url)).toBe(normal)
    expect(linkId(url)).toBe(linkId(normal))
    expect(linkId(url)).toMatch(/^[\w-]{43}$/)
  })

  test('other addresses have other ids', () => {
    expect(new Set([one, two, `${one}?`, one.replace('https', 'http')].map(linkId)).size).toBe(4)
  })
})

describe('requests', () => {
  test('a link is known at once, looked up in the background, and told of once', async () => {
    const gate = gatedFetch(found)
    const { links, onSettled } = start({ fetch: gate.fetch })
    expect(await links.request([one])).toEqual([linkId(one)])
    expect(await state(one)).toBe('pending')
    expect(onSettled).not.toHaveBeenCalled()
    gate.open()
    await expect.poll(() => onSettled.mock.calls).toEqual([[linkId(one)]])
    expect(await row(one)).toMatchObject({
      url: one,
      state: 'found',
      title: 'Page /one',
      site: 'site.example',
      description: null,
      image_url: null,
      checked_at: expect.any(Date),
    })
  })

  test('ids come in the order of the addresses, spellings of one link as one', async () => {
    const { links } = start()
    const ids = await links.request([two, one, 'HTTPS://SITE.example/two#part'])
    expect(ids).toEqual([linkId(two), linkId(one), linkId(two)])
    expect(await links.request([])).toEqual([])
    await expect.poll(() => count('found')).toBe(2)
  })

  test('a link that is gone is missing', async () => {
    const { links, onSettled } = start({ fetch: gone })
    await links.request([one])
    await expect.poll(() => state(one)).toBe('missing')
    await expect.poll(() => onSettled.mock.calls).toEqual([[linkId(one)]])
  })

  test('what is no address is missing', async () => {
    const { links } = start({ fetch: () => Promise.reject(new FetchError('address', 'none')) })
    const bad = 'http://999.999.999.999/\0'
    await links.request([bad])
    await expect.poll(() => state(bad)).toBe('missing')
  })

  test('many who ask cost one fetch, and none once it is found', async () => {
    const gate = gatedFetch(found)
    const { links } = start({ fetch: gate.fetch })
    await Promise.all(Array.from({ length: 20 }, () => links.request([one])))
    gate.open()
    await expect.poll(() => state(one)).toBe('found')
    await links.request([one])
    expect(gate.asked).toEqual([one])
  })

  test('an error of `onSettled` is logged, and the next link is looked up', async () => {
    const onSettled = vi.fn(() => Promise.reject(new Error('bus')))
    const { links, log } = start({ onSettled })
    await links.request([one])
    await links.request([two])
    await expect.poll(() => log.error.mock.calls.length).toBe(2)
    expect(await count('found')).toBe(2)
  })
})

describe('a transaction of the caller', () => {
  test('rows come and go with it, and are looked up when told to', async () => {
    const { links } = start()
    const undone = database.db.transaction().execute(async (tx) => {
      await ensureLinks(tx, [one])
      throw new Error('undone')
    })
    await expect(undone).rejects.toThrow('undone')
    expect(await row(one)).toBeUndefined()

    const rows = await database.db.transaction().execute((tx) => ensureLinks(tx, [two]))
    expect(rows).toEqual([{ id: linkId(two), url: two, state: 'pending' }])
    links.lookUp(rows)
    await expect.poll(() => state(two)).toBe('found')
  })
})

describe('failures that may pass', () => {
  test('missing at once, found at the second try', async () => {
    let tries = 0
    const fetch: Fetch = (...args) => (++tries === 1 ? broken : found)(...args)
    const states: (string | undefined)[] = []
    const onSettled = async () => void states.push(await state(one))
    const { links } = start({ fetch, onSettled, retryMs: 1 })
    await links.request([one])
    await expect.poll(() => states).toEqual(['missing', 'found'])
  })

  test('there is no third try', async () => {
    let tries = 0
    const fetch: Fetch = (...args) => {
      tries++
      return broken(...args)
    }
    const { links, log, onSettled } = start({ fetch, retryMs: 1 })
    await links.request([one])
    await expect.poll(() => log.info.mock.calls.length).toBe(2)
    // Whatever a third try would be, it would come before this other link has had both of its own.
    await links.request([two])
    await expect.poll(() => log.info.mock.calls.length).toBe(4)
    expect(tries).toBe(4)
    expect(onSettled.mock.calls).toEqual([[linkId(one)], [linkId(two)]])
  })
})

describe('without the outside', () => {
  test('links are missing from the beginning, and nothing is fetched', async () => {
    const fetch = vi.fn(found)
    const { links, onSettled } = start({ fetch, enabled: false })
    expect(await links.request([one])).toEqual([linkId(one)])
    expect(await state(one)).toBe('missing')
    expect(onSettled).not.toHaveBeenCalled()
    expect(fetch).not.toHaveBeenCalled()
  })

  test('those that waited are given up', async () => {
    await ensureLinks(database.db, [one, two])
    const { links, onSettled } = start({ enabled: false })
    await links.resume()
    expect(await count('missing')).toBe(2)
    expect(onSettled.mock.calls.flat().toSorted()).toEqual([linkId(one), linkId(two)].toSorted())
  })
})

describe('stopping and starting', () => {
  test('close breaks off what runs; its row is looked up by the next process', async () => {
    const gate = gatedFetch(found)
    const first = start({ fetch: gate.fetch })
    await first.links.request([one])
    await expect.poll(gate.waiting).toEqual([one])
    await first.links.close()
    expect(await state(one)).toBe('pending')
    expect(first.onSettled).not.toHaveBeenCalled()

    const second = start()
    await second.links.resume()
    await expect.poll(() => second.onSettled.mock.calls).toEqual([[linkId(one)]])
    expect(await state(one)).toBe('found')
  })

  test('of two nodes that look up one link, one settles it', async () => {
    const gate = gatedFetch(found)
    const nodes = [start({ fetch: gate.fetch }), start({ fetch: gate.fetch })]
    for (const { links } of nodes) await links.request([one])
    await expect.poll(gate.waiting).toHaveLength(2)
    gate.open()
    await expect.poll(() => state(one)).toBe('found')
    for (const { links } of nodes) await links.close()
    expect(nodes.flatMap(({ onSettled }) => onSettled.mock.calls)).toEqual([[linkId(one)]])
  })

  test('more links than the queue holds are all looked up', async () => {
    const urls = Array.from({ length: linkLimits.queue + 50 }, (_, i) => `https://host${i}.example/`)
    const { links } = start()
    await links.request(urls)
    await expect.poll(() => count('found'), { timeout: 25_000, interval: 200 }).toBe(urls.length)
  })
})

describe('the queue', () => {
  const limits = { atOnce: 3, perHost: 2, waiting: 4 }

  function jobs() {
    const running: string[] = []
    const ends = new Map<string, () => void>()
    const job = (key: string, host: string) => ({
      key,
      host,
      async run() {
        running.push(key)
        await new Promise<void>((resolve) => ends.set(key, resolve))
        running.splice(running.indexOf(key), 1)
      },
    })
    return { running, job, end: (key: string) => ends.get(key)!() }
  }

  test('so many at a time, so many to one host; the others wait their turn', async () => {
    const { running, job, end } = jobs()
    const queue = createLookupQueue(limits, () => {})
    for (const key of ['a1', 'a2', 'a3', 'b1', 'b2']) queue.add(job(key, key[0]!))
    expect(running).toEqual(['a1', 'a2', 'b1'])
    end('b1')
    await expect.poll(() => running).toEqual(['a1', 'a2', 'b2'])
    end('a2')
    await expect.poll(() => running).toEqual(['a1', 'b2', 'a3'])
  })

  test('a full queue takes no more, but knows what it has', () => {
    const { job } = jobs()
    const queue = createLookupQueue(limits, () => {})
    const taken = Array.from({ length: 8 }, (_, i) => queue.add(job(String(i), String(i))))
    expect(taken).toEqual([true, true, true, true, true, true, true, false])
    expect(queue.add(job('0', '0'))).toBe(true)
    expect(queue.add(job('6', '6'))).toBe(true)
  })

  test('it tells when nothing is left, and not before', async () => {
    const { running, job, end } = jobs()
    const onIdle = vi.fn()
    const queue = createLookupQueue(limits, onIdle)
    queue.add(job('a', 'a'))
    queue.add(job('b', 'b'))
    end('a')
    await expect.poll(() => running).toEqual(['b'])
    expect(onIdle).not.toHaveBeenCalled()
    end('b')
    await expect.poll(() => onIdle.mock.calls.length).toBe(1)
  })
})
