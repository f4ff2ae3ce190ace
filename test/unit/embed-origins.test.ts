import { describe, expect, test } from 'vitest'
import { frameAncestors, matchesOrigin, patternsOf } from '../../server/embedding/origins.ts'
import { originPattern } from '../../shared/site.ts'

test.each<[pattern: string, origin: string, matches: boolean]>([
  ['https://example.org', 'https://example.org', true],
  ['https://example.org', 'http://example.org', false],
  ['http://example.org', 'https://example.org', false],
  ['https://example.org', 'https://example.org:8443', false],
  ['https://example.org:8443', 'https://example.org:8443', true],
  ['https://example.org:8443', 'https://example.org', false],
  ['https://example.org', 'https://www.example.org', false],
  ['https://example.org', 'https://evil-example.org', false],
  ['https://example.org', 'https://example.org.evil.com', false],
  ['https://example.org', 'https://example.org.', false],
  ['https://example.org', 'https://example.orga', false],
  ['https://example.org', 'https://example.org@evil.com', false],
  ['https://example.org', 'https://example.org/', false],
  ['https://example.org', 'https://EXAMPLE.org', false],
  ['https://example.org', 'https://example.org:443', false],
  ['https://*.example.org', 'https://www.example.org', true],
  ['https://*.example.org', 'https://a.b.c.example.org', true],
  ['https://*.example.org', 'https://example.org', false],
  ['https://*.example.org', 'https://.example.org', false],
  ['https://*.example.org', 'https://evil-example.org', false],
  ['https://*.example.org', 'https://a.evil-example.org', false],
  ['https://*.example.org', 'https://a.example.org.evil.com', false],
  ['https://*.example.org', 'https://a.example.org.', false],
  ['https://*.example.org', 'http://a.example.org', false],
  ['https://*.example.org', 'https://a.example.org:8443', false],
  ['https://*.example.org:8443', 'https://a.example.org:8443', true],
  ['https://*.example.org', 'https://*.example.org', false],
  ['https://*.example.org', 'https://*.a.example.org', false],
  ['https://*.example.org', 'https://a;b.example.org', false],
  ['https://*.example.org', 'https://evil.com/.example.org', false],
  ['https://*.example.org', 'https://evil.com#.example.org', false],
  ['https://*.example.org', 'https://evil.com\\.example.org', false],
  ['https://xn--bcher-kva.example', 'https://xn--bcher-kva.example', true],
  ['https://xn--bcher-kva.example', 'https://bücher.example', false],
  // A Cyrillic о.
  ['https://example.org', 'https://example.оrg', false],
  ['http://127.0.0.1:3000', 'http://127.0.0.1:3000', true],
  ['http://*.0.0.1:3000', 'http://127.0.0.1:3000', false],
  ['http://[::1]:3000', 'http://[::1]:3000', true],
  ['http://localhost:3000', 'http://localhost:3000', true],
  ['null', 'null', false],
  ['', '', false],
  ['file://', 'file://', false],
  ['ftp://example.org', 'ftp://example.org', false],
  ['javascript:x', 'javascript:x', false],
])('%s allows %s: %s', (pattern, origin, matches) => {
  expect(matchesOrigin(pattern, origin)).toBe(matches)
})

test('the closest pattern comes first', () => {
  expect(patternsOf('https://a.b.example.org:81')).toEqual([
    'https://a.b.example.org:81',
    'https://*.b.example.org:81',
    'https://*.example.org:81',
    'https://*.org:81',
  ])
})

describe('what admins may enter', () => {
  test.each<[given: string, kept: string]>([
    ['https://example.org', 'https://example.org'],
    [' https://Example.org/ ', 'https://example.org'],
    ['https://example.org:443', 'https://example.org'],
    ['http://example.org:80', 'http://example.org'],
    ['https://bücher.example', 'https://xn--bcher-kva.example'],
    ['https://*.Bücher.example:8443', 'https://*.xn--bcher-kva.example:8443'],
    ['http://127.1:3000', 'http://127.0.0.1:3000'],
    ['http://[0::1]:3000', 'http://[::1]:3000'],
    ['http://localhost:3000', 'http://localhost:3000'],
  ])('%s', (given, kept) => {
    expect(originPattern.parse(given)).toBe(kept)
    // Something matches it.
    expect(matchesOrigin(kept, kept.replace('*', 'www'))).toBe(true)
  })

  test.each([
    ['example.org'],
    ['//example.org'],
    ['https://'],
    ['https://*'],
    ['https://*.'],
    ['https://*example.org'],
    ['https://a.*.org'],
    ['https://*.*.org'],
    ['https://**.org'],
    ['*://example.org'],
    ['*'],
    ['null'],
    ['undefined'],
    ['https://example.org/blog'],
    ['https://example.org?'],
    ['https://example.org#x'],
    ['https://me@example.org'],
    ['https://me:pw@example.org'],
    ['https://example.org.'],
    ['https://.example.org'],
    ['https://a..b'],
    ['https://*.127.0.0.1'],
    ['https://*.1.2'],
    ['https://*.[::1]'],
    ['https://example.org:0x50'],
    ['https://example.org:99999'],
    // It would say something in the policy that it is written into.
    ["https://example.org;script-src'unsafe-inline'"],
    ['https://example.org,https://evil.com'],
    ['https://example.org https://evil.com'],
    ["https://'self'"],
    ['https://example.org%3bx'],
    ['ftp://example.org'],
    ['javascript://example.org'],
  ])('not %s', (given) => {
    const { error } = originPattern.safeParse(given)
    expect(error?.issues[0]?.message).toContain('is not an origin such as https://example.org')
  })
})

test('a content policy gets the patterns, which mean the same to browsers', () => {
  expect(frameAncestors(['https://example.org', 'https://*.example.org:81'])).toBe(
    'https://example.org https://*.example.org:81',
  )
  expect(frameAncestors([])).toBe('')
})
