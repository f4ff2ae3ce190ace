import { createPublicKey, randomBytes, type KeyObject } from 'node:crypto'
import type { Logger } from 'pino'
import { Problem } from '../../shared/errors.ts'
import type { AddSiteKey } from '../../shared/site.ts'
import type { Db } from '../store/database.ts'
import { seal, unseal } from '../store/seal.ts'
import { deleteSiteKey, insertSiteKey, listSiteKeys, type SiteKeyRow } from '../store/sites.ts'
import type { VerifyingKey } from './host-tokens.ts'
import { siteLimits } from './limits.ts'

/** The keys that sites' servers sign their people's tokens with. */
export interface SiteKeys {
  /** Those of a site, for checking. Read anew each time, so that one that was revoked is out at once on all nodes. */
  of(siteId: string): Promise<VerifyingKey[]>
  /** Makes or takes a key. `secret` is told this once. Throws `site-not-found`, `invalid`. */
  add(siteId: string, input: AddSiteKey): Promise<{ row: SiteKeyRow; secret?: string }>
  /** Whether there was one. */
  remove(siteId: string, id: string): Promise<boolean>
}

export interface SiteKeyParts {
  readonly db: Db
  /** The server's secret, by which secrets are encrypted. */
  readonly secret: string
  readonly log: Logger
}

// Part of what secrets are encrypted with: with another text, none could be read any more.
const purpose = 'numinex site keys'
const secretBytes = 32

export function createSiteKeys(parts: SiteKeyParts): SiteKeys {
  const { db, secret } = parts
  return {
    async of(siteId) {
      const rows = await listSiteKeys(db, siteId)
      return rows.flatMap((row) => verifying(parts, row) ?? [])
    },
    async add(siteId, input) {
      const id = randomBytes(9).toString('base64url')
      const made = input.algorithm === 'HS256' ? randomBytes(secretBytes).toString('base64url') : undefined
      const key =
        input.algorithm === 'EdDSA'
          ? publicKeyOf(input.publicKey).export({ type: 'spki', format: 'pem' }).toString()
          : seal(secret, { purpose, id }, made!)
      const { name, algorithm } = input
      const row = await insertSiteKey(db, { id, site_id: siteId, name, algorithm, key }, siteLimits.keys)
      if (row !== undefined) return { row, ...(made !== undefined && { secret: made }) }
      throw new Problem('invalid', {
        detail: `A site has at most ${siteLimits.keys} keys. Revoke one first.`,
      })
    },
    remove: (siteId, id) => deleteSiteKey(db, siteId, id),
  }
}

function verifying({ secret, log }: SiteKeyParts, row: SiteKeyRow): VerifyingKey | undefined {
  const { id, algorithm } = row
  if (algorithm === 'EdDSA') return { id, algorithm, key: createPublicKey(row.key) }
  const opened = unseal(secret, { purpose, id }, row.key)
  // Its text as admins were shown it, not the bytes that it spells: so do the libraries of most languages.
  if (opened !== undefined) return { id, algorithm, key: Buffer.from(opened) }
  log.warn(
    { site: row.site_id, key: id },
    "a site's secret cannot be read: AUTH_SECRET was changed since it was made",
  )
  return undefined
}

function publicKeyOf(pem: string): KeyObject {
  // The library would make the public key of it, and its owner would never know what they have given away.
  if (pem.includes('PRIVATE KEY')) {
    throw refused('is a private key. Keep it to yourself, make a new pair, and give the public key of that')
  }
  let key: KeyObject | undefined
  try {
    key = createPublicKey({ key: pem.trim(), format: 'pem' })
  } catch {
    throw refused('is not a public key in PEM: it begins with -----BEGIN PUBLIC KEY-----')
  }
  if (key.asymmetricKeyType === 'ed25519') return key
  throw refused(`is a key for ${key.asymmetricKeyType ?? 'something else'}; EdDSA needs one for Ed25519`)
}

function refused(message: string): Problem {
  return new Problem('invalid', {
    detail: `The key ${message}.`,
    issues: [{ path: '/publicKey', message }],
  })
}
