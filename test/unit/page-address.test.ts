import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { pageKey, pageUrl } from '../../server/embedding/page-address.ts'
import { pageRules, type PageRules } from '../../shared/site.ts'

const usual = pageRules.parse({})
const rules = (more: Partial<PageRules>): PageRules => ({ ...usual, ...more })

test.each<[what: string, address: string, key: string]>([
  ['as it is', 'https://example.org/a', 'example.org/a'],
  ['the root', 'https://example.org', 'example.org/'],
  ['the root, with its slash', 'https://example.org/', 'example.org/'],
  ['another scheme', 'http://example.org/a', 'example.org/a'],
  ['the port of the scheme', 'https://example.org:443/a', 'example.org/a'],
  ['the port of the other scheme', 'http://example.org:80/a', 'example.org/a'],
  ['another port', 'https://example.org:8443/a', 'example.org:8443/a'],
  ['a port that only the other scheme implies', 'http://example.org:443/a', 'example.org:443/a'],
  ['a host in capitals', 'HTTPS://Example.ORG/A', 'example.org/A'],
  ['a host of another script', 'https://Bücher.example/a', 'xn--bcher-kva.example/a'],
  ['the same in ASCII', 'https://xn--bcher-kva.example/a', 'xn--bcher-kva.example/a'],
  ['an address in numbers', 'http://127.1:4000/a', '127.0.0.1:4000/a'],
  ['an IPv6 address', 'http://[0:0::1]:4000/a', '[::1]:4000/a'],
  ['a fragment', 'https://example.org/a#comments', 'example.org/a'],
  ['a query', 'https://example.org/a?utm_source=x&id=7', 'example.org/a'],
  ['an empty query', 'https://example.org/a?', 'example.org/a'],
  ['a slash at the end', 'https://example.org/a/', 'example.org/a'],
  ['slashes at the end', 'https://example.org/a//', 'example.org/a'],
  ['index.html', 'https://example.org/a/index.html', 'example.org/a'],
  ['index.htm', 'https://example.org/a/index.htm', 'example.org/a'],
  ['index.php', 'https://example.org/index.php', 'example.org/'],
  ['index.html twice', 'https://example.org/index.html/index.html/', 'example.org/'],
  ['a page called so', 'https://example.org/my-index.html', 'example.org/my-index.html'],
  ['a folder called so', 'https://example.org/index.html/b', 'example.org/index.html/b'],
  ['dots', 'https://example.org/a/./b/../c', 'example.org/a/c'],
  ['dots beside what parsers disagree about', 'https://example.org/a/.|/../b[/./c', 'example.org/a/b%5B/c'],
  ['dots that are escaped', 'https://example.org/a/%2e%2E/c', 'example.org/c'],
  ['an escape that need not be', 'https://example.org/%7Eada/%61%2Eb', 'example.org/~ada/a.b'],
  ['an index that is escaped', 'https://example.org/a/%69ndex.html', 'example.org/a'],
  ['escapes in small letters', 'https://example.org/caf%c3%a9', 'example.org/caf%C3%A9'],
  ['what must be escaped', 'https://example.org/café au lait', 'example.org/caf%C3%A9%20au%20lait'],
  ['what parsers disagree about', 'https://example.org/a^b|c[d]', 'example.org/a%5Eb%7Cc%5Bd%5D'],
  ['the same, escaped', 'https://example.org/a%5eb%7cc%5bd%5D', 'example.org/a%5Eb%7Cc%5Bd%5D'],
  ['a slash that is text', 'https://example.org/a%2fb', 'example.org/a%2Fb'],
  ['an escape that is text', 'https://example.org/%2541', 'example.org/%2541'],
  ['an escape that is none', 'https://example.org/100%/%zz', 'example.org/100%/%zz'],
  ['bytes that are no text', 'https://example.org/%ff%FE', 'example.org/%FF%FE'],
  ['a backslash', 'https://example.org\\a\\b', 'example.org/a/b'],
  ['white space around', '  https://example.org/a\n', 'example.org/a'],
  ['a name and a password', 'https://me:pw@example.org/a', 'example.org/a'],
  ['a dot at the end of the host', 'https://example.org./a', 'example.org./a'],
])('%s', (_, address, key) => {
  expect(pageKey(address, usual)).toBe(key)
})

