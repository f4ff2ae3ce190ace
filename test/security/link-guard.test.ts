import type http from 'node:http'
import type net from 'node:net'
import zlib from 'node:zlib'
import { afterEach, describe, expect, test, vi } from 'vitest'
import {
  guardedFetch,
  readAll,
  type Fetched,
  type FetchOptions,
  type FetchParts,
} from '../../server/links/fetch.ts'
import { FetchError, isPublicAddress, isPublicName, type FetchReason } from '../../server/links/guard.ts'
import { loopbackParts, serveHttp, serveRaw, type LinkServer } from '../helpers/link-server.ts'

const mebibyte = 1024 * 1024
const page: FetchOptions = { types: ['text/html'], maxBytes: mebibyte }

const servers: LinkServer[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close()
})

async function serve(handler: http.RequestListener): Promise<LinkServer> {
  const server = await serveHttp(handler)
  servers.push(server)
  return server
}

async function serveSocket(handler: (socket: net.Socket) => void): Promise<LinkServer> {
  const server = await serveRaw(handler)
  servers.push(server)
  return server
}

/** Parts as the server has them, but for the DNS, which answers with `addresses` one after the other and counts. */
function partsWithDns(...answers: string[][]) {
  const resolve = vi.fn(() => Promise.resolve(answers.length > 1 ? answers.shift()! : answers[0]!))
  return { publicUrl: 'https://forum.example', resolve }
}

/** How fetching and reading all of `url` fails; the text where it does not. */
async function outcome(parts: FetchParts, url: string, options: FetchOptions = page): Promise<string> {
  try {
    const fetched = await guardedFetch(parts, url, options)
    return `fetched: ${(await text(fetched, options.maxBytes)).slice(0, 40)}`
  } catch (error) {
    if (error instanceof FetchError) return error.reason
    throw error
  }
}

async function text(fetched: Fetched, maxBytes: number): Promise<string> {
  return Buffer.from(await readAll(fetched, maxBytes)).toString()
}

