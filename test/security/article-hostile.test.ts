import zlib from 'node:zlib'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import type { ExtractedText } from '../../server/links/article-extract.ts'
import { Unreadable } from '../../server/links/article-failure.ts'
import { fetchPage } from '../../server/links/article-fetch.ts'
import { createArticleWorkers, type ArticleWorkers } from '../../server/links/article-workers.ts'
import { guardedFetch, type Fetch } from '../../server/links/fetch.ts'
import { articleLimits } from '../../server/links/limits.ts'
import { loopbackParts, serveHttp, type LinkServer } from '../helpers/link-server.ts'
import { deflatedSpaces, pdfOf, pdfOfPages, pdfText, type PdfObject } from '../helpers/pdf.ts'

// Time enough for a loaded machine: what ends here by itself takes a second or two.
const workers = createArticleWorkers({ extractMs: 60_000 })
const hasty = createArticleWorkers({ extractMs: 4_000 })
afterAll(() => Promise.all([workers.close(), hasty.close()]))

const never = new AbortController().signal
const full = articleLimits.pageBytes

function read(
  body: string | Uint8Array,
  type = 'text/html',
  by: ArticleWorkers = workers,
): Promise<ExtractedText> {
  return by.extract(
    { type, charset: undefined, bytes: new Uint8Array(Buffer.from(body as string)), name: 'page' },
    never,
  )
}

/** Why the page could not be read, and what the worker's end was. */
async function failureOf(reading: Promise<unknown>): Promise<[failure: string, detail: string]> {
  const error = await reading.then(
    () => undefined,
    (error: unknown) => error,
  )
  if (!(error instanceof Unreadable)) throw error ?? new Error('it could be read')
  return [error.failure, error.cause instanceof Error ? error.cause.message : '']
}

/** After whatever happened, the next page is read as ever. */
async function expectSane(): Promise<void> {
  expect((await read('<p>Hello')).sections).toEqual([{ heading: null, text: 'Hello' }])
}

const filled = (piece: string, size = full) => piece.repeat(Math.floor(size / piece.length))

describe('five megabytes of HTML', () => {
  test.each([
    ['div in div', '<div>', ''],
    ['lists in lists', '<li><ul>', ''],
    ['text in ever deeper elements', '<div>x', 'x'],
    ['tables in tables', '<table><tr><td>a<td>', 'a'],
    ['short paragraphs', '<p>a b, c', 'a b, c'],
    ['line breaks', 'x<br>\n', 'x'],
    ['less-than signs', '<', '<<<'],
    ['beginnings of tags', '<a', ''],
    ['comments that begin', '<!--', ''],
    ['headings', '<h1>a</h1>', ''],
    ['formulas', '<math><mi>x</mi></math>', 'x'],
  ])('%s', async (_what, piece, words) => {
    const text = await read(filled(piece)).catch((error: Unreadable) => error.failure)
    if (words === '') expect(text).toBe('no-text')
    else expect((text as ExtractedText).sections[0]!.text).toContain(words)
  })

  test.each([
    ['one tag with a million attributes', `<p ${filled('a=b ', full - 20)}>x`, 'x'],
    ['one endless style', `<p style="${filled('a:b;', full - 20)}">x`, 'x'],
    ['an endless style sheet', `<style>${filled('.a{display:none}', full - 40)}</style><p>x`, 'x'],
    ['a style sheet that never closes', `<style>${filled('{', full - 40)}</style><p>x`, 'x'],
    ['white space', `<p>${filled(' \n\t', full - 10)}x`, 'x'],
    ['code of white space', `<pre>${filled('\n \t', full - 10)}x`, 'x'],
    ['quotations in each other', `${'<blockquote>'.repeat(250)}${filled('x<br>', full - 9_000)}`, '> x'],
  ])('%s', async (_what, html, words) => {
    expect((await read(html)).sections[0]!.text).toContain(words)
  })

  test('texts after too deep a nesting are not lost', async () => {
    const text = await read(`<p>before${'<font>'.repeat(3_000)}<p>after${'</font>'.repeat(3_000)}<p>end`)
    expect(text.sections).toEqual([{ heading: null, text: 'before\n\nafter\n\nend' }])
  })

  test('what takes all of a worker’s memory ends the worker', async () => {
    expect(await failureOf(read(filled('&')))).toEqual(['complex', 'the worker ended with SIGABRT'])
    await expectSane()
  })
})

describe('five megabytes of text', () => {
  test.each([
    ['a line', 'text/plain', filled('x')],
    ['hash signs', 'text/markdown', filled('#')],
    ['spaces before a word', 'text/markdown', `# a${filled(' ', full - 10)}b`],
    ['marks that cannot be seen', 'text/plain', `x${filled('\u200b\u{e0041}', full / 3)}`],
  ])('%s', async (_what, type, text) => {
    const length = (await read(text, type)).sections.reduce((sum, { text }) => sum + text.length, 0)
    expect(length).toBeLessThanOrEqual(articleLimits.textMax)
  })
})