describe('parameters that count', () => {
  const keep = rules({ keep: ['id', 'page', 'q'] })
  test.each<[address: string, query: string]>([
    ['?id=7', '?id=7'],
    ['?utm_source=x&id=7&fbclid=y#top', '?id=7'],
    ['?page=2&id=7', '?id=7&page=2'],
    // Of one name, which comes first may matter.
    ['?id=2&page=1&id=1', '?id=2&id=1&page=1'],
    ['?id=1&id=2', '?id=1&id=2'],
    ['?id', '?id='],
    ['?id=', '?id='],
    ['?%69d=%37', '?id=7'],
    ['?q=a+b', '?q=a+b'],
    ['?q=a%20b', '?q=a+b'],
    ['?q=a%26id%3D1', '?q=a%26id%3D1'],
    ['?q=é', '?q=%C3%A9'],
    ['?ID=7', ''],
    ['?id[]=7', ''],
    ['?other=1', ''],
  ])('%s', (given, query) => {
    expect(pageKey(`https://example.org/a/${given}`, keep)).toBe(`example.org/a${query}`)
    expect(pageUrl(`https://example.org/a/${given}`, keep)).toBe(`https://example.org/a/${query}`)
  })
})

describe('other names for hosts', () => {
  const aliased = rules({
    aliases: {
      'www.example.org': 'example.org',
      'old.example.org:8080': 'example.org',
      'a.test': 'b.test:81',
    },
  })
  test.each<[address: string, key: string, url: string]>([
    ['https://www.example.org/a', 'example.org/a', 'https://example.org/a'],
    ['http://WWW.Example.org:80/a', 'example.org/a', 'http://example.org/a'],
    ['https://www.example.org:8443/a', 'www.example.org:8443/a', 'https://www.example.org:8443/a'],
    ['http://old.example.org:8080/a', 'example.org/a', 'http://example.org/a'],
    ['http://old.example.org/a', 'old.example.org/a', 'http://old.example.org/a'],
    ['http://a.test/a', 'b.test:81/a', 'http://b.test:81/a'],
    ['https://not-www.example.org/a', 'not-www.example.org/a', 'https://not-www.example.org/a'],
    // Names that objects have by themselves.
    ['https://constructor/a', 'constructor/a', 'https://constructor/a'],
    ['https://__proto__/a', '__proto__/a', 'https://__proto__/a'],
  ])('%s', (address, key, url) => {
    expect(pageKey(address, aliased)).toBe(key)
    expect(pageUrl(address, aliased)).toBe(url)
  })

  test('one step is enough: what an alias stands for is none itself', () => {
    for (const aliases of [
      { 'a.x': 'b.x', 'b.x': 'c.x' },
      { 'a.x': 'b.x', 'b.x': 'a.x' },
      { 'a.x': 'a.x' },
    ]) {
      expect(pageRules.safeParse({ aliases }).error?.issues[0]?.message).toContain('is an alias itself')
    }
  })

  test('are written as addresses hold them', () => {
    const { aliases } = pageRules.parse({ aliases: { ' WWW.Bücher.example:443': 'bücher.example:80' } })
    expect(aliases).toEqual({ 'www.xn--bcher-kva.example': 'xn--bcher-kva.example' })
    for (const wrong of ['https://a.x', 'a.x/b', 'a b', 'a;b', '*.x', 'me@a.x', '', 'a.x:99999']) {
      for (const pair of [{ [wrong]: 'b.x' }, { 'b.x': wrong }]) {
        expect(pageRules.safeParse({ aliases: pair }).success, wrong).toBe(false)
      }
    }
  })
})

