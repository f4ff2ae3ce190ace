import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { problems, type ProblemCode } from '../../shared/errors.ts'
import { problemDocument } from '../../shared/problem-document.ts'
import { limits } from '../../shared/limits.ts'
import { guest, member, openApp, type AskOptions, type TestApp, type Visitor } from '../helpers/app.ts'
import { refusedInline } from '../helpers/inline.ts'
import { publicUrl } from '../helpers/store.ts'

/** What holds for every request, whatever it asks for. */
let app: TestApp
let ada: Visitor
let thread: string

beforeAll(async () => {
  app = await openApp()
  ada = await member(app, 'Ada')
  thread = await openThread(app, ada)
})
afterAll(() => app.close())

async function openThread(where: TestApp, who: Visitor): Promise<string> {
  const body = { title: 'A title', body: `The root. ${'Words. '.repeat(400)}` }
  const made = await where.ask('POST', '/api/threads', { who, body })
  return ((await made.json()) as { thread: { id: string } }).thread.id
}

async function refusal(code: ProblemCode, asked: Promise<Response>) {
  const response = await asked
  const text = await response.text()
  expect(response.headers.get('content-type'), text).toBe('application/problem+json')
  const document = problemDocument.parse(JSON.parse(text))
  expect(document, text).toMatchObject({ code, status: problems[code][0] })
  expect(response.status).toBe(document.status)
  return { response, document }
}

const everything: [method: string, path: string, options?: AskOptions][] = [
  ['GET', '/'],
  ['GET', '/new'],
  ['GET', '/healthz'],
  ['GET', '/readyz'],
  ['GET', '/metrics'],
  ['GET', '/api/threads'],
  ['GET', '/api/threads/zzzzzzzzzz'],
  ['GET', '/api/openapi.json'],
  ['GET', '/api/nothing'],
  ['GET', '/nothing'],
  ['GET', '/nothing', { headers: { accept: 'text/html' } }],
  ['GET', '/t/zzzzzzzzzz', { headers: { accept: 'text/html' } }],
  ['GET', '/feed.xml'],
  ['GET', '/sitemap.xml'],
  ['GET', '/assets/main.js'],
  ['GET', '/icon.svg'],
  ['GET', '/api/links/known/image'],
  ['GET', '/api/auth/get-session'],
  ['POST', '/api/auth/sign-in/email', { body: { email: 'nobody@example.test', password: 'wrong password' } }],
  ['POST', '/api/threads', { body: {} }],
  ['POST', '/api/threads', { body: '{' }],
  ['OPTIONS', '/api/threads'],
]

describe('every answer', () => {
  test.each(everything)(
    'of %s %s bears the security headers and a request id',
    async (method, path, options) => {
      const { headers } = await app.ask(method, path, options)
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      expect(headers.get('x-frame-options')).toBe('DENY')
      expect(headers.get('referrer-policy')).toBe('strict-origin-when-cross-origin')
      expect(headers.get('cross-origin-opener-policy')).toBe('same-origin')
      expect(headers.get('cross-origin-resource-policy')).toBe('same-origin')
      expect(headers.get('permissions-policy')).toContain('camera=()')
      expect(headers.get('x-request-id')).toMatch(/^[\da-f-]{36}$/)
      expect(headers.get('x-powered-by')).toBeNull()
      const policy = headers.get('content-security-policy')!
      expect(policy).toContain("default-src 'none'")
      expect(policy).not.toContain('unsafe')
      if (!path.startsWith('/api/links/')) {
        for (const rule of [
          "frame-ancestors 'none'",
          "base-uri 'none'",
          "form-action 'self'",
          "connect-src 'self'",
        ]) {
          expect(policy).toContain(rule)
        }
      }
    },
  )

  test('names what stands inline in its page by hash, and nothing else may run', async () => {
    for (const path of ['/', `/t/${thread}`, '/new', '/nothing', `/embed/frame?thread=${thread}`]) {
      const answer = await app.ask('GET', path, { headers: { accept: 'text/html' } })
      const policy = answer.headers.get('content-security-policy')!
      const page = await answer.text()
      expect(page, path).toContain('<script')
      expect(refusedInline(page, policy), path).toEqual([])
      expect(refusedInline(page.replace('<script>', '<script>1;'), policy), path).not.toEqual([])
      expect(policy).toMatch(/script-src 'self' 'sha256-[\w+/=]{44}';/)
    }
    // Where nothing is to run, nothing may.
    const { headers } = await app.ask('GET', `/api/threads/${thread}`)
    expect(headers.get('content-security-policy')).toContain("script-src 'self'; style-src 'self'; ")
  })

  test('asks browsers to stay with https where the site has it', async () => {
    expect((await app.ask('GET', '/healthz')).headers.get('strict-transport-security')).toBeNull()
    const secure = await openApp({ secure: true })
    expect((await secure.ask('GET', '/healthz')).headers.get('strict-transport-security')).toMatch(
      /max-age=\d{8}/,
    )
    await secure.close()
  })

  test('has another request id, which the log knows', async () => {
    const [first, second] = [await app.ask('GET', '/api/threads?cursor='), await app.ask('GET', '/healthz')]
    const ids = [first, second].map((answer) => answer.headers.get('x-request-id')!)
    expect(new Set(ids).size).toBe(2)
    const lines = app
      .log()
      .split('\n')
      .filter((line) => line.includes(ids[0]!))
    expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
      { method: 'GET', path: '/api/threads', requestId: ids[0], msg: 'request' },
    ])
  })
})

