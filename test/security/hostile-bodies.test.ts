import http from 'node:http'
import { gunzipSync, inflateSync } from 'node:zlib'
import { afterAll, beforeAll, expect, onTestFailed, test, vi } from 'vitest'
import { problems } from '../../shared/errors.ts'
import { limits } from '../../shared/limits.ts'
import { inspectable, liveHeap } from '../helpers/heap.ts'
import { ask, guest, startNode, type Guest, type TestNode } from '../helpers/node.ts'
import type { TestDatabase } from '../helpers/postgres.ts'
import { createRandom, type Random } from '../helpers/random.ts'
import { connectRaw } from '../helpers/raw-socket.ts'
import { createDatabase, describeWith } from '../helpers/services.ts'
import { largeValues, noise, strangeFields, strangeValues } from './frame-corpus.ts'

const requests = 10_000
const parallel = 24
/** What the heap may grow by in the second half, in bytes. */
const growth = 15 * 1024 * 1024
/** Nothing that a client does wrong is answered at greater length than this, in bytes. */
const longestProblem = 16 * 1024

/** How much of a body has surely arrived when the request has, in bytes. */
const readAtOnce = 16 * 1024

interface Request {
  method: string
  path: string
  headers: Record<string, string>
  body?: string | Buffer
  /** Hang up after this part of the body. */
  cutAt?: number
}

interface Answer {
  status: number
  type: string
  text: string
}

/** One operation, from the API's own description. */
interface Operation {
  method: string
  path: string
  fields: string[]
}