test('slashes and indexes can count', () => {
  const key = (path: string, more: Partial<PageRules>) => pageKey(`https://x.org${path}`, rules(more))
  expect(key('/a/', { trailingSlash: false })).toBe('x.org/a/')
  expect(key('/a', { trailingSlash: false })).toBe('x.org/a')
  expect(key('/a/index.html', { trailingSlash: false })).toBe('x.org/a/')
  expect(key('/a/index.html', { index: false })).toBe('x.org/a/index.html')
  expect(key('/a/index.html/', { index: false })).toBe('x.org/a/index.html')
  expect(key('/a/index.html', { index: false, trailingSlash: false })).toBe('x.org/a/index.html')
})

test('people are shown the path as it was given, which is known to be there', () => {
  expect(pageUrl('https://example.org/a%7E/index.html?utm_source=x#y', usual)).toBe(
    'https://example.org/a%7E/index.html',
  )
  expect(pageUrl('https://example.org/a/', usual)).toBe('https://example.org/a/')
})

describe('whatever the address', () => {
  const host = fc.constantFrom(
    'example.org',
    'WWW.example.org',
    'a.b.test:8080',
    'bücher.example',
    '[::1]:3',
    'x',
  )
  const piece = fc.oneof(
    fc.constantFrom(
      '/',
      '//',
      '/index.html',
      '/index.php',
      '/.',
      '/..',
      '%2e',
      '%2F',
      '%7e',
      '%',
      '%zz',
      '\\',
      ';',
      "'",
    ),
    fc.constantFrom('a', 'B', 'é', ' ', '^', '|', '[', '+', '&', '=', '@', ':', '"', '<'),
    fc.string({ unit: 'grapheme', maxLength: 3 }).map((text) => text.replace(/[?#]/g, '')),
  )
  const parameter = fc.tuple(
    fc.constantFrom('id', 'p', 'utm_medium', 'x', 'ID'),
    fc.oneof(fc.constantFrom('', '1', 'a b', '%41', '+', 'é'), fc.string({ maxLength: 4 })),
  )
  const address = fc
    .record({
      scheme: fc.constantFrom('http', 'https'),
      host,
      path: fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join('')),
      query: fc.array(parameter, { maxLength: 4 }),
    })
    .map(({ scheme, host: at, path, query }) => {
      const text = query.map(([name, value]) => `${name}=${value.replaceAll('#', '')}`).join('&')
      return `${scheme}://${at}/${path}${query.length > 0 ? '?' : ''}${text}`.trim()
    })
    .filter((text) => URL.canParse(text))
  const anyRules = fc.record<PageRules>({
    keep: fc.subarray(['id', 'p']),
    aliases: fc.constantFrom<PageRules['aliases']>(
      {},
      { 'www.example.org': 'example.org', x: 'a.b.test:8080' },
    ),
    trailingSlash: fc.boolean(),
    index: fc.boolean(),
  })

  test('a key is the key of its own address, and of the one for people', () => {
    fc.assert(
      fc.property(address, anyRules, (given, by) => {
        const key = pageKey(given, by)
        expect(pageKey(`https://${key}`, by)).toBe(key)
        const url = pageUrl(given, by)
        expect(pageKey(url, by)).toBe(key)
        expect(pageUrl(url, by)).toBe(url)
        expect(key).toMatch(/^[!-~]+$/)
      }),
      { numRuns: 2_000 },
    )
  })

  test('parameters that do not count, a fragment and the scheme change nothing', () => {
    fc.assert(
      fc.property(address, anyRules, fc.string(), (given, by, more) => {
        const key = pageKey(given, by)
        const [, before, query] = /^([^?]*)(?:\?(.*))?$/s.exec(given)!
        const added = `utm_source=${encodeURIComponent(more.toWellFormed())}`
        expect(pageKey(`${given}#${more}`, by)).toBe(key)
        expect(pageKey(`${given}${query === undefined ? '?' : '&'}${added}`, by)).toBe(key)
        expect(pageKey(`${before}?${added}${query === undefined ? '' : `&${query}`}`, by)).toBe(key)
        const url = new URL(given)
        // With a port that one scheme implies and the other does not, it is another place.
        if (url.port === '') expect(pageKey(given.replace(/^https?/, 'https'), by)).toBe(key)
      }),
      { numRuns: 1_000 },
    )
  })
})
