import { describe, expect, test, vi } from 'vitest'
import { guardedFetch, type Fetch } from '../../server/links/fetch.ts'
import { FetchError } from '../../server/links/guard.ts'
import { createLinkImages } from '../../server/links/image.ts'
import { imageType } from '../../server/links/image-type.ts'
import { linkLimits } from '../../server/links/limits.ts'
import { linkId } from '../../server/links/link-id.ts'
import { fetched, gatedFetch, useLinkDatabase } from '../helpers/link-database.ts'
import { loopbackParts, serveHttp } from '../helpers/link-server.ts'

const database = useLinkDatabase()
const page = 'https://site.example/'
const picture = 'https://cdn.example/a.png'
const bytes = (text: string) => Buffer.from(text, 'latin1')
const png = bytes('\x89PNG\r\n\x1a\nand so on')

async function store(url: string, image: string | null, state: 'found' | 'missing' | 'pending' = 'found') {
  const row = { id: linkId(url), url, state, image_url: image }
  await database.db.insertInto('links').values(row).execute()
  return row.id
}

const serving = (body: Uint8Array, type = 'image/png') =>
  vi.fn<Fetch>((url) => Promise.resolve(fetched(url, type, body)))

describe('kinds of images', () => {
  test.each([
    ['image/png', '\x89PNG\r\n\x1a\n....'],
    ['image/jpeg', '\xff\xd8\xff\xe0....'],
    ['image/gif', 'GIF87a....'],
    ['image/gif', 'GIF89a....'],
    ['image/webp', 'RIFF\x00\x01\x02\x03WEBPVP8 '],
    ['image/avif', '\0\0\0\x1cftypavif\0\0\0\0avifmif1'],
    ['image/avif', '\0\0\0\x20ftypmif1\0\0\0\0mif1avifmiaf'],
  ])('%s: %j', (type, start) => expect(imageType(bytes(start))).toBe(type))

  test.each([
    '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    '<?xml version="1.0"?><svg/>',
    '<html><script>alert(1)</script>',
    ' \x89PNG\r\n\x1a\n',
    'RIFF\x00\x01\x02\x03WAVE',
    '\0\0\0\x1cftypmp42\0\0\0\0isomavc1',
    '%PDF-1.7',
    'BM....',
    '',
  ])('none: %j', (start) => expect(imageType(bytes(start))).toBeNull())
})

describe('the proxy', () => {
  test('passes on the image of a link that was found, and remembers it', async () => {
    const id = await store(page, picture)
    const fetch = serving(png)
    const images = createLinkImages({ db: database.db, fetch })
    const image = (await images.read(id))!
    expect(image.type).toBe('image/png')
    expect(Buffer.from(image.bytes).equals(png)).toBe(true)
    await images.read(id)
    expect(fetch.mock.calls.map(([url]) => url)).toEqual([picture])
  })

  test('the bytes say what it is, whatever the server says', async () => {
    const id = await store(page, picture)
    const images = createLinkImages({
      db: database.db,
      fetch: serving(bytes('GIF89a'), 'application/octet-stream'),
    })
    expect(await images.read(id)).toMatchObject({ type: 'image/gif' })
  })

  test.each(['<svg onload=alert(1)>', '<script>alert(1)</script>', 'plain'])(
    'does not pass on %s',
    async (body) => {
      const id = await store(page, picture)
      expect(await createLinkImages({ db: database.db, fetch: serving(bytes(body)) }).read(id)).toBeNull()
    },
  )

  test('fetches nothing for what is no stored link, or has no image', async () => {
    const fetch = serving(png)
    const images = createLinkImages({ db: database.db, fetch })
    const without = await store('https://site.example/1', null)
    const pending = await store('https://site.example/2', picture, 'pending')
    const missing = await store('https://site.example/3', picture, 'missing')
    for (const id of [without, pending, missing, linkId(page), picture, '', '\0', "' or 1=1"]) {
      expect(await images.read(id)).toBeNull()
    }
    expect(fetch).not.toHaveBeenCalled()
  })

  test('a link that is found later gets its image at once', async () => {
    const images = createLinkImages({ db: database.db, fetch: serving(png) })
    expect(await images.read(linkId(page))).toBeNull()
    const id = await store(page, picture)
    expect(await images.read(id)).not.toBeNull()
  })

  test('many readers cost one fetch', async () => {
    const id = await store(page, picture)
    const gate = gatedFetch(serving(png))
    const images = createLinkImages({ db: database.db, fetch: gate.fetch })
    const reads = Array.from({ length: 50 }, () => images.read(id))
    await expect.poll(gate.waiting).toEqual([picture])
    gate.open()
    expect((await Promise.all(reads)).every((image) => image?.type === 'image/png')).toBe(true)
    expect(gate.asked).toEqual([picture])
  })

  test('a failure is not repeated for each reader, but not kept for long', async () => {
    const id = await store(page, picture)
    const fetch = serving(png)
    fetch.mockRejectedValueOnce(new FetchError('network', 'ECONNRESET'))
    let time = 1_000
    const images = createLinkImages({ db: database.db, fetch, now: () => time })
    expect(await images.read(id)).toBeNull()
    time += linkLimits.imageMissingMs - 1
    expect(await images.read(id)).toBeNull()
    expect(fetch).toHaveBeenCalledTimes(1)
    time += 2
    expect(await images.read(id)).not.toBeNull()
    time += linkLimits.imageCacheMs - 1
    expect(await images.read(id)).not.toBeNull()
    expect(fetch).toHaveBeenCalledTimes(2)
  })

  test('only so many are fetched at a time', async () => {
    const ids: string[] = []
    for (let i = 0; i < 10; i++)
      ids.push(await store(`https://site.example/${i}`, `https://cdn.example/${i}.png`))
    const gate = gatedFetch(serving(png))
    const images = createLinkImages({ db: database.db, fetch: gate.fetch })
    const reads = Promise.all(ids.map((id) => images.read(id)))
    for (let served = 0; served < ids.length; served += gate.waiting().length, gate.open()) {
      const expected = Math.min(linkLimits.imageFetches, ids.length - served)
      await expect.poll(gate.waiting).toHaveLength(expected)
    }
    expect((await reads).every((image) => image !== null)).toBe(true)
  })

  test('an image that is too large is none, announced or not', async () => {
    const server = await serveHttp((request, response) => {
      const body = Buffer.concat([png, Buffer.alloc(linkLimits.imageBytes)])
      const head = {
        'content-type': 'image/png',
        ...(request.url === '/told' && { 'content-length': body.length }),
      }
      response.writeHead(200, head).end(body)
    })
    const parts = loopbackParts(server.port)
    const fetch: Fetch = (url, options) => guardedFetch(parts, url, options)
    const images = createLinkImages({ db: database.db, fetch })
    for (const path of ['/told', '/untold']) {
      const id = await store(page + path, `http://cdn.example:${server.port}${path}`)
      expect(await images.read(id)).toBeNull()
    }
    expect(server.connections()).toBe(2)
    await server.idle()
    await server.close()
  })

  test('an image inside of our network is none', async () => {
    const server = await serveHttp((_request, response) =>
      response.writeHead(200, { 'content-type': 'image/png' }).end(png),
    )
    const fetch: Fetch = (url, options) => guardedFetch({ publicUrl: 'https://forum.example' }, url, options)
    const id = await store(page, `http://127.0.0.1:${server.port}/`)
    expect(await createLinkImages({ db: database.db, fetch }).read(id)).toBeNull()
    expect(server.connections()).toBe(0)
    await server.close()
  })
})