describeWith('postgres', 'hostile requests', () => {
  let database: TestDatabase
  let node: TestNode
  let who: Guest
  /** Whose session the requests to the auth library may wreck. */
  let victim: Guest
  let thread: string
  let operations: Operation[]
  const agent = new http.Agent({ keepAlive: true })

  beforeAll(async () => {
    database = await createDatabase()
    node = await startNode({ DATABASE_URL: database.url, RATE_LIMITS: 'off', ...inspectable })
    who = await guest(node.url)
    victim = await guest(node.url, 'Victim')
    const made = await ask<{ thread: { id: string } }>(who, 'POST', `${node.url}/api/threads`, {
      title: 'T',
      body: 'Root',
    })
    thread = made.thread.id
    operations = [...(await described(node.url)), ...authOperations]
    expect(operations.length).toBeGreaterThan(20)
  })
  afterAll(async () => {
    agent.destroy()
    await node?.kill('SIGKILL')
    await database?.drop()
  })

  function hostile(random: Random): Request {
    if (random.chance(0.1))
      return { method: random.pick(methods), path: random.pick(strangePaths), headers: headersFor(random) }
    const operation = random.pick(operations)
    const path =
      operation.path.replace(/\{(\w+)\}/g, (_, name: string) => placeFor(random, name)) + queryFor(random)
    const method = random.chance(0.9) ? operation.method : random.pick(methods)
    const headers = headersFor(random)
    if (operation.path.startsWith('/api/auth')) {
      if (random.chance(0.3)) headers['authorization'] = victim.headers.authorization
    } else if (random.chance(0.8)) headers['authorization'] = who.headers.authorization
    if (['GET', 'HEAD', 'OPTIONS'].includes(method)) return { method, path, headers }
    const body = bodyFor(random, operation.fields)
    if (random.chance(0.85)) headers['content-type'] = 'application/json'
    if (random.chance(0.97)) return { method, path, headers, body }
    delete headers['expect']
    headers['content-length'] = String(Buffer.byteLength(body) + 10)
    return { method, path, headers, body, cutAt: random.int(100) }
  }

  function placeFor(random: Random, name: string): string {
    if (random.chance(0.15)) return random.pick(strangeSegments)
    if (name === 'thread')
      return random.chance(0.8)
        ? thread
        : random.pick(['k3v9x2q7ab', '0OIl0OIl0O', `${thread}a`, thread.toLowerCase()])
    if (name === 'number')
      return random.pick([
        '1',
        '2',
        '3',
        '0',
        '-1',
        '1.5',
        '9007199254740992',
        '2147483648',
        '1e99',
        '0x1',
        '1e0',
        '%31',
        '01',
        'NaN',
      ])
    if (name === 'emoji')
      return random.pick([
        '%F0%9F%91%8D',
        '%F0%9F%91',
        'x',
        '%E2%80%8D',
        '%F0%9F%91%8D'.repeat(9),
        '%23',
        '1',
      ])
    return random.pick([who.id, 'x', '0'])
  }

  function send({ method, path, headers, body, cutAt }: Request): Promise<Answer | undefined> {
    return new Promise((resolve, reject) => {
      const options = { method, agent, headers, host: '127.0.0.1', port: new URL(node.url).port, path }
      const request = http.request(options, (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () =>
          resolve({
            status: response.statusCode!,
            type: response.headers['content-type'] ?? '',
            text: unpacked(Buffer.concat(chunks), response.headers['content-encoding']),
          }),
        )
      })
      request.setTimeout(20_000, () => request.destroy(new Error('no answer')))
      if (cutAt !== undefined && body !== undefined) {
        request.on('error', () => resolve(undefined))
        request.write(Buffer.from(body as string).subarray(0, cutAt), () =>
          setImmediate(() => request.destroy()),
        )
        return
      }
      request.on('error', (error: NodeJS.ErrnoException) => {
        // The server may close a connection whose last body it did not want to read, while we already use it again.
        if (request.reusedSocket && error.code === 'ECONNRESET')
          return resolve(send({ method, path, headers, ...(body !== undefined && { body }) }))
        // Who is answered before all is read may be cut off while still sending.
        if (body !== undefined && body.length > readAtOnce && /EPIPE|ECONNRESET/.test(error.code ?? ''))
          resolve(undefined)
        else reject(error)
      })
      request.end(body)
    })
  }

  /** What is wrong with an answer, if anything. */
  function flaw({ path }: Request, { status, type, text }: Answer): string | undefined {
    if (status >= 500) return `${status} ${text.slice(0, 200)}`
    // HEAD has no text, and Node itself answers what is no HTTP.
    if (status < 400 || text === '' || !path.startsWith('/api/')) return undefined
    if (Buffer.byteLength(text) > longestProblem) return `an answer of ${Buffer.byteLength(text)} bytes`
    if (type !== 'application/problem+json') return `${status} as ${type}: ${text.slice(0, 200)}`
    const { code, status: told } = JSON.parse(text) as { code: string; status: number }
    const known = path.startsWith('/api/auth/') ? /^[a-z\d]+(-[a-z\d]+)*$/.test(code) : code in problems
    if (!known || told !== status) return `${status} says ${told} ${code}`
    return undefined
  }

  async function storm(seed: number, wanted: number) {
    const random = createRandom(seed)
    const flaws = new Map<string, Request>()
    const statuses = new Map<number, number>()
    let begun = 0
    const talk = async () => {
      while (begun++ < wanted) {
        const request = hostile(random)
        const answer = await send(request).catch((error: unknown) => {
          throw new Error(`${JSON.stringify(request).slice(0, 2_000)}`, { cause: error })
        })
        if (answer === undefined) continue
        statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1)
        const wrong = flaw(request, answer)
        if (wrong !== undefined)
          flaws.set(`${request.method} ${request.path.split('?')[0]}: ${wrong}`, request)
      }
    }
    await Promise.all(Array.from({ length: parallel }, talk))
    return { flaws, statuses }
  }

  test(
    `${requests} of them get typed answers and leave the server as it was`,
    { timeout: 240_000 },
    async () => {
      const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31))
      onTestFailed(() => console.log(`SEED=${seed}\n${node.log().slice(-8_000)}`))
      const startedAt = performance.now()
      const first = await storm(seed, requests / 2)
      const before = await liveHeap(node)
      const second = await storm(seed + 1, requests / 2)
      const ms = performance.now() - startedAt
      const after = await liveHeap(node)
      console.log(
        `seed ${seed}: ${requests} requests in ${Math.round(ms / 1000)} s; heap ${(before / 2 ** 20).toFixed(1)} MB at half, ` +
          `${(after / 2 ** 20).toFixed(1)} MB at the end; statuses ${JSON.stringify([...second.statuses].sort(([a], [b]) => a - b))}`,
      )
      const flaws = [...first.flaws, ...second.flaws]
      expect(
        flaws.map(
          ([text, { body, ...request }]) =>
            `${text}\n  ${JSON.stringify(request)} ${String(body).slice(0, 300)}`,
        ),
      ).toEqual([])
      expect(after - before).toBeLessThan(growth)
      await expectSound()
    },
  )

  test('what is no HTTP is refused by the parser', async () => {
    onTestFailed(() => console.log(node.log().slice(-8_000)))
    const { host } = new URL(node.url)
    const post = `POST /api/threads HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\n`
    const refused: [bytes: string, status: number][] = [
      [`GET / HTTP/1.1\r\n\r\n`, 400],
      [`GET / HTTP/1.1\r\nHost: ${host}\r\nX: ${'a'.repeat(40_000)}\r\n\r\n`, 431],
      [`GET /${'a'.repeat(40_000)} HTTP/1.1\r\nHost: ${host}\r\n\r\n`, 431],
      [`GET / HTTP/1.1\r\nHost: ${host}\r\nA: \0\r\n\r\n`, 400],
      [`GET / HTTP/1.1\r\nHost: ${host}\r\nA : b\r\n\r\n`, 400],
      [`FLY / HTTP/1.1\r\nHost: ${host}\r\n\r\n`, 400],
      [`${post}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 400],
      [`${post}Content-Length: 5\r\nContent-Length: 6\r\n\r\n{}`, 400],
      [`${post}Content-Length: -1\r\n\r\n{}`, 400],
      [`${post}Transfer-Encoding: chunked\r\n\r\nzz\r\n`, 400],
      [`${post}Transfer-Encoding: gzip\r\n\r\n{}`, 400],
      [`GET / HTTP/1.1\r\nHost: [\r\nConnection: close\r\n\r\n`, 400],
      [`GET / HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n`, 400],
      [`GET http://[ HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`, 400],
    ]
    for (const [bytes, status] of refused) {
      const socket = connectRaw(node.url)
      socket.write(bytes)
      const answered = await socket.until((each) => each.status !== 0)
      expect({ bytes: bytes.slice(0, 200), answered, status: socket.status }).toEqual({
        bytes: bytes.slice(0, 200),
        answered: true,
        status,
      })
      socket.destroy()
    }
    await expectSound()
  })

  async function expectSound(): Promise<void> {
    expect(node.running).toBe(true)
    expect((await fetch(`${node.url}/healthz`)).status).toBe(200)
    expect((await fetch(`${node.url}/readyz`)).status).toBe(200)
    const alarms = node
      .log()
      .split('\n')
      .filter((line) => /unhandled|uncaught|"level":[56]0/i.test(line))
    // The same error is told once, however often it came.
    expect([
      ...new Map(alarms.map((line) => [/"message":"[^"]*/.exec(line)?.[0], line.slice(0, 3_000)])).values(),
    ]).toEqual([])
    const again = await guest(node.url)
    const made = await ask<{ thread: { id: string } }>(again, 'POST', `${node.url}/api/threads`, {
      title: 'After',
      body: 'all',
    })
    await vi.waitFor(async () =>
      expect((await fetch(`${node.url}/api/threads/${made.thread.id}`)).status).toBe(200),
    )
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
  }
})