describe('text', () => {
  const path = () => `/api/threads/${thread}`

  test('is compressed for who takes that', async () => {
    const plain = await (await app.ask('GET', path())).text()
    const ask = (accept: string) => app.ask('GET', path(), { headers: { 'accept-encoding': accept } })
    const unpack = { br: brotliDecompressSync, gzip: gunzipSync, deflate: inflateSync }
    const accepts: [accept: string, encoding: keyof typeof unpack][] = [
      ['gzip, deflate, br', 'br'],
      ['br', 'br'],
      ['gzip', 'gzip'],
      ['GZIP;q=0.5', 'gzip'],
      ['br;q=0, *', 'gzip'],
      ['br;q=0.2, gzip;q=0.8', 'gzip'],
      ['deflate', 'deflate'],
    ]
    const zipped = await ask('gzip')
    for (const [accept, encoding] of accepts) {
      const answer = await ask(accept)
      expect(answer.headers.get('content-encoding'), accept).toBe(encoding)
      expect(answer.headers.get('vary'), accept).toMatch(/accept-encoding/i)
      const bytes = Buffer.from(await answer.arrayBuffer())
      expect(answer.headers.get('content-length'), accept).toBe(String(bytes.length))
      expect(unpack[encoding](bytes).toString()).toBe(plain)
      expect(bytes.length).toBeLessThan(plain.length / 3)
    }
    for (const accept of ['identity', 'gzip;q=0', 'zstd', '', 'br;q=0']) {
      expect((await ask(accept)).headers.get('content-encoding'), accept).toBeNull()
    }
    // What is the same in other words has the same tag.
    expect(zipped.headers.get('etag')).toBe((await ask('identity')).headers.get('etag'))
    const known = { 'accept-encoding': 'gzip', 'if-none-match': zipped.headers.get('etag')! }
    expect((await app.ask('GET', path(), { headers: known })).status).toBe(304)
  })

  test('is not compressed where it was never text', async () => {
    const image = await app.ask('GET', '/api/links/known/image', { headers: { 'accept-encoding': 'gzip' } })
    expect([image.status, image.headers.get('content-encoding')]).toEqual([200, null])
    expect(image.headers.get('content-security-policy')).toBe("default-src 'none'; sandbox")
    await refusal('not-found', app.ask('GET', '/api/links/unknown/image'))
  })
})