describe('literal addresses', () => {
  const refused: [string, string][] = [
    ['loopback', 'http://127.0.0.1/'],
    ['loopback, another of its addresses', 'http://127.255.255.254/'],
    ['loopback over https', 'https://127.0.0.1/'],
    ['loopback in decimal', 'http://2130706433/'],
    ['loopback in hexadecimal', 'http://0x7f000001/'],
    ['loopback in octal', 'http://017700000001/'],
    ['loopback with octal parts', 'http://0177.0.0.01/'],
    ['loopback with hexadecimal parts', 'http://0x7f.0x0.0x0.0x1/'],
    ['loopback with parts of all kinds', 'http://0x7f.0.01/'],
    ['loopback in two parts', 'http://127.1/'],
    ['loopback in three parts', 'http://127.0.1/'],
    ['loopback with leading zeros', 'http://0000177.0.0.0001/'],
    ['loopback with a trailing dot', 'http://127.0.0.1./'],
    ['loopback in full-width digits', 'http://１２７.０.０.１/'],
    ['loopback in circled digits', 'http://①②⑦.⓪.⓪.①/'],
    ['loopback in superscript digits', 'http://¹²⁷.⁰.⁰.¹/'],
    ['loopback in mathematical digits', 'http://𝟭𝟮𝟳.𝟬.𝟬.𝟭/'],
    ['loopback with ideographic dots', 'http://127。0。0。1/'],
    ['loopback with full-width dots', 'http://127．0．0．1/'],
    ['loopback, percent-encoded', 'http://%31%32%37.0.0.1/'],
    ['loopback with soft hyphens', 'http://127.0.0.\u00ad1/'],
    ['loopback with extra slashes', 'http:////127.0.0.1/'],
    ['loopback without slashes', 'http:127.0.0.1/'],
    ['loopback with backslashes', 'http:\\\\127.0.0.1\\'],
    ['loopback with tabs and newlines inside', 'http://127.\t0.\n0.1/'],
    ['loopback after white space', '  http://127.0.0.1/'],
    ['this network, 0.0.0.0', 'http://0.0.0.0/'],
    ['this network, just 0', 'http://0/'],
    ['this network, 0.1.2.3', 'http://0.1.2.3/'],
    ['private 10/8', 'http://10.0.0.1/'],
    ['private 10/8, its end', 'http://10.255.255.255/'],
    ['private 10/8 in decimal', 'http://167772161/'],
    ['carrier-grade NAT', 'http://100.64.0.1/'],
    ['carrier-grade NAT, its end', 'http://100.127.255.255/'],
    ['metadata of Alibaba', 'http://100.100.100.200/latest/meta-data/'],
    ['metadata of most clouds', 'http://169.254.169.254/latest/meta-data/'],
    ['metadata in decimal', 'http://2852039166/'],
    ['metadata in hexadecimal', 'http://0xa9fea9fe/'],
    ['metadata in octal', 'http://0251.0376.0251.0376/'],
    ['metadata of ECS tasks', 'http://169.254.170.2/'],
    ['metadata of Oracle', 'http://192.0.0.192/'],
    ['metadata of Azure', 'http://168.63.129.16/'],
    ['private 172.16/12', 'http://172.16.0.1/'],
    ['private 172.16/12, its end', 'http://172.31.255.255/'],
    ['private 192.168/16', 'http://192.168.0.1/'],
    ['private 192.168/16 in three parts', 'http://192.168.257/'],
    ['IETF assignments', 'http://192.0.0.8/'],
    ['documentation 1', 'http://192.0.2.1/'],
    ['documentation 2', 'http://198.51.100.7/'],
    ['documentation 3', 'http://203.0.113.9/'],
    ['relays of 6to4', 'http://192.88.99.1/'],
    ['benchmarking', 'http://198.18.0.1/'],
    ['benchmarking, its end', 'http://198.19.255.255/'],
    ['multicast', 'http://224.0.0.1/'],
    ['multicast, its end', 'http://239.255.255.255/'],
    ['reserved', 'http://240.0.0.1/'],
    ['broadcast', 'http://255.255.255.255/'],
    ['IPv6 unspecified', 'http://[::]/'],
    ['IPv6 loopback', 'http://[::1]/'],
    ['IPv6 loopback in full', 'http://[0000:0000:0000:0000:0000:0000:0000:0001]/'],
    ['IPv4-mapped loopback', 'http://[::ffff:127.0.0.1]/'],
    ['IPv4-mapped loopback in hexadecimal', 'http://[::ffff:7f00:1]/'],
    ['IPv4-mapped metadata', 'http://[::ffff:a9fe:a9fe]/'],
    ['IPv4-mapped private address in full', 'http://[0:0:0:0:0:ffff:10.0.0.1]/'],
    ['IPv4-compatible loopback', 'http://[::127.0.0.1]/'],
    ['IPv4-compatible metadata', 'http://[::a9fe:a9fe]/'],
    ['IPv4-translated loopback', 'http://[::ffff:0:127.0.0.1]/'],
    ['NAT64 of loopback', 'http://[64:ff9b::127.0.0.1]/'],
    ['NAT64 of metadata', 'http://[64:ff9b::a9fe:a9fe]/'],
    ['local NAT64', 'http://[64:ff9b:1::a00:1]/'],
    ['6to4 of loopback', 'http://[2002:7f00:1::]/'],
    ['6to4 of a private address', 'http://[2002:c0a8:1::1]/'],
    ['Teredo', 'http://[2001:0:7f00:1::80ff:fffe]/'],
    ['unique local fc00', 'http://[fc00::1]/'],
    ['unique local fd00', 'http://[fd12:3456:789a::1]/'],
    ['metadata over IPv6', 'http://[fd00:ec2::254]/'],
    ['link-local', 'http://[fe80::1]/'],
    ['link-local, its end', 'http://[febf::1]/'],
    ['link-local with a zone', 'http://[fe80::1%25eth0]/'],
    ['loopback with a zone', 'http://[::1%25lo]/'],
    ['site-local', 'http://[fec0::1]/'],
    ['IPv6 multicast', 'http://[ff02::1]/'],
    ['IPv6 documentation', 'http://[2001:db8::1]/'],
    ['newer IPv6 documentation', 'http://[3fff::1]/'],
    ['discard-only', 'http://[100::1]/'],
    ['benchmarking over IPv6', 'http://[2001:2::1]/'],
    ['ORCHID', 'http://[2001:20::1]/'],
    ['segment routing', 'http://[5f00::1]/'],
    ['unassigned IPv6 space', 'http://[4000::1]/'],
    ['an octet too large', 'http://256.0.0.1/'],
    ['five octets', 'http://1.2.3.4.5/'],
  ]
  test.each(refused)('refused: %s', async (_name, url) => {
    const parts = partsWithDns(['8.8.8.8'])
    expect(await outcome(parts, url)).toBe('address')
    expect(parts.resolve).not.toHaveBeenCalled()
  })

  const neighbours =
    '1.0.0.1 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.1 169.253.255.255 169.255.0.0 ' +
    '172.15.255.255 172.32.0.0 192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0 223.255.255.255 ' +
    '2606:4700:4700::1111 2a00:1450:4001:81b::200e'
  test.each(neighbours.split(' '))('public: %s', (address) => expect(isPublicAddress(address)).toBe(true))

  test.each(['', 'example.com', '1.2.3', '0x7f.1', '8.8.8.8%eth0', '2606:4700::1%2', '8.8.8.8 '])(
    'no address at all: %j',
    (address) => expect(isPublicAddress(address)).toBe(false),
  )
})