describe('PDFs', () => {
  const form = (resources: string, content: string): PdfObject => ({
    value: `<< /Type /XObject /Subtype /Form /BBox [0 0 612 792] /Resources << /Font << /F1 3 0 R >> ${resources} >> >>`,
    stream: Buffer.from(content),
  })

  test('a few kilobytes that become gigabytes end the worker before they do', async () => {
    const bomb = deflatedSpaces(200 * 1024 * 1024)
    const contents = pdfOf([
      { value: '<< /Type /Catalog /Pages 2 0 R >>' },
      { value: '<< /Type /Pages /Kids [3 0 R] /Count 1 >>' },
      { value: `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents [${'4 0 R '.repeat(40)}] >>` },
      bomb,
    ])
    expect(contents.byteLength).toBeLessThan(1024 * 1024)
    expect(await failureOf(read(contents, 'application/pdf'))).toEqual([
      'complex',
      'the worker ended with SIGKILL',
    ])
    await expectSane()
  })

  test('forms that show forms that show forms run out of time', async () => {
    const levels = Array.from({ length: 9 }, (_, level) =>
      form(`/XObject << /X ${6 + level} 0 R >>`, '/X Do '.repeat(40)),
    )
    const last = form('', 'BT /F1 12 Tf 1 0 0 1 72 700 Tm (again) Tj ET')
    const pdf = pdfOfPages(['/X Do '.repeat(40)], {
      resources: '/XObject << /X 5 0 R >>',
      objects: [...levels, last],
    })
    expect(await failureOf(read(pdf, 'application/pdf', hasty))).toEqual(['slow', ''])
    expect(hasty.pids).toEqual([])
    await expectSane()
  })

  test('a form that shows itself', async () => {
    const self = form('/XObject << /X 5 0 R >>', 'BT /F1 12 Tf 1 0 0 1 72 700 Tm (once) Tj ET /X Do')
    const pdf = pdfOfPages(['/X Do'], { resources: '/XObject << /X 5 0 R >>', objects: [self] })
    expect((await read(pdf, 'application/pdf')).sections[0]!.text).toContain('once')
  })

  test.each([
    ['a tree of pages in a circle', '<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 9999 >>', 'broken-pdf'],
    [
      'two thousand million pages that are not there',
      '<< /Type /Pages /Kids [] /Count 2000000000 >>',
      'no-text-pdf',
    ],
  ])('%s', async (_what, value, failure) => {
    const pdf = pdfOf([{ value: '<< /Type /Catalog /Pages 2 0 R >>' }, { value }])
    expect((await failureOf(read(pdf, 'application/pdf')))[0]).toBe(failure)
  })

  test('a table of objects that leads back to itself', async () => {
    const whole = Buffer.from(pdfOfPages([pdfText([['Words']])])).toString('latin1')
    const circle = whole.replace('/Info', `/Prev ${whole.lastIndexOf('xref\n0')} /Info`)
    expect((await read(Buffer.from(circle, 'latin1'), 'application/pdf')).sections[0]!.text).toBe('Words')
  })

  test('brackets in brackets, and nothing but beginnings of objects', async () => {
    const deep = pdfOf([{ value: `<< /Type /Catalog /Pages 2 0 R /X ${'['.repeat(1_000_000)} >>` }])
    expect((await failureOf(read(deep, 'application/pdf')))[0]).toBe('broken-pdf')
    const begun = `%PDF-1.7\n${filled('1 0 obj << ')}`
    expect((await failureOf(read(begun, 'application/pdf', hasty)))[0]).toBe('slow')
    expect(hasty.pids).toEqual([])
    await expectSane()
  })

  test('endless pages end at the limits', async () => {
    const page = pdfText(
      Array.from({ length: 45 }, () => ['a line of words that fills some of the page and says nothing']),
    )
    const text = await read(pdfOfPages(Array.from({ length: 1_500 }, () => page)), 'application/pdf')
    const length = text.sections.reduce((sum, { text }) => sum + text.length, 0)
    expect(length).toBeLessThanOrEqual(articleLimits.textMax)
    expect(length).toBeGreaterThan(articleLimits.textMax * 0.9)
    expect(text.sections.length).toBeLessThanOrEqual(articleLimits.sections)
  })
})

describe('answers that do not end', () => {
  let server: LinkServer | undefined
  afterEach(() => server?.close())

  async function fetchFrom(handler: Parameters<typeof serveHttp>[0]) {
    server = await serveHttp(handler)
    const parts = loopbackParts(server.port)
    const fetch: Fetch = (url, options) => guardedFetch(parts, url, options)
    return fetchPage(fetch, `http://site.example:${server.port}/page`, never)
  }

  test('a page without end is too large', async () => {
    const fetching = fetchFrom((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/html' })
      const more = () => {
        while (!response.destroyed && response.write('<p>and so on</p>'.repeat(1_000)));
        if (!response.destroyed) response.once('drain', more)
      }
      more()
    })
    await expect(fetching).rejects.toMatchObject({ reason: 'too-large' })
    await server!.idle()
  })

  test('a compressed bomb is too large', async () => {
    const bomb = zlib.gzipSync(Buffer.alloc(60 * 1024 * 1024, '<div>'))
    const fetching = fetchFrom((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/html', 'content-encoding': 'gzip' }).end(bomb)
    })
    await expect(fetching).rejects.toMatchObject({ reason: 'too-large' })
  })

  test('HTML may not be as large as a PDF', async () => {
    const size = full + 1
    expect(size).toBeLessThan(articleLimits.pdfBytes)
    let type = 'text/html'
    const handler: Parameters<typeof serveHttp>[0] = (_request, response) => {
      response.writeHead(200, { 'content-type': type, 'content-length': size }).end(Buffer.alloc(size, ' '))
    }
    await expect(fetchFrom(handler)).rejects.toMatchObject({ reason: 'too-large' })
    await server!.close()
    type = 'application/pdf'
    expect((await fetchFrom(handler)).bytes.byteLength).toBe(size)
  })
})
