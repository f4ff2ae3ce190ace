import type http from 'node:http'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import {
  ArticleError,
  createArticles,
  type Articles,
  type ArticlesParts,
} from '../../server/links/articles.ts'
import { guardedFetch, type FetchParts } from '../../server/links/fetch.ts'
import { articleLimits } from '../../server/links/limits.ts'
import { linkId } from '../../server/links/link-id.ts'
import { loopbackParts, serveHttp, type LinkServer } from '../helpers/link-server.ts'
import { pdfOfPages, pdfText } from '../helpers/pdf.ts'
import { describeStores } from '../helpers/store.ts'

const never = new AbortController().signal

describeStores('articles', (store) => {
  let server: LinkServer
  /** What the server answers to any path, and how often it was asked for which. */
  let answer: http.RequestListener
  let asked: string[]
  /** One for all tests, because workers take a while to start. */
  let articles: Articles
  const others: Articles[] = []

  beforeAll(async () => {
    server = await serveHttp((request, response) => {
      asked.push(request.url!)
      answer(request, response)
    })
    articles = start()
  })
  beforeEach(async () => {
    asked = []
    answer = html('<title>Page</title><h2>First</h2><p>One.</p><h2>Second</h2><p>Two.</p>')
    await store.db.deleteFrom('articles').execute()
  })
  afterEach(async () => {
    for (const each of others.splice(0)) await each.close()
  })
  afterAll(async () => {
    await articles.close()
    await server.close()
  })

  function start(more: Partial<ArticlesParts> = {}, fetchParts: Partial<FetchParts> = {}): Articles {
    return createArticles({
      // Read each time: the database is opened after the tests are collected.
      get db() {
        return store.db
      },
      fetch: (url, options) => guardedFetch({ ...loopbackParts(server.port), ...fetchParts }, url, options),
      log: { info: () => {}, error: () => {} },
      enabled: true,
      ...more,
    })
  }

  /** Another node on the same database. */
  function another(...more: Parameters<typeof start>): Articles {
    const made = start(...more)
    others.push(made)
    return made
  }

  let pages = 0
  /** An address that nobody has asked for. */
  const newUrl = () => `http://site.example:${server.port}/page-${++pages}.html`
  const send =
    (type: string, body: string | Uint8Array, status = 200): http.RequestListener =>
    (_request, response) =>
      void response.writeHead(status, { 'content-type': type }).end(body)
  const html = (body: string) => send('text/html; charset=utf-8', body)
  const row = (url: string) =>
    store.db.selectFrom('articles').selectAll().where('url_hash', '=', linkId(url)).executeTakeFirst()
  const makeOld = (url: string) =>
    store.db
      .updateTable('articles')
      .set({ fetched_at: new Date(Date.now() - articleLimits.freshMs - 1_000) })
      .where('url_hash', '=', linkId(url))
      .execute()

  describe('reading', () => {
    test('fetches a page once and keeps its text, for all nodes', async () => {
      const url = newUrl()
      const article = await articles.read(url, never)
      expect(article).toEqual({
        url,
        title: 'Page',
        hash: expect.stringMatching(/^[0-9a-f]{64}$/),
        sections: [
          { heading: 'First', text: 'One.' },
          { heading: 'Second', text: 'Two.' },
        ],
      })
      expect(await articles.read(url, never)).toEqual(article)
      expect(await another().read(url, never)).toEqual(article)
      expect(asked).toHaveLength(1)
      expect(await row(url)).toMatchObject({
        url,
        title: 'Page',
        hash: article.hash,
        sections: article.sections,
      })
    })

    test('knows a page by its address, however that is written', async () => {
      const url = newUrl()
      const article = await articles.read(`${url.replace('site.example', 'SITE.example')}#part`, never)
      expect(article.url).toBe(url)
      await articles.read(url, never)
      expect(asked).toHaveLength(1)
    })

    test('many who read it at once cost one fetch', async () => {
      const url = newUrl()
      const read = await Promise.all(Array.from({ length: 8 }, () => articles.read(url, never)))
      expect(new Set(read.map(({ hash }) => hash)).size).toBe(1)
      expect(asked).toHaveLength(1)
    })

    test('two nodes may read it at the same time', async () => {
      const url = newUrl()
      // Nobody is answered before both have asked: neither finds what the other has stored.
      const waiting: (() => void)[] = []
      const page = answer
      answer = (request, response) => {
        waiting.push(() => page(request, response))
        if (waiting.length === 2) for (const go of waiting) go()
      }
      const [one, two] = await Promise.all([articles.read(url, never), another().read(url, never)])
      expect(one).toEqual(two)
      expect(asked).toHaveLength(2)
      expect((await row(url))!.hash).toBe(one.hash)
    })

    test('a PDF and a text file', async () => {
      const pdf = newUrl().replace('.html', '.pdf')
      answer = send('application/pdf', pdfOfPages([pdfText([['One.']]), pdfText([['Two.']])]))
      expect(await articles.read(pdf, never)).toMatchObject({
        title: pdf.split('/').at(-1),
        sections: [
          { heading: 'Page 1', text: 'One.' },
          { heading: 'Page 2', text: 'Two.' },
        ],
      })
      answer = send('text/markdown', '# Notes\n\nOne.\n')
      expect(await articles.read(newUrl(), never)).toMatchObject({
        title: 'Notes',
        sections: [{ heading: null, text: 'One.' }],
      })
    })

    test('text that a database would not take', async () => {
      const url = newUrl()
      answer = html('<p>one&#0;\u0000two \ud800three')
      const article = await articles.read(url, never)
      expect(article.sections[0]!.text).toMatch(/^one\ufffd?\ufffd?two/)
      expect((await row(url))!.sections).toEqual(article.sections)
    })
  })

  describe('a text that is not fresh', () => {
    test('is read anew', async () => {
      const url = newUrl()
      const before = await articles.read(url, never)
      await makeOld(url)
      answer = html('<title>Page</title><p>Three.')
      const after = await articles.read(url, never)
      expect(after.sections).toEqual([{ heading: null, text: 'Three.' }])
      expect(after.hash).not.toBe(before.hash)
      expect(await articles.read(url, never)).toEqual(after)
      expect(asked).toHaveLength(2)
    })

    test('serves when the page has gone, and the page is left alone for a while', async () => {
      const url = newUrl()
      const before = await articles.read(url, never)
      await makeOld(url)
      answer = send('text/html', 'gone', 404)
      expect(await articles.read(url, never)).toEqual(before)
      expect(await articles.read(url, never)).toEqual(before)
      expect(asked).toHaveLength(2)
    })

    test('serves when what came holds no text', async () => {
      const url = newUrl()
      const before = await articles.read(url, never)
      await makeOld(url)
      answer = html('<script>app()</script>')
      expect(await articles.read(url, never)).toEqual(before)
    })
  })

  describe('a page that cannot be read', () => {
    const announced: http.RequestListener = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/html', 'content-length': articleLimits.pageBytes + 1 })
      response.flushHeaders()
    }
    test.each<[string, http.RequestListener, string]>([
      ['is not there', send('text/html', 'x', 404), 'The page does not exist'],
      ['is not for everyone', send('text/html', 'x', 403), 'The page is not open to everyone (403)'],
      ['is broken', send('text/html', 'x', 500), 'The page could not be reached (500)'],
      ['breaks off', (request) => request.socket.destroy(), 'The page could not be reached'],
      ['is a picture', send('image/png', 'x'), 'The page is not text, HTML or PDF'],
      ['is too large', announced, 'The page is too large'],
      [
        'turns in circles',
        (request, response) => void response.writeHead(302, { location: request.url! }).end(),
        'The page leads from address to address without end',
      ],
      [
        'leads inside',
        (_request, response) => void response.writeHead(302, { location: 'http://169.254.169.254/' }).end(),
        'The address is not one of a public page',
      ],
      ['holds no text', html('<div></div>'), 'The page holds no text'],
      ['is a PDF of nothing', send('application/pdf', pdfOfPages([''])), 'The PDF holds no text'],
      ['is a broken PDF', send('application/pdf', '%PDF-1.4'), 'The PDF is broken'],
    ])('%s', async (_what, handler, message) => {
      const url = newUrl()
      answer = handler
      const error: unknown = await another()
        .read(url, never)
        .catch((error: unknown) => error)
      expect(error).toBeInstanceOf(ArticleError)
      expect((error as ArticleError).message).toBe(message)
      expect(await row(url)).toBeUndefined()
    })

    test('has no name that is known', async () => {
      const node = another({}, { resolve: () => Promise.reject(new Error('ENOTFOUND')) })
      await expect(node.read(newUrl(), never)).rejects.toThrow(
        new ArticleError('The page could not be reached'),
      )
    })

    test('is left alone for a while, and said to be what it was', async () => {
      const url = newUrl()
      answer = send('text/html', 'x', 404)
      const log = { info: vi.fn(), error: vi.fn() }
      const node = another({ log })
      for (let time = 0; time < 3; time++)
        await expect(node.read(url, never)).rejects.toThrow(new ArticleError('The page does not exist'))
      expect(asked).toHaveLength(1)
      expect(log.info).toHaveBeenCalledTimes(1)
    })

    test('is not asked for where the server may not ask others', async () => {
      const url = newUrl()
      await expect(another({ enabled: false }).read(url, never)).rejects.toThrow(
        new ArticleError('Linked pages are not read on this site'),
      )
      expect(asked).toEqual([])
    })
  })

  describe('a reader who leaves', () => {
    test('gets the reason at once; the others get the page', async () => {
      const url = newUrl()
      let open!: () => void
      answer = (request, response) => {
        open = () => html('<p>Late.')(request, response)
      }
      const leaving = new AbortController()
      const left = articles.read(url, leaving.signal)
      const stays = articles.read(url, never)
      await expect.poll(() => asked.length).toBe(1)
      leaving.abort(new Error('I left'))
      await expect(left).rejects.toThrow('I left')
      open()
      expect((await stays).sections[0]!.text).toBe('Late.')
      expect(asked).toHaveLength(1)
    })

    test('as the last one ends the fetch; who comes later begins anew', async () => {
      const url = newUrl()
      answer = () => {}
      const leaving = [new AbortController(), new AbortController()]
      const left = leaving.map(({ signal }) => articles.read(url, signal))
      const ended = Promise.allSettled(left)
      await expect.poll(() => asked.length).toBe(1)
      for (const each of leaving) each.abort(new Error('I left'))
      expect((await ended).map((each) => each.status === 'rejected' && String(each.reason))).toEqual([
        'Error: I left',
        'Error: I left',
      ])
      await server.idle()
      answer = html('<p>There.')
      expect((await articles.read(url, never)).sections[0]!.text).toBe('There.')
    })

    test('before beginning asks for nothing', async () => {
      await expect(articles.read(newUrl(), AbortSignal.abort(new Error('never mind')))).rejects.toThrow(
        'never mind',
      )
      expect(asked).toEqual([])
    })
  })

  test('closing breaks off what runs', async () => {
    const node = another()
    answer = () => {}
    const reading = node.read(newUrl(), never)
    const ended = reading.catch((error: unknown) => error)
    await expect.poll(() => asked.length).toBe(1)
    await node.close()
    expect(await ended).toMatchObject({ message: 'the server stops' })
    await server.idle()
    await expect(node.read(newUrl(), never)).rejects.toThrow('the server stops')
  })
})
