import { afterEach, describe, expect, test } from 'vitest'
import { guardedFetch, type Fetch } from '../../server/links/fetch.ts'
import { linkLimits } from '../../server/links/limits.ts'
import { readPreview, type Preview } from '../../server/links/preview.ts'
import { cleanText } from '../../server/links/text.ts'
import { loopbackParts, serveHttp, type LinkServer } from '../helpers/link-server.ts'

/** A fetch that answers with `body`, in pieces of `size` bytes. */
function answering(body: string | Uint8Array, type = 'text/html', charset?: string, size = 100): Fetch {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body
  return (url) =>
    Promise.resolve({
      url: new URL(url),
      type,
      charset,
      announcedBytes: undefined,
      body: pieces(bytes, size),
      close: () => {},
    })
}

async function* pieces(bytes: Uint8Array, size: number) {
  for (let at = 0; at < bytes.byteLength; at += size)
    yield await Promise.resolve(bytes.subarray(at, at + size))
}

const url = 'https://www.site.example/essays/one.html?x=1'
const preview = async (html: string | Uint8Array, charset?: string): Promise<Preview> =>
  (await readPreview({ fetch: answering(html, 'text/html', charset) }, url))!

describe('pages', () => {
  test('OpenGraph comes before the rest', async () => {
    const html = `<!doctype html><html><head>
      <title>Plain title</title>
      <meta name="description" content="Plain description">
      <meta name="twitter:title" content="Twitter title">
      <meta property="og:title" content="Open title">
      <meta property="og:site_name" content="The Site">
      <meta property="og:description" content="Open description">
      <meta property="og:image" content="/pictures/a.png">
      <meta property="og:image" content="/pictures/b.png">
    </head><body></body></html>`
    expect(await preview(html)).toEqual({
      title: 'Open title',
      site: 'The Site',
      description: 'Open description',
      imageUrl: 'https://www.site.example/pictures/a.png',
    })
  })

  test('Twitter cards come before plain metadata', async () => {
    const html = `<title>Plain</title><meta name=description content=Plain><meta name=twitter:title content=Bird>
      <meta name=twitter:description content="Bird's"><meta name=twitter:image content=//cdn.example/i.jpg>`
    expect(await preview(html)).toEqual({
      title: 'Bird',
      site: 'site.example',
      description: "Bird's",
      imageUrl: 'https://cdn.example/i.jpg',
    })
  })

  test('plain metadata, entities decoded once, white space folded', async () => {
    const html = `<HEAD><TITLE>
      Tom &amp; Jerry&nbsp;&#8212; &amp;lt;b&amp;gt; </TITLE><META NAME=" Description " CONTENT="a &quot;b&quot;
      c">`
    expect(await preview(html)).toEqual({
      title: 'Tom & Jerry — &lt;b&gt;',
      site: 'site.example',
      description: 'a "b" c',
      imageUrl: null,
    })
  })

  test('a page that says nothing is named by its address', async () => {
    expect(await preview('<p>Hello')).toEqual({
      title: 'one.html',
      site: 'site.example',
      description: null,
      imageUrl: null,
    })
  })

  test('empty metadata gives way to what says something', async () => {
    const html = '<meta property=og:title content=" "><meta property=og:image content=""><title>Real</title>'
    expect(await preview(html)).toMatchObject({ title: 'Real', imageUrl: null })
  })

  test('relative images resolve against the base of the page', async () => {
    const html = '<base href="https://cdn.example/files/"><meta property=og:image content="a b.png">'
    expect(await preview(html)).toMatchObject({ imageUrl: 'https://cdn.example/files/a%20b.png' })
  })

  test.each(['</head>', '<body>', '<main>', '<p>'])('nothing is read beyond %s', async (end) => {
    let read = 0
    async function* body() {
      yield Buffer.from(`<head><title>Head</title>${' '.repeat(linkLimits.charsetBytes)}${end}`)
      for (;;) {
        read++
        yield await Promise.resolve(Buffer.from('<meta property=og:title content=Body>'))
      }
    }
    const fetch: Fetch = async (address) => ({ ...(await answering('')(address, anything)), body: body() })
    expect(await readPreview({ fetch }, url)).toMatchObject({ title: 'Head' })
    expect(read).toBe(0)
  })

  test.each([1, 2, 3, 7, 10_000])('pieces of %i bytes make no difference', async (size) => {
    const html =
      '<meta charset=utf-8><title>Ünïcödé 🎉 &eacute;</title><meta property=og:image content=/i.png>'
    const fetch = answering(html, 'text/html', undefined, size)
    expect(await readPreview({ fetch }, url)).toMatchObject({
      title: 'Ünïcödé 🎉 é',
      imageUrl: 'https://www.site.example/i.png',
    })
  })
})