describe('a request from another site', () => {
  const body = { title: 't', body: 'b' }
  const send = (headers: Record<string, string>) =>
    app.ask('POST', '/api/threads', { headers: { cookie: ada.cookie, ...headers }, body })

  test.each<[string, Record<string, string>]>([
    ['its origin', { origin: 'https://evil.example' }],
    ['an origin that begins like ours', { origin: `${publicUrl}.evil.example` }],
    ['our origin with another scheme', { origin: publicUrl.replace('http:', 'https:') }],
    ['our origin on another port', { origin: `${publicUrl}:8080` }],
    ['no origin of its own', { origin: 'null' }],
    ['a browser that tells', { 'sec-fetch-site': 'cross-site' }],
    ['a browser that tells of a sibling', { 'sec-fetch-site': 'same-site' }],
    ['both, in contradiction', { origin: publicUrl, 'sec-fetch-site': 'cross-site' }],
    ['the other contradiction', { origin: 'https://evil.example', 'sec-fetch-site': 'same-origin' }],
  ])('is refused by %s', async (_, headers) => {
    await refusal('cross-site', send(headers))
  })

  test.each<[string, Record<string, string>]>([
    ['our own pages', { origin: publicUrl, 'sec-fetch-site': 'same-origin' }],
    ['our own pages in an old browser', { origin: publicUrl }],
    ['the address bar', { 'sec-fetch-site': 'none' }],
    ['a program', {}],
  ])('is none when it comes from %s', async (_, headers) => {
    expect((await send(headers)).status).toBe(201)
  })

  test.each(['PUT', 'PATCH', 'DELETE', 'POST'])(
    'is refused with %s on every path of the API',
    async (method) => {
      for (const path of [
        `/api/threads/${thread}/posts/1`,
        '/api/nothing',
        '/api/auth/sign-out',
        '/api/preview',
      ]) {
        await refusal(
          'cross-site',
          app.ask(method, path, { headers: { origin: 'https://evil.example', cookie: ada.cookie } }),
        )
      }
    },
  )

  test('may read', async () => {
    const headers = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }
    const answer = await app.ask('GET', '/api/threads', { headers })
    expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([200, null])
  })
})

describe('a body', () => {
  const path = () => `/api/threads/${thread}/posts`
  const send = (body: unknown, headers?: Record<string, string>) =>
    app.ask('POST', path(), { who: ada, body, ...(headers && { headers }) })

  test.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    '',
    'application/jsonp',
  ])('of type "%s" is not read', async (type) => {
    await refusal('unsupported-type', send({ parent: 1, body: 'x', clientId: 'a' }, { 'content-type': type }))
  })

  test('may tell its charset', async () => {
    const body = { parent: 1, body: 'x', clientId: 'charset' }
    expect((await send(body, { 'content-type': 'Application/JSON; charset=utf-8' })).status).toBe(201)
  })

  test.each(['', '{', '{"a":1}}', 'undefined', "{'a':1}", '[1,]', '\u0000'])(
    'that is no JSON is refused: %j',
    async (body) => {
      await refusal('bad-request', send(body))
    },
  )

  test('of more than the limit is refused, whether it says its length or not', async () => {
    const large = JSON.stringify({ parent: 1, body: 'x'.repeat(limits.requestBytes), clientId: 'large' })
    await refusal('too-large', send(large, { 'content-length': String(large.length) }))
    await refusal('too-large', send(large))
    const before = app.log().length
    const stream = new Blob(Array.from({ length: 64 }, () => large)).stream()
    const init = {
      method: 'POST',
      body: stream,
      duplex: 'half',
      headers: { ...ada.headers, 'content-type': 'application/json' },
    }
    const incoming = { socket: { remoteAddress: '192.0.2.1' }, headers: {} }
    await refusal(
      'too-large',
      Promise.resolve(app.app.request(`${publicUrl}${path()}`, init as RequestInit, { incoming })),
    )
    for (const auth of ['/api/auth/sign-in/anonymous', '/api/auth/sign-up/email']) {
      await refusal('too-large', app.ask('POST', auth, { body: large }))
    }
    expect(app.log().slice(before)).not.toContain('request failed')
  })

  test.each<[string, unknown, string[]]>([
    ['nothing', {}, ['/parent', '/body', '/clientId']],
    ['no object', [], ['/']],
    ['null', null, ['/']],
    ['wrong types', { parent: '1', body: 1, clientId: null }, ['/parent', '/body', '/clientId']],
    ['something unknown', { parent: 1, body: 'x', clientId: 'a', state: 'streaming' }, ['/']],
    ['an empty text', { parent: 1, body: ' \n\t\u0000 ', clientId: 'a' }, ['/body']],
    ['too long a text', { parent: 1, body: 'x'.repeat(limits.bodyMax + 1), clientId: 'a' }, ['/body']],
    ['a parent out of range', { parent: 2 ** 31, body: 'x', clientId: 'a' }, ['/parent']],
    ['a fraction', { parent: 1.5, body: 'x', clientId: 'a' }, ['/parent']],
    ['a strange clientId', { parent: 1, body: 'x', clientId: 'a b' }, ['/clientId']],
    ['a long clientId', { parent: 1, body: 'x', clientId: 'x'.repeat(65) }, ['/clientId']],
    ['half a quote', { parent: 1, body: 'x', clientId: 'a', quote: { number: 1 } }, ['/quote/text']],
  ])('of %s is refused, with what is wrong where', async (_, body, paths) => {
    const { document } = await refusal('invalid', send(body))
    expect(document.issues?.map(({ path: at }) => at)).toEqual(paths)
    expect(document.issues?.every(({ message }) => message.length > 3)).toBe(true)
    expect(document.detail).toContain(paths[0])
  })

  test('is cleaned of what nobody can see', async () => {
    const body = { parent: 1, body: '  a\u0000b\u0007\ud800 c\r\n', clientId: 'clean' }
    const answer = await send(body)
    const { post } = (await answer.json()) as { post: { number: number } }
    const read = await app.ask('GET', `${path()}/${post.number}`)
    expect(await read.json()).toMatchObject({ post: { body: 'ab c' } })
  })
})