function unpacked(bytes: Buffer, encoding: string | undefined): string {
  if (bytes.length === 0 || encoding === undefined) return bytes.toString()
  return (encoding === 'gzip' ? gunzipSync(bytes) : inflateSync(bytes)).toString()
}

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'SEARCH', 'TRACE']

const strangeSegments = [
  '%',
  '%zz',
  '%00',
  '%ff%fe',
  '..',
  '%2e%2e',
  '%2e%2e%2f%2e%2e%2fetc%2fpasswd',
  '..%5c..%5c',
  "'%20OR%201=1--",
  '%F0%9F%92%A9',
  '%ED%A0%80',
  'a'.repeat(3_000),
  '*',
  ';x=y',
  '__proto__',
  'constructor',
  '%0d%0aX:y',
  '%252e',
  '.',
  '%20',
  '@',
  ':thread',
  '{thread}',
]

const strangePaths = [
  '/',
  '//',
  '/%',
  '/%00',
  '/..%2f..%2f..%2fetc%2fpasswd',
  '/assets/../../package.json',
  '/assets/%2e%2e/%2e%2e/package.json',
  '/assets/..%2f..%2fserver%2fmain.ts',
  '/assets/..\\..\\package.json',
  '/assets/%c0%ae%c0%ae/',
  '/assets/',
  '/assets',
  '/assets/a%00.js',
  '/t/',
  '/t/k3v9x2q7ab',
  '/t/k3v9x2q7ab/99999999999999999999',
  '/t/%00/1',
  '/t/__proto__',
  '/embed/frame?url=javascript:alert(1)',
  '/embed/html?url=%00',
  '/embed.js',
  '/api',
  '/api/',
  '/api//threads',
  '/api/threads/',
  '/API/THREADS',
  '/api/threads?cursor=%00',
  '/api/auth',
  '/api/auth/',
  '/api/auth/%00',
  '/api/auth/callback/%00',
  '/api/links/%00/image',
  '/api/links/../image',
  '/api/links/__proto__/image',
  '/live',
  '/live?x',
  '/healthz/',
  '/metrics',
  '/metrics/..',
  '/?'.padEnd(8_000, 'a'),
  '/.env',
  '/.git/config',
  '/index.html',
  '/favicon.ico',
  '*',
  'http://evil.example/api/threads',
  '/api/threads#x',
  '/sitemap.xml',
  '/feed.xml',
  '/sign-in?next=//evil.example',
  '/new?url=%ff',
  '/robots.txt',
]

