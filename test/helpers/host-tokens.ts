import { createHmac, sign, type KeyObject } from 'node:crypto'

/** What a host's server signs. Anything may be left out or be wrong. */
export type Claims = Record<string, unknown>

/** Claims that are right, for a token made at `now` (milliseconds since 1970). */
export function goodClaims(site: string, now = Date.now(), more: Claims = {}): Claims {
  const iat = Math.floor(now / 1000)
  const jti = `token-${Math.random().toString(36).slice(2)}`
  return { aud: site, sub: 'reader-1', name: 'Ada Lovelace', iat, exp: iat + 300, jti, ...more }
}

/** A token as a host's server makes it, by no library, so that it can be made wrong. */
export function hs256(secret: string | Uint8Array, claims: unknown, header: Claims = {}): string {
  const signed = signingInput({ alg: 'HS256', typ: 'JWT', ...header }, claims)
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`
}

export function eddsa(key: KeyObject, claims: unknown, header: Claims = {}): string {
  const signed = signingInput({ alg: 'EdDSA', ...header }, claims)
  return `${signed}.${sign(null, Buffer.from(signed), key).toString('base64url')}`
}

export function signingInput(header: Claims, claims: unknown): string {
  const part = (value: unknown) =>
    Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
  return `${part(header)}.${part(claims)}`
}
