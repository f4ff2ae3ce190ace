import { createHmac, createPublicKey, generateKeyPairSync, sign } from 'node:crypto'
import { SignJWT } from 'jose'
import { describe, expect, test } from 'vitest'
import { verifyHostToken, type VerifyingKey } from '../../server/embedding/host-tokens.ts'
import { Problem } from '../../shared/errors.ts'
import { eddsa, goodClaims, hs256, signingInput, type Claims } from '../helpers/host-tokens.ts'

const site = 'k3v9x2q7ab'
const now = Date.parse('2026-05-06T10:00:00Z')
const at = now / 1000
const secret = 'a secret that the site was shown once, of 48 letters'
const pair = generateKeyPairSync('ed25519')
const other = generateKeyPairSync('ed25519')
const pem = pair.publicKey.export({ type: 'spki', format: 'pem' })

const shared: VerifyingKey = { id: 'shared', algorithm: 'HS256', key: Buffer.from(secret) }
const older: VerifyingKey = { id: 'older', algorithm: 'HS256', key: Buffer.from(`older ${secret}`) }
// As it comes from the database.
const open: VerifyingKey = { id: 'open', algorithm: 'EdDSA', key: createPublicKey(pem) }
const allKeys = [shared, older, open]

function verify(token: string, keys: readonly VerifyingKey[] = allKeys, clock = now) {
  const parts = {
    keysOf: (asked: string) => Promise.resolve(asked === site ? keys : []),
    now: () => clock,
  }
  return verifyHostToken(parts, site, token)
}

const claims = (more: Claims = {}) => goodClaims(site, now, more)

/** Why a token is refused. */
async function refusal(token: string, keys?: readonly VerifyingKey[], clock?: number): Promise<string> {
  const error: unknown = await verify(token, keys, clock).then(
    (reader) => reader,
    (problem: unknown) => problem,
  )
  expect(error).toBeInstanceOf(Problem)
  expect((error as Problem).code).toBe('token-refused')
  expect((error as Problem).detail).toMatch(/^The token of the host page was refused: .+\.$/)
  return (error as Problem).detail!.replace(/^The token of the host page was refused: /, '')
}

describe('a token is taken', () => {
  test('by a shared secret, with what it says of its reader', async () => {
    const token = hs256(secret, claims({ jti: 'one', email: ' Ada@Example.Test ' }))
    expect(await verify(token)).toEqual({
      subject: 'reader-1',
      name: 'Ada Lovelace',
      email: 'ada@example.test',
      tokenId: 'one',
      expiresAt: new Date(now + 300_000),
    })
  })

  test('by a public key, with its key named or not, and as a library makes it', async () => {
    expect((await verify(eddsa(pair.privateKey, claims()))).name).toBe('Ada Lovelace')
    expect((await verify(eddsa(pair.privateKey, claims(), { kid: 'open' }))).name).toBe('Ada Lovelace')
    const made = new SignJWT({ name: 'Bo' }).setProtectedHeader({ alg: 'EdDSA', kid: 'open' })
    const token = made
      .setAudience(site)
      .setSubject('b')
      .setJti('j')
      .setIssuedAt(at)
      .setExpirationTime(at + 60)
    expect((await verify(await token.sign(pair.privateKey))).subject).toBe('b')
  })

  test('by any key of its algorithm where it names none, and by the named one alone otherwise', async () => {
    const byOlder = `older ${secret}`
    expect((await verify(hs256(byOlder, claims()))).subject).toBe('reader-1')
    expect((await verify(hs256(byOlder, claims(), { kid: 'older' }))).subject).toBe('reader-1')
    expect(await refusal(hs256(byOlder, claims(), { kid: 'shared' }))).toBe(
      'its signature is not by the key of the site.',
    )
  })

  test('for several audiences where the site is among them', async () => {
    expect((await verify(hs256(secret, claims({ aud: ['elsewhere', site] })))).subject).toBe('reader-1')
    expect((await verify(hs256(secret, claims({ aud: [site] })))).subject).toBe('reader-1')
  })

  test('with its name made fit for one line', async () => {
    const name = '  Ada\u202e \n Lo\u0301pez '
    expect((await verify(hs256(secret, claims({ name })))).name).toBe('Ada L\u00f3pez')
  })

  test('without an address, or with none', async () => {
    for (const email of [undefined, null, '']) {
      expect(await verify(hs256(secret, claims({ email })))).not.toHaveProperty('email')
    }
  })

  test('while the clocks are a minute apart, and no longer', async () => {
    const token = hs256(secret, claims())
    for (const clock of [now - 60_000, now + 359_000]) {
      expect((await verify(token, allKeys, clock)).subject).toBe('reader-1')
    }
    expect(await refusal(token, allKeys, now + 360_000)).toBe('it ran out 60 s ago.')
    expect(await refusal(token, allKeys, now - 61_000)).toBe(
      'it begins to hold in 61 s only; look at the clock of the server that made it.',
    )
  })
})