describe('names', () => {
  const refused: [string, string][] = [
    ['localhost', 'http://localhost/'],
    ['LOCALHOST', 'http://LOCALHOST/'],
    ['localhost with a trailing dot', 'http://localhost./'],
    ['localhost in circled letters', 'http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/'],
    ['localhost, percent-encoded', 'http://l%6fcalhost/'],
    ['localhost with a zero-width space', 'http://local\u200bhost/'],
    ['below localhost', 'http://app.localhost/'],
    ['below localhost with a trailing dot', 'http://app.localhost./'],
    ['localhost.localdomain', 'http://localhost.localdomain/'],
    ['a single label', 'http://redis/'],
    ['multicast DNS', 'http://printer.local/'],
    ['a service of a cluster', 'http://api.default.svc.cluster.local/'],
    ['metadata of Google', 'http://metadata.google.internal/computeMetadata/v1/'],
    ['a home network', 'http://router.home.arpa/'],
    ['a router', 'http://fritz.lan/'],
    ['an onion service', 'http://example.onion/'],
    ['reverse DNS', 'http://1.0.0.127.in-addr.arpa/'],
    ['a public name with a trailing dot', 'http://example.com./'],
    ['an empty label', 'http://example..com/'],
    ['ideographic trailing dot', 'http://example.com。/'],
  ]
  test.each(refused)('refused without asking the DNS: %s', async (_name, url) => {
    const parts = partsWithDns(['8.8.8.8'])
    expect(await outcome(parts, url)).toBe('address')
    expect(parts.resolve).not.toHaveBeenCalled()
  })

  test.each([
    'example.com',
    'localhost.example.com',
    'xn--bcher-kva.example',
    'internal.example.org',
    'a.b.c.d.de',
  ])('public: %s', (name) => expect(isPublicName(name)).toBe(true))
})

describe('what names lead to', () => {
  const refused: [string, string[]][] = [
    ['loopback', ['127.0.0.1']],
    ['this network', ['0.0.0.0']],
    ['a private network', ['10.1.2.3']],
    ['carrier-grade NAT', ['100.64.0.1']],
    ['metadata', ['169.254.169.254']],
    ['IPv6 loopback', ['::1']],
    ['IPv6 unspecified', ['::']],
    ['IPv4-mapped loopback', ['::ffff:127.0.0.1']],
    ['IPv4-mapped public address', ['::ffff:8.8.8.8']],
    ['IPv4-compatible loopback', ['::127.0.0.1']],
    ['NAT64 of loopback', ['64:ff9b::7f00:1']],
    ['6to4 of loopback', ['2002:7f00:1::1']],
    ['a unique local address', ['fd00::1']],
    ['a link-local address with a zone', ['fe80::1%eth0']],
    ['a public address with a zone', ['2606:4700:4700::1111%1']],
    ['a public, then a private address', ['8.8.8.8', '10.0.0.1']],
    ['a private, then a public address', ['192.168.1.1', '8.8.8.8']],
    ['public IPv4 and private IPv6', ['8.8.8.8', 'fc00::1']],
    ['a hundred public addresses and one private', [...Array<string>(100).fill('8.8.8.8'), '127.0.0.1']],
    ['what is no address', ['localhost']],
    ['a short form', ['127.1']],
    ['a decimal form', ['2130706433']],
  ]
  test.each(refused)('refused: %s', async (_name, addresses) => {
    const parts = partsWithDns(addresses)
    expect(await outcome(parts, 'http://site.example/')).toBe('address')
    expect(parts.resolve).toHaveBeenCalledTimes(1)
  })

  test('refused: a name without addresses', async () => {
    expect(await outcome(partsWithDns([]), 'http://site.example/')).toBe('dns')
  })

  test('refused: a name that the DNS does not know', async () => {
    const resolve = () => Promise.reject(new Error('ENOTFOUND'))
    expect(await outcome({ publicUrl: 'https://forum.example', resolve }, 'http://site.example/')).toBe('dns')
  })

  test('refused: a DNS that never answers', async () => {
    const resolve = () => new Promise<never>(() => {})
    const options = { ...page, timeoutMs: 50 }
    expect(
      await outcome({ publicUrl: 'https://forum.example', resolve }, 'http://site.example/', options),
    ).toBe('timeout')
  })
})