describe('an unknown path', () => {
  test.each([
    '/api',
    '/api/',
    '/api/threads/',
    '/api/threads/zzzzzzzzzz/nothing',
    '/api/%00',
    '/api/%ff',
    '/nothing',
  ])('%s is a problem document', async (path) => {
    await refusal('not-found', app.ask('GET', path))
    await refusal('not-found', app.ask('POST', path, { who: ada, body: {} }))
    if (path.startsWith('/api/'))
      await refusal('not-found', app.ask('GET', path, { headers: { accept: 'text/html' } }))
  })

  test('is a page for people', async () => {
    const answer = await app.ask('GET', '/nothing', { headers: { accept: 'text/html,*/*' } })
    expect([answer.status, answer.headers.get('content-type')]).toEqual([404, 'text/html; charset=UTF-8'])
    expect(await answer.text()).toContain('Not found')
  })

  test('leads to no file outside of the client', async () => {
    for (const path of [
      '/../package.json',
      '/assets/..%2f..%2fpackage.json',
      '/assets/%2e%2e/%2e%2e/package.json',
      '/..%5cpackage.json',
      '/assets/gone.js',
    ]) {
      expect((await app.ask('GET', path)).status, path).toBe(404)
    }
  })
})

describe('a file of the client', () => {
  test.each([
    ['/assets/main.js', 'public, max-age=31536000, immutable', /^text\/javascript/, 'export {}\n'],
    ['/icon.svg', 'public, max-age=3600', /^image\/svg\+xml/, '<svg xmlns="http://www.w3.org/2000/svg"/>\n'],
  ])('%s is served to be kept', async (path, cacheControl, type, text) => {
    const file = await app.ask('GET', path)
    expect([file.status, file.headers.get('cache-control')]).toEqual([200, cacheControl])
    expect(file.headers.get('content-type')).toMatch(type)
    expect(await file.text()).toBe(text)
    const head = await app.ask('HEAD', path)
    expect([head.status, await head.text(), head.headers.get('cache-control')]).toEqual([
      200,
      '',
      cacheControl,
    ])
  })
})

