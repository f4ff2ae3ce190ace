import type { IncomingMessage } from 'node:http'
import { expect, test } from 'vitest'
import { addressOf } from '../../server/http/address.ts'

function from(remoteAddress: string | undefined, forwarded?: string | string[]): IncomingMessage {
  return {
    socket: { remoteAddress },
    headers: { 'x-forwarded-for': forwarded },
  } as unknown as IncomingMessage
}

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8:1:2::', '2001:db8:1:2::/64'],
  ['::1', '::/64'],
  ['fe80::1%eth0', 'fe80::/64'],
  ['', 'unknown'],
  [undefined, 'unknown'],
  ['not an address', 'unknown'],
])('a client at %s is counted as %s', (remote, expected) => {
  expect(addressOf(from(remote), 0)).toBe(expected)
})

test('what a client says of itself counts for nothing without a proxy', () => {
  expect(addressOf(from('192.0.2.1', '203.0.113.9'), 0)).toBe('192.0.2.1')
})

test.each<[number, string | string[] | undefined, string]>([
  // The proxy appends whom it saw; all before it is the client's own invention.
  [1, '203.0.113.9', '203.0.113.9'],
  [1, '10.0.0.1, 127.0.0.1, 203.0.113.9', '203.0.113.9'],
  [1, ['10.0.0.1', '203.0.113.9'], '203.0.113.9'],
  [1, ' 203.0.113.9 ', '203.0.113.9'],
  [1, '::ffff:203.0.113.9', '203.0.113.9'],
  [1, '2001:db8::7', '2001:db8::/64'],
  [2, '10.0.0.1, 203.0.113.9, 198.51.100.1', '203.0.113.9'],
  // Some proxies tell the port as well.
  [1, '203.0.113.9:4711', '203.0.113.9'],
  [1, '[2001:db8::7]:4711', '2001:db8::/64'],
  [1, '[2001:db8::7]', '2001:db8::/64'],
  [1, 'unknown', 'unknown'],
  // Fewer entries than proxies: it did not come through them.
  [2, '203.0.113.9', '192.0.2.1'],
  [1, undefined, '192.0.2.1'],
  [1, '', '192.0.2.1'],
])('behind %i trusted proxies, %j is counted as %s', (proxies, header, expected) => {
  expect(addressOf(from('192.0.2.1', header), proxies)).toBe(expected)
})
