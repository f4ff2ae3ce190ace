import { expect, test } from 'vitest'
import { openKey, sealKey } from '../../server/ai/model-secrets.ts'

const secret = 'the secret of this site, of some length'
const key = 'sk-schlüssel-🌱'

test('a key can be read again, and is not what the database holds', () => {
  const sealed = sealKey(secret, 'm1', key)
  expect(openKey(secret, 'm1', sealed)).toBe(key)
  for (const form of [key, Buffer.from(key).toString('base64url'), Buffer.from(key).toString('hex')]) {
    expect(sealed).not.toContain(form)
  }
  // The same key twice looks like two keys.
  expect(sealKey(secret, 'm1', key)).not.toBe(sealed)
})

test('nobody reads it with another secret, or as the key of another model', () => {
  const sealed = sealKey(secret, 'm1', key)
  expect(openKey(`${secret}!`, 'm1', sealed)).toBeUndefined()
  expect(openKey(secret, 'm2', sealed)).toBeUndefined()
})

test('whatever else the database holds is no key', () => {
  const sealed = sealKey(secret, 'm1', key)
  const bytes = Buffer.from(sealed.slice(3), 'base64url')
  const changed = [...bytes.keys()].map((at) => {
    const copy = Buffer.from(bytes)
    copy[at]! ^= 1
    return `v1.${copy.toString('base64url')}`
  })
  const cut = [...bytes.keys()].map((at) => `v1.${bytes.subarray(0, at).toString('base64url')}`)
  const others = ['', key, 'v1.', 'v1.AAAA', sealed.replace('v1.', 'v2.'), sealed.slice(3)]
  for (const each of [...changed, ...cut, ...others]) {
    expect(openKey(secret, 'm1', each), each).toBeUndefined()
  }
})
