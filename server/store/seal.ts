import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'

const algorithm = 'aes-256-gcm'
const version = 'v1.'
const nonceBytes = 12
const tagBytes = 16
const keyBytes = 32

/** What a secret in the database is for, and the id of the row that has it. It opens for that purpose and row alone. */
export interface Sealed {
  readonly purpose: string
  readonly id: string
}

/** Encrypts a text for the database, with a key made from the server's own secret for this purpose. */
export function seal(secret: string, { purpose, id }: Sealed, text: string): string {
  const nonce = randomBytes(nonceBytes)
  const cipher = createCipheriv(algorithm, derive(secret, purpose), nonce).setAAD(Buffer.from(id))
  const sealed = [nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]
  return version + Buffer.concat(sealed).toString('base64url')
}

/** The text again; undefined where it cannot be opened: the server has another secret now, or somebody changed the row. */
export function unseal(secret: string, { purpose, id }: Sealed, sealed: string): string | undefined {
  if (!sealed.startsWith(version)) return undefined
  const bytes = Buffer.from(sealed.slice(version.length), 'base64url')
  const nonce = bytes.subarray(0, nonceBytes)
  const tag = bytes.subarray(-tagBytes)
  try {
    const key = derive(secret, purpose)
    const decipher = createDecipheriv(algorithm, key, nonce, { authTagLength: tagBytes })
    decipher.setAAD(Buffer.from(id)).setAuthTag(tag)
    return decipher.update(bytes.subarray(nonceBytes, -tagBytes), undefined, 'utf8') + decipher.final('utf8')
  } catch {
    return undefined
  }
}

function derive(secret: string, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', purpose, keyBytes))
}