describe('rebinding', () => {
  test('the connection goes to the address that was checked, not to a later answer', async () => {
    const server = await serve(html('the checked one'))
    const parts = partsWithDns(['127.0.0.1'], ['127.0.0.2'])
    const url = `http://site.example:${server.port}/`
    expect(await outcome({ ...parts, ...hook(server.port, '127.0.0.1') }, url)).toBe(
      'fetched: the checked one',
    )
    expect(parts.resolve).toHaveBeenCalledTimes(1)
    expect(server.connections()).toBe(1)
  })

  test('a private server behind the second answer is never reached', async () => {
    const hidden = await serve(html('secret'))
    // Nobody listens at the first, allowed address.
    const parts = partsWithDns(['127.0.0.2'], ['127.0.0.1'])
    const url = `http://site.example:${hidden.port}/`
    const options = { ...page, timeoutMs: 2_000 }
    expect(await outcome({ ...parts, ...hook(hidden.port, '127.0.0.2') }, url, options)).toMatch(
      /^(network|timeout)$/,
    )
    expect(parts.resolve).toHaveBeenCalledTimes(1)
    expect(hidden.connections()).toBe(0)
  })

  test('a redirect to the same name is resolved and checked again', async () => {
    const server = await serve((_request, response) => response.writeHead(302, { location: '/again' }).end())
    const parts = partsWithDns(['127.0.0.1'], ['127.0.0.2'])
    const url = `http://site.example:${server.port}/`
    // A port that only the hook allows is refused as a port.
    expect(await outcome({ ...parts, ...hook(server.port, '127.0.0.1') }, url)).toBe('port')
    expect(parts.resolve).toHaveBeenCalledTimes(2)
    expect(server.connections()).toBe(1)
  })

  test('a redirect to a name that leads inside is refused', async () => {
    const server = await serve((_request, response) =>
      response.writeHead(302, { location: 'http://b.example/' }).end(),
    )
    const parts = partsWithDns(['127.0.0.1'], ['10.0.0.1'])
    const url = `http://a.example:${server.port}/`
    expect(await outcome({ ...parts, ...hook(server.port, '127.0.0.1') }, url)).toBe('address')
  })

  function hook(port: number, allowed: string): Pick<FetchParts, 'allowAddress'> {
    return { allowAddress: (address, to) => address === allowed && to === port }
  }
})

describe('schemes, ports and credentials', () => {
  const refused: [string, FetchReason][] = [
    ['file:///etc/passwd', 'scheme'],
    ['ftp://example.com/', 'scheme'],
    ['gopher://example.com:80/_GET', 'scheme'],
    ['data:text/html,hello', 'scheme'],
    ['javascript:alert(1)', 'scheme'],
    ['ws://example.com/', 'scheme'],
    ['blob:http://example.com/1', 'scheme'],
    ['http+unix://%2Fvar%2Frun%2Fdocker.sock/info', 'scheme'],
    ['//example.com/', 'address'],
    ['example.com', 'address'],
    ['', 'address'],
    ['http://', 'address'],
    ['http://example.com:22/', 'port'],
    ['http://example.com:25/', 'port'],
    ['http://example.com:6379/', 'port'],
    ['http://example.com:8080/', 'port'],
    ['https://example.com:8443/', 'port'],
    ['http://example.com:0/', 'port'],
    ['http://example.com:65616/', 'address'],
    ['http://user@example.com/', 'credentials'],
    ['http://user:secret@example.com/', 'credentials'],
    ['http://:secret@example.com/', 'credentials'],
    ['http://example.com@127.0.0.1/', 'credentials'],
    ['http://127.0.0.1:80@example.com/', 'credentials'],
    [`http://example.com/${'a'.repeat(3_000)}`, 'address'],
  ]
  test.each(refused)('refused: %s', async (url, reason) => {
    const parts = partsWithDns(['8.8.8.8'])
    expect(await outcome(parts, url)).toBe(reason)
    expect(parts.resolve).not.toHaveBeenCalled()
  })
})