/** Of the auth library, which describes its routes elsewhere. */
const authOperations: Operation[] = [
  { method: 'POST', path: '/api/auth/sign-in/anonymous', fields: ['name'] },
  {
    method: 'POST',
    path: '/api/auth/sign-in/email',
    fields: ['email', 'password', 'callbackURL', 'rememberMe'],
  },
  {
    method: 'POST',
    path: '/api/auth/sign-up/email',
    fields: ['name', 'email', 'password', 'image', 'role', 'kind'],
  },
  { method: 'POST', path: '/api/auth/sign-in/social', fields: ['provider', 'callbackURL', 'idToken'] },
  { method: 'POST', path: '/api/auth/sign-out', fields: [] },
  { method: 'POST', path: '/api/auth/update-user', fields: ['name', 'image', 'role', 'banned'] },
  { method: 'POST', path: '/api/auth/change-password', fields: ['newPassword', 'currentPassword'] },
  { method: 'POST', path: '/api/auth/change-email', fields: ['newEmail'] },
  { method: 'POST', path: '/api/auth/delete-user', fields: ['password', 'token'] },
  { method: 'POST', path: '/api/auth/request-password-reset', fields: ['email', 'redirectTo'] },
  { method: 'POST', path: '/api/auth/reset-password', fields: ['newPassword', 'token'] },
  { method: 'POST', path: '/api/auth/revoke-session', fields: ['token'] },
  { method: 'POST', path: '/api/auth/api-key/create', fields: ['name', 'expiresIn', 'userId'] },
  { method: 'POST', path: '/api/auth/api-key/delete', fields: ['keyId'] },
  { method: 'POST', path: '/api/auth/link-social', fields: ['provider', 'callbackURL'] },
  { method: 'GET', path: '/api/auth/get-session', fields: [] },
  { method: 'GET', path: '/api/auth/list-sessions', fields: [] },
  { method: 'GET', path: '/api/auth/verify-email?token=%00', fields: [] },
  { method: 'GET', path: '/api/auth/reset-password/{x}', fields: [] },
  { method: 'GET', path: '/api/auth/callback/{x}?state=%00&code=%00', fields: [] },
  { method: 'GET', path: '/api/auth/api-key/get?id=%00', fields: [] },
  { method: 'GET', path: '/api/auth/error?error=%00', fields: [] },
  { method: 'GET', path: '/api/auth/{x}', fields: [] },
]

