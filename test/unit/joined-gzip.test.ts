import { randomBytes } from 'node:crypto'
import { deflateRawSync, gunzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { joinedGzip } from '../../server/http/joined-gzip.ts'

const page = Buffer.from('<article>words, words, and <b>words</b></article>\n'.repeat(5_000))
const opening = Buffer.from('<!doctype html><title>A thread</title><p>words, words, and <b>words</b>')

function join(beginning: Buffer, plain: Buffer): Buffer {
  return joinedGzip(beginning, { plain, packed: deflateRawSync(plain) })
}

test.each<[string, Buffer, Buffer]>([
  ['a page', opening, page],
  ['what cannot be packed', randomBytes(3_000), randomBytes(300_000)],
  ['no beginning', Buffer.alloc(0), page],
  ['nothing after it', opening, Buffer.alloc(0)],
  ['nothing at all', Buffer.alloc(0), Buffer.alloc(0)],
])('%s is one gzip file', (_, beginning, plain) => {
  const joined = join(beginning, plain)
  expect(gunzipSync(joined).equals(Buffer.concat([beginning, plain]))).toBe(true)
})

test('is hardly larger than if it had been packed as a whole, and its checksum is told', () => {
  const joined = join(opening, page)
  expect(joined.length).toBeLessThan(deflateRawSync(page).length + opening.length + 40)
  joined[joined.length - 8]! ^= 1
  expect(() => gunzipSync(joined)).toThrow('incorrect data check')
})