describe('hostile pages', () => {
  test('markup in metadata stays text', async () => {
    const html = `<meta property="og:title" content="<script>alert(1)</script>"><title>x</title>
      <meta name=description content='"><img src=x onerror=alert(1)>'>`
    expect(await preview(html)).toMatchObject({
      title: '<script>alert(1)</script>',
      description: '"><img src=x onerror=alert(1)>',
    })
  })

  test('tags inside of a title, a script, a style or a comment are not tags', async () => {
    const html = `<!-- <meta property=og:title content=comment> -->
      <script>document.write('<meta property=og:title content=script>')</script>
      <style><meta property=og:title content=style></style>
      <title><meta property=og:title content=inner></title>`
    expect(await preview(html)).toMatchObject({ title: '<meta property=og:title content=inner>' })
  })

  test('the title of a drawing is not the title of the page', async () => {
    expect(await preview('<svg><title>Icon</title></svg><title>Page</title>')).toMatchObject({
      title: 'Page',
    })
  })

  test.each([
    'javascript:alert(1)',
    'JaVaScRiPt:alert(1)',
    ' java\nscript:alert(1)',
    'data:image/png;base64,AAAA',
    'file:///etc/passwd',
    'ftp://site.example/a.png',
    'blob:https://site.example/1',
    'https://user:secret@site.example/a.png',
    'http://[',
    'https://999.999.999.999/a.png',
    `https://site.example/${'a'.repeat(3_000)}`,
  ])('no image: %s', async (image) => {
    const fetch = answering(`<title>x</title><meta property="og:image" content="${image}">`)
    expect(await readPreview({ fetch }, url)).toMatchObject({ title: 'x', imageUrl: null })
  })

  test.each(['javascript:alert(1)', 'data:text/html,x', 'http://['])(
    'a base of %s leads to no such image',
    async (base) => {
      const { imageUrl } = await preview(`<base href="${base}"><meta property=og:image content="a.png">`)
      expect(imageUrl === null || imageUrl.startsWith('https://www.site.example/')).toBe(true)
    },
  )

  test('huge metadata is cut', async () => {
    const huge = 'a'.repeat(500_000)
    const found = await preview(
      `<meta property=og:title content="${huge}"><meta property=og:description content="${huge}">
       <meta property=og:site_name content="${huge}">`,
    )
    expect(found.title).toHaveLength(linkLimits.titleMax)
    expect(found.description).toHaveLength(linkLimits.descriptionMax)
    expect(found.site).toHaveLength(linkLimits.siteMax)
    expect(found.title.endsWith('a…')).toBe(true)
  })

  test('nothing is read of tags that nest beyond reason: the parser would take quadratic time', async () => {
    let read = 0
    async function* body() {
      for (let piece = '<title>Deep</title>'; read < 60; piece = '<li><ul>'.repeat(2_000)) {
        read++
        yield await Promise.resolve(Buffer.from(piece))
      }
    }
    const fetch: Fetch = async (address) => ({ ...(await answering('')(address, anything)), body: body() })
    expect(await readPreview({ fetch }, url)).toMatchObject({ title: 'Deep' })
    expect(read).toBe(2)
  })

  test('many tags and an endless title end', async () => {
    const tags =
      '<meta property=og:title content=first>' + '<meta name=a content=b><div></div>'.repeat(30_000)
    expect(await preview(tags)).toMatchObject({ title: 'first' })
    expect(await preview(`<title>${'word '.repeat(50_000)}`)).toMatchObject({
      title: expect.stringMatching(/^word.*…$/),
    })
  })

  test('NUL, controls, direction overrides and lone surrogates are gone', async () => {
    const html = '<title>a\u0000b\u0007c\u202ed\u2066e\u200bf\ufeffg&#x202e;h&#0;i&#xd800;j</title>'
    const { title } = await preview(html)
    expect(title).toMatch(/^abcdefgh\ufffdi\ufffdj$/)
  })
})