describe('a token is refused', () => {
  test('that nobody signed', async () => {
    const unsigned = signingInput({ alg: 'none' }, claims())
    for (const token of [`${unsigned}.`, unsigned, `${unsigned}.AAAA`]) {
      expect(await refusal(token)).toMatch(/another alg than HS256 or EdDSA|not a/)
    }
    for (const alg of ['None', 'NONE', 'HS384', 'RS256', 'ES256', 'Ed25519', 'hs256', 'dir']) {
      const signed = signingInput({ alg }, claims())
      const token = `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`
      expect(await refusal(token), alg).toBe('its header says another alg than HS256 or EdDSA.')
    }
  })

  test('that takes a public key for a secret', async () => {
    const raw = pair.publicKey.export({ type: 'spki', format: 'der' })
    for (const forged of [pem, String(pem).trim(), raw, raw.subarray(-32)]) {
      expect(await refusal(hs256(forged, claims()))).toBe(
        'its signature is not by any of the keys of the site.',
      )
      expect(await refusal(hs256(forged, claims(), { kid: 'open' }))).toBe(
        'the key that it names is for EdDSA, its alg is HS256.',
      )
      expect(await refusal(hs256(forged, claims()), [open])).toBe('the site has no key for HS256.')
    }
  })

  test('that brings or names a key of its own', async () => {
    const jwk = other.publicKey.export({ format: 'jwk' })
    for (const header of [
      { jwk },
      { jku: 'https://evil.test/keys' },
      { x5u: 'https://evil.test/x' },
      { x5c: ['AAAA'] },
    ]) {
      const reason = await refusal(eddsa(other.privateKey, claims(), header))
      expect(reason).toBe('its signature is not by the key of the site.')
      // They are not looked at: the right key's signature counts, whatever else is said.
      expect((await verify(eddsa(pair.privateKey, claims(), header))).subject).toBe('reader-1')
    }
  })

  test('that would be read in another way', async () => {
    const odd = 'its header must not have crit or b64.'
    expect(await refusal(hs256(secret, claims(), { crit: ['exp'], exp: at }))).toBe(odd)
    expect(await refusal(hs256(secret, claims(), { crit: [] }))).toBe(odd)
    expect(await refusal(hs256(secret, claims(), { b64: false }))).toBe(odd)
    expect(await refusal(hs256(secret, claims(), { b64: false, crit: ['b64'] }))).toBe(odd)
    expect(await refusal(hs256(secret, claims(), { b64: true }))).toBe(odd)
  })

  test('whose signature, header or claims were changed', async () => {
    const [header, payload, signature] = hs256(secret, claims()).split('.') as [string, string, string]
    const [, forged] = signingInput({}, claims({ sub: 'admin' })).split('.')
    const bent = `${signature[0] === 'A' ? 'B' : 'A'}${signature.slice(1)}`
    for (const token of [
      `${header}.${forged}.${signature}`,
      `${header}.${payload}.${bent}`,
      `${header}.${payload}.`,
      `${header}.${payload}.${signature.slice(0, 20)}`,
      eddsa(other.privateKey, claims()),
    ]) {
      expect(await refusal(token)).toMatch(/^its signature is not by|^it is not a signed JWT/)
    }
    // The signature of one algorithm under the name of the other.
    const signed = signingInput({ alg: 'HS256' }, claims())
    const ed = sign(null, Buffer.from(signed), pair.privateKey).toString('base64url')
    expect(await refusal(`${signed}.${ed}`)).toBe('its signature is not by any of the keys of the site.')
  })

  test('that is none', async () => {
    for (const token of ['', 'x', '..', 'a.b.c', 'a.b.c.d.e', '🌱.🌱.🌱', `${'x'.repeat(7_000)}.y.z`, '{}']) {
      expect(await refusal(token)).toBe('it is not a JWT.')
    }
    const headless = (header: unknown) =>
      `${Buffer.from(JSON.stringify(header)).toString('base64url')}.e30.AA`
    expect(await refusal(headless({}))).toBe('its header has no alg, or a kid that is no text.')
    expect(await refusal(headless({ alg: 5 }))).toBe('its header has no alg, or a kid that is no text.')
    expect(await refusal(headless({ alg: 'HS256', kid: 7 }))).toBe(
      'its header has no alg, or a kid that is no text.',
    )
    expect(await refusal(hs256(secret, 'not JSON'))).toBe('its payload is not JSON.')
    for (const payload of ['[]', 'null', '5', '"text"']) {
      expect(await refusal(hs256(secret, payload))).toBe('its payload is not an object.')
    }
  })

  test('that is for another site, or for nobody in particular', async () => {
    const words = `the claim aud must be the id of the site, ${site}.`
    for (const aud of ['zzzzzzzzzz', '', `${site} `, [], ['zzzzzzzzzz'], '*']) {
      expect(await refusal(hs256(secret, claims({ aud })))).toBe(words)
    }
    expect(await refusal(hs256(secret, claims({ aud: [5] })))).toBe(
      'the claim aud must be the id of the site.',
    )
    expect(await refusal(hs256(secret, claims({ aud: { [site]: true } })))).toBe(
      'the claim aud must be the id of the site.',
    )
  })

  test.each(['aud', 'sub', 'name', 'jti', 'iat', 'exp'])('that lacks %s', async (claim) => {
    expect(await refusal(hs256(secret, claims({ [claim]: undefined })))).toBe(
      `the claim ${claim} is missing.`,
    )
    expect(await refusal(hs256(secret, claims({ [claim]: null })))).toMatch(`the claim ${claim} must be`)
  })

  test.each([
    ['sub', '', 'must not be empty'],
    ['sub', 7, 'must be text'],
    ['sub', 'x'.repeat(201), 'has at most 200 characters'],
    ['sub', 'a\u0000b', 'must not hold control characters'],
    ['sub', 'a\ud800b', 'must not hold control characters'],
    ['jti', 'x'.repeat(201), 'has at most 200 characters'],
    ['jti', 'a\u0000b', 'must not hold control characters'],
    ['name', ' \u202e\n', 'must be one line of 1 to 60 characters'],
    ['name', 'x'.repeat(61), 'must be one line of 1 to 60 characters'],
    ['name', ['Ada'], 'must be text'],
    ['email', 5, 'must be text'],
    ['email', 'x'.repeat(321), 'has at most 320 characters'],
    ['exp', '1778061900', 'must be a number: seconds since 1970'],
    ['iat', now, 'must be in seconds, not milliseconds'],
    ['nbf', 'soon', 'must be a number: seconds since 1970'],
  ])('whose %s is %j', async (claim, value, words) => {
    expect(await refusal(hs256(secret, claims({ [claim]: value })))).toBe(`the claim ${claim} ${words}.`)
  })

  test('that holds too long, backwards, not yet, or not any more', async () => {
    const times = (more: Claims) => refusal(hs256(secret, claims(more)))
    expect(await times({ exp: at + 601 })).toBe('it holds for 601 s; it may hold for 600 s at most.')
    expect(await times({ iat: at - 400, exp: at + 300 })).toBe(
      'it holds for 700 s; it may hold for 600 s at most.',
    )
    expect(await times({ exp: at })).toBe('the claim exp must be later than iat.')
    expect(await times({ iat: at - 500, exp: at - 100 })).toBe('it ran out 100 s ago.')
    expect(await times({ iat: at + 90, exp: at + 120 })).toMatch('it begins to hold in 90 s only')
    expect(await times({ nbf: at + 200 })).toMatch('it begins to hold in 200 s only')
    expect((await verify(hs256(secret, claims({ exp: at + 600, nbf: at + 59 })))).subject).toBe('reader-1')
  })

  test('where the site has no keys, or not the one that is named', async () => {
    expect(await refusal(hs256(secret, claims()), [])).toBe('the site has no keys here; an admin makes them.')
    expect(await refusal(hs256(secret, claims(), { kid: 'gone' }))).toBe(
      'its header names a key (kid) that the site does not have.',
    )
    expect(await refusal(eddsa(pair.privateKey, claims()), [shared])).toBe('the site has no key for EdDSA.')
  })

  test('without a word of the secret or of what it says of a person', async () => {
    for (const token of [
      hs256(`${secret}!`, claims()),
      hs256(secret, claims({ aud: 'zzzzzzzzzz' })),
      hs256(secret, claims({ name: 'x'.repeat(61) })),
    ]) {
      const reason = await refusal(token)
      for (const word of [secret, 'reader-1', 'Ada', 'xxx']) expect(reason).not.toContain(word)
    }
  })
})
