import type { KeyObject } from 'node:crypto'
import { compactVerify, decodeProtectedHeader, errors } from 'jose'
import * as z from 'zod/mini'
import { Problem } from '../../shared/errors.ts'
import { displayName, storable } from '../../shared/http.ts'
import { limits } from '../../shared/limits.ts'
import { keyAlgorithms } from '../../shared/site.ts'
import { signInLimits } from './sign-in-limits.ts'

// Tokens (JWT) by which a host page's own server says who its reader is. What they are refused for is told in words for
// the developer of that server, and never holds anything of the key or of the token's claims about a person.

/** A key of a site. Of HS256: the bytes of the secret as admins were shown it. Of EdDSA: the public key, Ed25519. */
export interface VerifyingKey {
  readonly id: string
  readonly algorithm: (typeof keyAlgorithms)[number]
  readonly key: KeyObject | Uint8Array
}

/** Whom a host's server vouches for. */
export interface HostReader {
  /** Who it is, among the site's people. */
  readonly subject: string
  readonly name: string
  /** In small letters. Not to be stored in clear. */
  readonly email?: string
  /** Names this token among the site's. */
  readonly tokenId: string
  readonly expiresAt: Date
}

export interface HostTokenParts {
  keysOf(siteId: string): Promise<readonly VerifyingKey[]>
  /** Milliseconds since 1970. */
  now(): number
}

/** The reader that a token of the site `siteId` vouches for. Throws `token-refused`, with what is wrong. */
export async function verifyHostToken(
  { keysOf, now }: HostTokenParts,
  siteId: string,
  token: string,
): Promise<HostReader> {
  const { alg, kid } = headerOf(token)
  const keys = await keysOf(siteId)
  if (keys.length === 0) throw refused('the site has no keys here; an admin makes them')
  const payload = await verified(token, candidates(keys, alg, kid))
  const claims = claimsOf(payload)
  checkAudience(claims.aud, siteId)
  checkTimes(claims, now() / 1000)
  const { sub: subject, name, email, jti: tokenId, exp } = claims
  return {
    subject,
    name,
    tokenId,
    expiresAt: new Date(exp * 1000),
    ...(email && { email: email.trim().toLowerCase() }),
  }
}

// Keys that the token itself names or carries (jwk, jku, x5c, x5u) are not looked at: the site's are stored here.
const header = z.object({ alg: z.string(), kid: z.optional(z.string()) })

function headerOf(token: string): z.infer<typeof header> {
  let decoded: Record<string, unknown>
  try {
    decoded = decodeProtectedHeader(token)
  } catch {
    throw refused('it is not a JWT')
  }
  const { data } = header.safeParse(decoded)
  if (data === undefined) throw refused('its header has no alg, or a kid that is no text')
  // Extensions would change what is signed or how it is read.
  if (decoded['crit'] !== undefined || decoded['b64'] !== undefined) {
    throw refused('its header must not have crit or b64')
  }
  return data
}

/** The keys that may have signed it. The algorithm is the key's own, whatever the token says. */
function candidates(keys: readonly VerifyingKey[], alg: string, kid: string | undefined): VerifyingKey[] {
  if (!keyAlgorithms.some((known) => known === alg)) {
    throw refused(`its header says another alg than ${keyAlgorithms.join(' or ')}`)
  }
  const named = kid === undefined ? keys : keys.filter((key) => key.id === kid)
  if (named.length === 0) throw refused('its header names a key (kid) that the site does not have')
  const fitting = named.filter((key) => key.algorithm === alg)
  if (fitting.length > 0) return fitting
  throw refused(
    kid === undefined
      ? `the site has no key for ${alg}`
      : `the key that it names is for ${named[0]!.algorithm}, its alg is ${alg}`,
  )
}

async function verified(token: string, keys: readonly VerifyingKey[]): Promise<Uint8Array> {
  for (const { key, algorithm } of keys) {
    try {
      return (await compactVerify(token, key, { algorithms: [algorithm] })).payload
    } catch (error) {
      if (error instanceof errors.JWSSignatureVerificationFailed) continue
      if (error instanceof errors.JOSEError) throw refused('it is not a signed JWT', error)
      throw error
    }
  }
  throw refused(
    keys.length === 1
      ? 'its signature is not by the key of the site'
      : 'its signature is not by any of the keys of the site',
  )
}

const id = z.string('must be text').check(
  z.minLength(1, 'must not be empty'),
  z.maxLength(signInLimits.tokenIdMax, `has at most ${signInLimits.tokenIdMax} characters`),
  z.refine((value: string) => storable(value) === value, 'must not hold control characters'),
)
/** Beyond any year that is meant in seconds. */
const milliseconds = 1e11
const seconds = z
  .number('must be a number: seconds since 1970')
  .check(z.refine((value: number) => Math.abs(value) < milliseconds, 'must be in seconds, not milliseconds'))
const claims = z.object({
  aud: z.union([z.string(), z.array(z.string())], 'must be the id of the site'),
  sub: id,
  name: z.pipe(
    z.string('must be text'),
    z.string().check(
      z.overwrite((value: string) => value.normalize('NFC')),
      z.refine(
        (value: string) => displayName.safeParse(value).success,
        `must be one line of 1 to ${limits.nameMax} characters`,
      ),
      z.overwrite((value: string) => displayName.safeParse(value).data ?? value),
    ),
  ),
  email: z.nullish(
    z
      .string('must be text')
      .check(z.maxLength(signInLimits.emailMax, `has at most ${signInLimits.emailMax} characters`)),
  ),
  jti: id,
  iat: seconds,
  exp: seconds,
  nbf: z.optional(seconds),
})

function claimsOf(payload: Uint8Array): z.infer<typeof claims> {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload))
  } catch {
    throw refused('its payload is not JSON')
  }
  const { data, error } = claims.safeParse(value)
  if (data !== undefined) return data
  const { path, message } = error!.issues[0]!
  if (path.length === 0) throw refused('its payload is not an object')
  const claim = String(path[0])
  const missing = !Object.hasOwn(value as object, claim)
  throw refused(missing ? `the claim ${claim} is missing` : `the claim ${claim} ${message}`)
}

/** A token may be for others as well; it must be for us by name. */
function checkAudience(aud: string | string[], siteId: string): void {
  if (aud === siteId || (Array.isArray(aud) && aud.includes(siteId))) return
  throw refused(`the claim aud must be the id of the site, ${siteId}`)
}

function checkTimes({ iat, exp, nbf }: { iat: number; exp: number; nbf?: number | undefined }, now: number) {
  const { tokenLifetime, clockTolerance } = signInLimits
  if (exp <= iat) throw refused('the claim exp must be later than iat')
  if (exp - iat > tokenLifetime) {
    throw refused(`it holds for ${Math.round(exp - iat)} s; it may hold for ${tokenLifetime} s at most`)
  }
  if (now >= exp + clockTolerance) throw refused(`it ran out ${Math.round(now - exp)} s ago`)
  const start = Math.max(iat, nbf ?? iat)
  if (start > now + clockTolerance) {
    const early = Math.round(start - now)
    throw refused(`it begins to hold in ${early} s only; look at the clock of the server that made it`)
  }
}

/** `why` is for the developer of the host's server. */
export function refused(why: string, cause?: unknown): Problem {
  return new Problem('token-refused', { detail: `The token of the host page was refused: ${why}.`, cause })
}