describe('redirects', () => {
  const refused: [string, string, FetchReason][] = [
    ['loopback', 'http://127.0.0.1/', 'address'],
    ['loopback in decimal', 'http://2130706433/', 'address'],
    ['metadata', 'http://169.254.169.254/latest/', 'address'],
    ['metadata without a scheme', '//169.254.169.254/', 'address'],
    ['IPv4-mapped metadata', 'http://[::ffff:169.254.169.254]/', 'address'],
    ['localhost', 'http://localhost/', 'address'],
    ['an internal name', 'https://metadata.google.internal/', 'address'],
    ['a file', 'file:///etc/passwd', 'scheme'],
    ['a script', 'javascript:alert(1)', 'scheme'],
    ['data', 'data:text/html,hello', 'scheme'],
    ['gopher', 'gopher://127.0.0.1:6379/_FLUSHALL', 'scheme'],
    ['another port', 'http://example.com:6379/', 'port'],
    ['credentials', 'http://user:secret@example.com/', 'credentials'],
    ['what is no address', 'http://[', 'address'],
    ['an address too long', `/${'a'.repeat(3_000)}`, 'address'],
  ]
  test.each(refused)('refused: to %s', async (_name, location, reason) => {
    const server = await serve((_request, response) => response.writeHead(302, { location }).end())
    expect(await outcome(loopbackParts(server.port), `http://site.example:${server.port}/`)).toBe(reason)
    expect(server.connections()).toBe(1)
  })

  test('refused: to itself, for ever', async () => {
    const server = await serve((_request, response) => response.writeHead(302, { location: '/' }).end())
    expect(await outcome(loopbackParts(server.port), `http://site.example:${server.port}/`)).toBe('redirects')
    expect(server.connections()).toBe(6)
  })

  test('refused: from step to step, for ever', async () => {
    let step = 0
    const server = await serve((_request, response) =>
      response.writeHead(307, { location: `/${++step}` }).end(),
    )
    expect(await outcome(loopbackParts(server.port), `http://site.example:${server.port}/`)).toBe('redirects')
  })

  test('refused: a redirect without an address', async () => {
    const server = await serve((_request, response) => response.writeHead(302).end())
    expect(await outcome(loopbackParts(server.port), `http://site.example:${server.port}/`)).toBe('status')
  })

  test('refused: slow redirects share one deadline', async () => {
    const timers = new Set<NodeJS.Timeout>()
    const server = await serve((_request, response) => {
      timers.add(setTimeout(() => response.writeHead(302, { location: '/' }).end(), 60))
    })
    const options = { ...page, timeoutMs: 150 }
    expect(await outcome(loopbackParts(server.port), `http://site.example:${server.port}/`, options)).toBe(
      'timeout',
    )
    for (const timer of timers) clearTimeout(timer)
  })

  test('the body of a redirect is not read', async () => {
    const server = await serve((request, response) => {
      if (request.url === '/there') return html('arrived')(request, response)
      response.writeHead(301, { location: '/there', 'content-type': 'text/html' })
      endless(response)
    })
    expect(await outcome(loopbackParts(server.port), `http://site.example:${server.port}/`)).toBe(
      'fetched: arrived',
    )
    await server.idle()
  })
})