async function described(url: string): Promise<Operation[]> {
  type Description = {
    paths: Record<
      string,
      Record<string, { requestBody?: { content: Record<string, { schema: { properties?: object } }> } }>
    >
  }
  const { paths } = (await (await fetch(`${url}/api/openapi.json`)).json()) as Description
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { requestBody }]) => ({
      method: method.toUpperCase(),
      path,
      fields: Object.keys(requestBody?.content['application/json']?.schema.properties ?? {}),
    })),
  )
}

function headersFor(random: Random): Record<string, string> {
  const choices: Record<string, string[]> = {
    'content-type': [
      'text/plain',
      'application/json; charset=utf-7',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      '',
      '/',
      'application/json;;;',
      'a'.repeat(3_000),
    ],
    authorization: [
      'Bearer',
      'Bearer ',
      'Bearer a.b',
      'Basic Og==',
      'Bearer %00',
      'Bearer '.padEnd(4_000, 'x'),
      'bearer null',
      'Bearer \xff\xfe',
    ],
    cookie: [
      'numinex.session_token=x',
      'numinex.session_token=%00.%00',
      'numinex.session_token=%',
      '=;=;=',
      'a=b; '.repeat(500),
      '__proto__=1',
      'numinex.session_token="\xff"',
      'numinex.session_token=a.b%3D',
    ],
    'x-api-key': ['', 'nx_', 'nx_'.padEnd(4_000, 'x'), '\xff', "' OR 1=1"],
    origin: ['https://evil.example', 'null', 'http://[', ''],
    'sec-fetch-site': ['cross-site', 'same-site', 'same-origin', 'x'],
    'x-forwarded-for': ['1.2.3.4', ','.repeat(1_000), '::ffff:1.2.3.4', '<script>'],
    'accept-encoding': ['gzip', 'deflate', 'br;q=9', '*', 'identity;q=0', 'x'.repeat(500)],
    'if-none-match': ['*', '"', 'W/"1"', 'x'.repeat(3_000)],
    range: ['bytes=0-', 'bytes=9999999999999999999-', 'bytes=-1', 'x'],
    'accept-language': ['\xff', '*;q=9'.repeat(100)],
    'x-http-method-override': ['DELETE'],
    expect: ['200-ok'],
  }
  const headers: Record<string, string> = {}
  for (const [name, values] of Object.entries(choices))
    if (random.chance(0.03)) headers[name] = random.pick(values)
  return headers
}

function queryFor(random: Random): string {
  if (random.chance(0.5)) return ''
  const cursors = [
    '1 x',
    '2026-01-01T00:00:00Z \0',
    '2026-02-30T00:00:00Z k3v9x2q7ab',
    '2026-01-01 k3v9x2q7ab',
    '+010000-01-01T00:00:00Z x',
    '0 0',
    '9999-12-31T23:59:59.999999+14:00 z',
    'Jan 1 2026',
    '-infinity x',
    "2026-01-01T00:00:00Z ' OR 1=1--",
    '2026-01-01T00:00:00+23:00 a',
  ]
  const values = [
    '1e99',
    '-1',
    '0',
    '1.5',
    '9007199254740993',
    '%00',
    '%',
    '%ff',
    '',
    'NaN',
    'Infinity',
    '[]',
    "'",
    'a'.repeat(300),
    '0x10',
    '1e3',
    '%20',
    '9007199254740991',
  ]
  const name = random.pick([
    'after',
    'cursor',
    'after',
    'cursor',
    '__proto__',
    'after[]',
    '%00',
    'x',
    'q',
    'limit',
  ])
  const value =
    name === 'cursor' && random.chance(0.6)
      ? Buffer.from(random.pick(cursors)).toString('base64url')
      : random.pick(values)
  return `?${name}=${value}${random.chance(0.2) ? `&${name}=${random.pick(values)}` : ''}`
}