describe('charsets', () => {
  const latin = (html: string) => Buffer.from(html, 'latin1')

  test('the header decides', async () => {
    expect(await preview(latin('<meta charset=utf-8><title>café</title>'), 'iso-8859-1')).toMatchObject({
      title: 'café',
    })
  })

  test.each([
    '<meta charset="windows-1252">',
    "<meta charset='ISO-8859-1'>",
    '<META HTTP-EQUIV="Content-Type" CONTENT="text/html; charset=latin1">',
  ])('then the page: %s', async (meta) => {
    expect(await preview(latin(`${meta}<title>café</title>`))).toMatchObject({ title: 'café' })
  })

  test('else it is UTF-8', async () => {
    expect(await preview('<title>café</title>')).toMatchObject({ title: 'café' })
  })

  test('a byte order mark comes before the header', async () => {
    const marked = Buffer.concat([
      Buffer.from([0xff, 0xfe]),
      Buffer.from('<title>naïve ☃</title>', 'utf16le'),
    ])
    expect(await preview(marked, 'iso-8859-1')).toMatchObject({ title: 'naïve ☃' })
    const utf8 = Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from('<title>naïve</title>')])
    expect(await preview(utf8, 'iso-8859-1')).toMatchObject({ title: 'naïve' })
  })

  test('Japanese', async () => {
    const bytes = Buffer.concat([
      Buffer.from('<title>'),
      Buffer.from([0x93, 0xfa, 0x96, 0x7b]),
      Buffer.from('</title>'),
    ])
    expect(await preview(bytes, 'shift_jis')).toMatchObject({ title: '日本' })
  })

  test.each(['utf-7', 'no-such-charset', 'utf-16', ''])(
    'a page that claims %j is read as UTF-8',
    async (label) => {
      const html = `<meta charset="${label}"><title>+ADw-script+AD4- café</title>`
      expect(await preview(html)).toMatchObject({ title: '+ADw-script+AD4- café' })
    },
  )

  test('broken bytes do not break the page', async () => {
    const bytes = Buffer.concat([
      Buffer.from('<title>a'),
      Buffer.from([0xc3, 0x28, 0xff]),
      Buffer.from('b</title>'),
    ])
    expect(await preview(bytes)).toMatchObject({ title: 'a\ufffd(\ufffdb' })
  })
})

describe('files', () => {
  const card = (address: string, type: string) => readPreview({ fetch: answering('', type) }, address)

  test('a PDF is named by its file', async () => {
    expect(await card('https://arxiv.example/pdf/On%20Trees.pdf?download=1', 'application/pdf')).toEqual({
      title: 'On Trees.pdf',
      site: 'arxiv.example',
      description: null,
      imageUrl: null,
    })
  })

  test('an image is its own picture', async () => {
    expect(await card('https://cdn.example/a/b.png', 'image/png')).toMatchObject({
      title: 'b.png',
      imageUrl: 'https://cdn.example/a/b.png',
    })
  })

  test('names that cannot be decoded, or are none', async () => {
    expect(await card('https://site.example/%E0%A4%A.txt', 'text/plain')).toMatchObject({
      title: '%E0%A4%A.txt',
    })
    expect(await card('https://site.example/%00%E2%80%AE', 'text/plain')).toMatchObject({
      title: 'site.example',
    })
    expect(await card('https://site.example/', 'text/plain')).toMatchObject({ title: 'site.example' })
  })
})

describe('what is not found', () => {
  const servers: LinkServer[] = []
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.close()
  })

  async function look(status: number, type = 'text/html') {
    const server = await serveHttp((_request, response) => {
      response.writeHead(status, { 'content-type': type }).end('<title>Hello</title>')
    })
    servers.push(server)
    const parts = loopbackParts(server.port)
    const fetch: Fetch = (address, options) => guardedFetch(parts, address, options)
    return await readPreview({ fetch }, `http://site.example:${server.port}/`)
  }

  test('a page is found', async () => expect(await look(200)).toMatchObject({ title: 'Hello' }))

  test.each([401, 403, 404, 410, 451])('status %i is nothing', async (status) =>
    expect(await look(status)).toBeNull(),
  )

  test.each([429, 500, 503])('status %i may pass', async (status) => {
    await expect(look(status)).rejects.toMatchObject({ reason: 'status', status })
  })

  test('an executable is nothing', async () => expect(await look(200, 'application/x-msdownload')).toBeNull())

  test('a refused address is nothing', async () => {
    const fetch: Fetch = (address, options) =>
      guardedFetch({ publicUrl: 'https://forum.example' }, address, options)
    expect(await readPreview({ fetch }, 'http://169.254.169.254/latest/meta-data/')).toBeNull()
  })
})

describe('clean text', () => {
  test('keeps joiners that emoji and scripts need', () => {
    expect(cleanText('👩‍🚀 می‌خواهم', 100)).toBe('👩‍🚀 می‌خواهم')
  })

  test('never cuts a character in half', () => {
    expect(cleanText('🎉'.repeat(10), 4)).toBe('🎉…')
    expect(cleanText('🎉'.repeat(10), 5)).toBe('🎉🎉…')
  })

  test('nothing is null', () => {
    expect(cleanText(undefined, 10)).toBeNull()
    expect(cleanText(' \u0000\u202e\n', 10)).toBeNull()
  })
})

const anything = { types: [], maxBytes: 0 }