describe('answers', () => {
  const get = (server: LinkServer, options: Partial<FetchOptions> = {}) =>
    outcome(loopbackParts(server.port), `http://site.example:${server.port}/`, { ...page, ...options })

  test.each([100 * mebibyte, mebibyte + 1])('refused: %i bytes, announced', async (size) => {
    const server = await serve((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/html', 'content-length': size })
      endless(response)
    })
    expect(await get(server)).toBe('too-large')
    await server.idle()
  })

  test('refused: a body without end', async () => {
    const server = await serve((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/html' })
      endless(response)
    })
    expect(await get(server)).toBe('too-large')
    await server.idle()
  })

  const zeros = Buffer.alloc(200 * mebibyte)
  const bombs: [string, string, () => Buffer][] = [
    ['gzip', 'gzip', () => zlib.gzipSync(zeros)],
    ['x-gzip', 'x-gzip', () => zlib.gzipSync(zeros)],
    ['deflate', 'deflate', () => zlib.deflateSync(zeros)],
    [
      'brotli',
      'br',
      () => zlib.brotliCompressSync(zeros, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 1 } }),
    ],
    ['gzip in many members', 'gzip', () => manyMembers()],
  ]
  test.each(bombs)('refused: a bomb of %s', async (_name, encoding, bomb) => {
    const body = bomb()
    const server = await serve((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/html', 'content-encoding': encoding }).end(body)
    })
    const parts = loopbackParts(server.port)
    const fetched = await guardedFetch(parts, `http://site.example:${server.port}/`, page)
    let bytes = 0
    const reading = async () => {
      for await (const chunk of fetched.body) bytes += chunk.byteLength
    }
    await expect(reading()).rejects.toMatchObject({ reason: 'too-large' })
    expect(bytes).toBeLessThanOrEqual(mebibyte)
    await server.idle()
  })

  test('refused: a bomb that stays below the size, by its ratio', async () => {
    const body = zlib.gzipSync(Buffer.alloc(900 * 1024))
    const server = await serve((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/html', 'content-encoding': 'gzip' }).end(body)
    })
    expect(await get(server)).toBe('too-large')
  })

  test.each(['gzip, gzip', 'gzip, br', 'zstd', 'compress', 'unknown'])(
    'refused: encoded as %s',
    async (encoding) => {
      const server = await serve((_request, response) => {
        response.writeHead(200, { 'content-type': 'text/html', 'content-encoding': encoding }).end('?')
      })
      expect(await get(server)).toBe('type')
    },
  )

  test.each(['gzip', 'br', 'deflate'])('refused: what is not %s but says so', async (encoding) => {
    const server = await serve((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/html', 'content-encoding': encoding }).end('plain text')
    })
    expect(await get(server)).toBe('network')
  })

  test('refused: gzip that breaks off', async () => {
    const body = zlib.gzipSync(Buffer.from('long enough '.repeat(100))).subarray(0, 30)
    const server = await serve((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/html', 'content-encoding': 'gzip' }).end(body)
    })
    expect(await get(server)).toBe('network')
  })

  test('refused: a server that takes the connection and says nothing', async () => {
    const server = await serve(() => {})
    expect(await get(server, { timeoutMs: 100 })).toBe('timeout')
    await server.idle()
  })

  test('refused: a body that trickles', async () => {
    const server = await serve((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/html' })
      const timer = setInterval(() => response.write('.'), 5)
      response.on('close', () => clearInterval(timer))
    })
    expect(await get(server, { timeoutMs: 150 })).toBe('timeout')
    await server.idle()
  })

  test('refused: a compressed body that trickles', async () => {
    const server = await serve((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/html', 'content-encoding': 'gzip' })
      const gzip = zlib.createGzip()
      gzip.pipe(response)
      const timer = setInterval(() => {
        gzip.write('.')
        gzip.flush()
      }, 5)
      response.on('close', () => clearInterval(timer))
    })
    expect(await get(server, { timeoutMs: 150 })).toBe('timeout')
    await server.idle()
  })

  test('refused: headers that trickle', async () => {
    const server = await serveSocket((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n')
      const timer = setInterval(() => socket.write('x: y\r\n'), 5)
      socket.on('close', () => clearInterval(timer))
    })
    expect(await get(server, { timeoutMs: 150 })).toBe('timeout')
    await server.idle()
  })

  test('refused: headers without end', async () => {
    const server = await serveSocket((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n')
      flood(socket, `x-filler: ${'y'.repeat(1_000)}\r\n`)
    })
    expect(await get(server)).toBe('too-large')
    await server.idle()
  })

  test('refused: one header without end', async () => {
    const server = await serveSocket((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nx: ')
      flood(socket, 'y'.repeat(1_000))
    })
    expect(await get(server)).toBe('too-large')
    await server.idle()
  })

  test('refused: interim answers without end', async () => {
    const server = await serveSocket((socket) => flood(socket, 'HTTP/1.1 103 Early Hints\r\n\r\n'))
    expect(await get(server)).toBe('too-large')
    await server.idle()
  })

  test('an early hint before the answer is nothing bad', async () => {
    const server = await serve((request, response) => {
      response.writeEarlyHints({ link: '</style.css>; rel=preload' })
      html('hinted')(request, response)
    })
    expect(await get(server)).toBe('fetched: hinted')
  })

  test('refused: another protocol', async () => {
    const server = await serveSocket((socket) => socket.end('-ERR unknown command\r\n'))
    expect(await get(server)).toBe('network')
  })

  test('refused: a switch of protocols', async () => {
    const server = await serveSocket((socket) =>
      socket.write('HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'),
    )
    expect(await get(server)).toBe('network')
    await server.idle()
  })

  test('refused: a connection that is cut before the answer', async () => {
    const server = await serveSocket((socket) => socket.destroy())
    expect(await get(server)).toBe('network')
  })

  test('refused: a body shorter than announced', async () => {
    const server = await serveSocket((socket) =>
      socket.end('HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 1000\r\n\r\nshort'),
    )
    expect(await get(server)).toBe('network')
  })

  test('a body longer than announced is read as far as announced', async () => {
    const server = await serveSocket((socket) =>
      socket.end('HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 5\r\n\r\nshort and the rest'),
    )
    expect(await get(server)).toMatch(/^(fetched: short|network)$/)
  })

  test('refused: two lengths', async () => {
    const server = await serveSocket((socket) =>
      socket.end(
        'HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 5\r\ncontent-length: 9\r\n\r\nshort',
      ),
    )
    expect(await get(server)).toBe('network')
  })

  test('refused: a length and chunks', async () => {
    const server = await serveSocket((socket) =>
      socket.end(
        'HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
      ),
    )
    expect(await get(server)).toBe('network')
  })

  test.each([
    'image/svg+xml',
    'application/json',
    'application/octet-stream',
    'text/htmlx',
    'text',
    'x; text/html',
    '',
  ])('refused: type %j', async (type) => {
    const server = await serve((_request, response) => {
      if (type !== '') response.setHeader('content-type', type)
      response.end('<title>no</title>')
    })
    expect(await get(server)).toBe('type')
    await server.idle()
  })

  test.each([304, 400, 401, 403, 404, 410, 418, 500, 503])('refused: status %i', async (status) => {
    const server = await serve((_request, response) =>
      response.writeHead(status, { 'content-type': 'text/html' }).end(),
    )
    const failure = guardedFetch(loopbackParts(server.port), `http://site.example:${server.port}/`, page)
    await expect(failure).rejects.toMatchObject({ reason: 'status', status })
  })

  test('refused: plain HTTP where TLS was asked for', async () => {
    const server = await serve(html('plain'))
    const parts = loopbackParts(server.port)
    expect(await outcome(parts, `https://site.example:${server.port}/`)).toBe('network')
    expect(server.lastRequest()).toBeUndefined()
  })

  test('a caller that gives up ends the connection, and gets its own reason', async () => {
    const server = await serve((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/html' }).write('first')
    })
    const caller = new AbortController()
    const options = { ...page, signal: caller.signal }
    const fetched = await guardedFetch(
      loopbackParts(server.port),
      `http://site.example:${server.port}/`,
      options,
    )
    const reading = text(fetched, mebibyte)
    const reason = new Error('changed my mind')
    caller.abort(reason)
    await expect(reading).rejects.toBe(reason)
    await server.idle()
  })

  test('a caller that gave up before sends nothing', async () => {
    const server = await serve(html('never asked'))
    const options = { ...page, signal: AbortSignal.abort(new Error('too late')) }
    const failure = guardedFetch(loopbackParts(server.port), `http://site.example:${server.port}/`, options)
    await expect(failure).rejects.toThrow('too late')
    expect(server.connections()).toBe(0)
  })

  test('a body that nobody reads does not hold its connection beyond the deadline', async () => {
    const server = await serve((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/html' })
      endless(response)
    })
    const options = { ...page, timeoutMs: 100 }
    await guardedFetch(loopbackParts(server.port), `http://site.example:${server.port}/`, options)
    await server.idle()
  })
})