function bodyFor(random: Random, fields: string[]): string | Buffer {
  const dice = random.next()
  if (dice < 0.05) return random.bytes(random.int(500))
  if (dice < 0.15) return noise(random)
  if (dice < 0.17) return Buffer.alloc(limits.requestBytes + random.pick([0, 1, 100_000]), ' ')
  if (dice < 0.18) return random.pick(['[', '{"a":']).repeat(50_000)
  if (dice < 0.19) return `{${Array.from({ length: 10_000 }, (_, i) => `"k${i}":0`).join()}}`
  // Requests that are right but for one field reach deepest.
  const given = fields.filter((name) => !['quote', 'url'].includes(name) || random.chance(0.4))
  const texts = given.map(
    (name) => `"${name}":${random.chance(0.8) ? fittingValue(random, name) : strangeValue(random)}`,
  )
  if (random.chance(0.1)) texts.push(random.pick(strangeFields))
  if (random.chance(0.1)) texts.splice(random.int(texts.length), 1)
  return `{${texts.join()}}`
}

function strangeValue(random: Random): string {
  return random.pick(random.chance(0.05) ? largeValues : strangeValues)
}

/** A value of the field's own kind, and as strange as that kind allows. */
function fittingValue(random: Random, name: string): string {
  switch (name) {
    case 'parent':
    case 'seq':
      return random.pick(['1', '1', '1', '2', '0', '9007199254740991', '2147483647'])
    case 'quote':
      return random.pick([
        '{"number":1,"text":"Root"}',
        '{"number":1,"text":"Root"}',
        '{"number":1,"text":"\\u0000Root"}',
        '{"number":2147483647,"text":"x"}',
        'null',
      ])
    case 'clientId':
      return JSON.stringify(
        random.pick(['a', '-', '_', 'x'.repeat(64), `c${random.int(1e6)}`, `c${random.int(1e6)}`]),
      )
    case 'url':
    case 'callbackURL':
    case 'image':
      return JSON.stringify(
        random.pick([
          'https://a.example/',
          'https://a.example/\0',
          'http://\ud800.example/',
          'javascript:alert(1)',
          'http://127.0.0.1/',
          'https://a.example/\u202e',
          '//evil',
          'https://a.example/%00',
        ]),
      )
    case 'email':
    case 'newEmail':
      return JSON.stringify(
        random.pick([
          'a@b.example',
          'a\0@b.example',
          `${'a'.repeat(300)}@b.example`,
          'ü@b.example',
          'a@b',
          "'@b.example",
        ]),
      )
    case 'token':
    case 'password':
    case 'newPassword':
      return JSON.stringify(
        random.pick(['longenough1', '\0'.repeat(12), 'x'.repeat(200), '💥'.repeat(10), '']),
      )
    default:
      return JSON.stringify(random.chance(0.5) ? 'Words' : random.pick(texts))
  }
}

const texts = [
  'x',
  '\0',
  'a\0b',
  '\ud800',
  '\u202e\u2066',
  "'; DROP TABLE posts; --",
  '\\',
  '$1 %s {0}',
  '```',
  '<script>alert(1)</script>',
  '[x](javascript:alert(1))',
  '# '.repeat(1_000),
  '>'.repeat(2_000),
  '$$\\frac'.repeat(200),
  '#1 #2 @a',
  'https://a.example/\0\n',
  'k3v9x2q7ab',
  'true',
  '\u0301'.repeat(500),
  '*'.repeat(3_000),
  '[['.repeat(1_500),
  '\r\n\t\v\f',
  '\u{10ffff}',
  '\ufeff',
  'x'.repeat(40_001),
]