describe('rate limits', () => {
  let limited: TestApp
  beforeAll(async () => void (limited = await openApp({ limited: true })))
  afterAll(() => limited.close())

  test('hold for a person wherever they are, and for nobody else', async () => {
    const [eve, bob] = [await guest(limited, 'Eve'), await guest(limited, 'Bob')]
    const id = await openThread(limited, eve)
    const send = (who: Visitor, i: number, address: string) =>
      limited.ask('POST', `/api/threads/${id}/posts`, {
        who,
        address,
        body: { parent: 1, body: 'x', clientId: `c-${i}` },
      })
    for (let i = 0; i < 60; i++) expect((await send(eve, i, `192.0.2.${i}`)).status).toBe(201)
    const { response, document } = await refusal('rate-limited', send(eve, 60, '192.0.2.99'))
    const seconds = Number(response.headers.get('retry-after'))
    expect(seconds).toBeGreaterThanOrEqual(1)
    expect(seconds).toBeLessThanOrEqual(60)
    expect(document.retryMs).toBeGreaterThan(0)
    expect(document.retryMs).toBeLessThanOrEqual(60_000)
    expect(Math.ceil(document.retryMs! / 1000)).toBe(seconds)
    expect((await send(bob, 0, '192.0.2.99')).status).toBe(201)
    // Other things of hers are counted apart.
    expect((await limited.ask('GET', `/api/threads/${id}`)).status).toBe(200)
    expect((await limited.ask('POST', '/api/preview', { who: eve, body: { body: 'x' } })).status).toBe(200)
  })

  test('hold for an address that guesses passwords', async () => {
    const guess = (address: string) =>
      limited.ask('POST', '/api/auth/sign-in/email', {
        address,
        body: { email: 'a@example.test', password: 'guessed-it' },
      })
    for (let i = 0; i < 20; i++) expect((await guess('198.51.100.7')).status).toBe(401)
    await refusal('rate-limited', guess('198.51.100.7'))
    expect((await guess('198.51.100.8')).status).toBe(401)
  })

  test('hold for a host, whichever of its addresses it uses', async () => {
    const enter = (address: string) => limited.ask('POST', '/api/auth/sign-in/email', { address, body: {} })
    for (let i = 0; i < 20; i++) expect((await enter(`2001:db8::${i}`)).status).toBe(422)
    await refusal('rate-limited', enter('2001:db8::ffff'))
    expect((await enter('2001:db8:0:1::1')).status).toBe(422)
  })

  test('hold for readers without an account by address', async () => {
    const read = (address: string) => limited.ask('GET', '/api/threads/zzzzzzzzzz', { address })
    for (let i = 0; i < 600; i++) await read('203.0.113.5')
    await refusal('rate-limited', read('203.0.113.5'))
    expect((await read('203.0.113.6')).status).toBe(404)
  })
})

describe('the machinery', () => {
  test('finds the health of the process', async () => {
    expect(await (await app.ask('GET', '/healthz')).json()).toEqual({ status: 'ok' })
    const ready = await app.ask('GET', '/readyz')
    expect([ready.status, await ready.json()]).toEqual([
      200,
      { status: 'ready', database: true, bus: true, draining: false },
    ])
  })

  test('finds the metrics', async () => {
    await app.ask('GET', `/api/threads/${thread}`)
    const answer = await app.ask('GET', '/metrics')
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
    const text = await answer.text()
    expect(text).toMatch(
      /^numinex_http_seconds_count\{method="GET",route="\/api\/threads\/:thread",status="200"\} \d+$/m,
    )
    // Labels are of routes, never of paths: those are without end.
    expect(text).not.toContain(thread)
    await app.ask('GET', '/some/scanner/path.php')
    expect(await (await app.ask('GET', '/metrics')).text()).not.toContain('scanner')
  })

  test('is told that a server which drains, or has lost its database, is not ready', async () => {
    const other = await openApp()
    other.draining = true
    const draining = await other.ask('GET', '/readyz')
    expect([draining.status, await draining.json()]).toMatchObject([
      503,
      { status: 'not ready', database: true, draining: true },
    ])
    other.draining = false
    expect((await other.ask('GET', '/readyz')).status).toBe(200)
    await other.close()
    const gone = await other.ask('GET', '/readyz')
    expect([gone.status, await gone.json()]).toMatchObject([503, { status: 'not ready', database: false }])
    expect((await other.ask('GET', '/healthz')).status).toBe(200)
  })
})