describe('what is let through', () => {
  test('a page, and what the request tells of us', async () => {
    const server = await serve(html('hello'))
    const parts = loopbackParts(server.port)
    const fetched = await guardedFetch(parts, `http://site.example:${server.port}/a?b=c#d`, page)
    expect(fetched).toMatchObject({ type: 'text/html', charset: 'utf-8', announcedBytes: undefined })
    expect(await text(fetched, mebibyte)).toBe('hello')
    const { url, method, headers } = server.lastRequest()!
    expect([method, url]).toEqual(['GET', '/a?b=c'])
    expect(headers).toEqual({
      host: `site.example:${server.port}`,
      'user-agent': 'Numinex/0.1 (+https://forum.example)',
      accept: 'text/html',
      'accept-encoding': 'gzip, br',
      'accept-language': 'en, *;q=0.5',
      connection: 'close',
    })
    await server.idle()
  })

  test('a literal address that the hook allows', async () => {
    const server = await serve(html('hello'))
    expect(await outcome(loopbackParts(server.port), `http://127.0.0.1:${server.port}/`)).toBe(
      'fetched: hello',
    )
    expect(await outcome(loopbackParts(server.port), `http://2130706433:${server.port}/`)).toBe(
      'fetched: hello',
    )
  })

  test('the same server without the hook is out of reach', async () => {
    const server = await serve(html('hello'))
    expect(await outcome(partsWithDns(['127.0.0.1']), `http://127.0.0.1:${server.port}/`)).toBe('port')
    expect(server.connections()).toBe(0)
  })

  test('five redirects, relative and absolute ones', async () => {
    const server = await serve((request, response) => {
      const step = Number(request.url!.slice(1))
      if (step === 5) return html('arrived')(request, response)
      const location = step % 2 === 0 ? `/${step + 1}` : `http://other.example:${server.port}/${step + 1}`
      response.writeHead([301, 302, 303, 307, 308][step]!, { location }).end()
    })
    const fetched = await guardedFetch(
      loopbackParts(server.port),
      `http://site.example:${server.port}/0`,
      page,
    )
    expect(fetched.url.href).toBe(`http://other.example:${server.port}/5`)
    expect(await text(fetched, mebibyte)).toBe('arrived')
  })

  test('cookies are neither kept nor sent', async () => {
    const server = await serve((request, response) => {
      if (request.url === '/there') return html('arrived')(request, response)
      response.writeHead(302, { location: '/there', 'set-cookie': 'a=b' }).end()
    })
    await outcome(loopbackParts(server.port), `http://site.example:${server.port}/`)
    expect(server.lastRequest()!.headers.cookie).toBeUndefined()
  })

  const encoders: [string, (text: string) => Buffer][] = [
    ['gzip', zlib.gzipSync],
    ['x-gzip', zlib.gzipSync],
    ['deflate', zlib.deflateSync],
    ['br', zlib.brotliCompressSync],
    ['GZIP', zlib.gzipSync],
    ['identity', (body) => Buffer.from(body)],
  ]
  test.each(encoders)('a body encoded as %s', async (encoding, encode) => {
    const server = await serve((_request, response) => {
      response
        .writeHead(200, { 'content-type': 'Text/HTML; Charset="ISO-8859-1"', 'content-encoding': encoding })
        .end(encode('packed'))
    })
    const fetched = await guardedFetch(
      loopbackParts(server.port),
      `http://site.example:${server.port}/`,
      page,
    )
    expect(fetched).toMatchObject({ type: 'text/html', charset: 'iso-8859-1' })
    expect(await text(fetched, mebibyte)).toBe('packed')
  })

  test('a page of exactly the allowed size', async () => {
    const server = await serve(html('a'.repeat(1_000)))
    const url = `http://site.example:${server.port}/`
    expect(await outcome(loopbackParts(server.port), url, { ...page, maxBytes: 1_000 })).toMatch(/^fetched/)
    expect(await outcome(loopbackParts(server.port), url, { ...page, maxBytes: 999 })).toBe('too-large')
  })

  test('the beginning of a page of any size', async () => {
    const server = await serve((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/html', 'content-length': 1_000 * mebibyte })
      endless(response)
    })
    const fetched = await guardedFetch(
      loopbackParts(server.port),
      `http://site.example:${server.port}/`,
      page,
    )
    for await (const chunk of fetched.body) {
      expect(chunk.byteLength).toBeGreaterThan(0)
      break
    }
    await server.idle()
  })

  test.each(['image/png', 'IMAGE/AVIF', 'image/x; a=b'])('type %s where image/* is wanted', async (type) => {
    const server = await serve((_request, response) =>
      response.writeHead(200, { 'content-type': type }).end('hello'),
    )
    const options = { types: ['image/*'], maxBytes: 10 }
    expect(await outcome(loopbackParts(server.port), `http://site.example:${server.port}/`, options)).toBe(
      'fetched: hello',
    )
  })
})

function html(body: string): http.RequestListener {
  return (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(body)
  }
}

/** Writes to `response` for as long as someone takes it. */
function endless(response: http.ServerResponse): void {
  const chunk = Buffer.alloc(16 * 1024, 'a')
  const more = () => {
    while (!response.destroyed && response.write(chunk));
  }
  response.on('drain', more)
  more()
}

function flood(socket: net.Socket, piece: string): void {
  const more = () => {
    while (!socket.destroyed && socket.write(piece));
  }
  socket.on('drain', more)
  more()
}

function manyMembers(): Buffer {
  const member = zlib.gzipSync(Buffer.alloc(64 * 1024))
  return Buffer.concat(Array<Buffer>(1_000).fill(member))
}
