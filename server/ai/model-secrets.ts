import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'

const algorithm = 'aes-256-gcm'
const version = 'v1.'
const nonceBytes = 12
const tagBytes = 16

/**
 * Encrypts a model's key for the database, with a key made from the site's secret. It opens for that model alone, so it
 * cannot be moved to another, whose server would then be shown it.
 */
export function sealKey(secret: string, modelId: string, apiKey: string): string {
  const nonce = randomBytes(nonceBytes)
  const cipher = createCipheriv(algorithm, derive(secret), nonce).setAAD(Buffer.from(modelId))
  const sealed = [nonce, cipher.update(apiKey, 'utf8'), cipher.final(), cipher.getAuthTag()]
  return version + Buffer.concat(sealed).toString('base64url')
}

/** The key again; undefined where it cannot be opened: the site has another secret now, or somebody changed the row. */
export function openKey(secret: string, modelId: string, sealed: string): string | undefined {
  if (!sealed.startsWith(version)) return undefined
  const bytes = Buffer.from(sealed.slice(version.length), 'base64url')
  const nonce = bytes.subarray(0, nonceBytes)
  const tag = bytes.subarray(-tagBytes)
  try {
    const decipher = createDecipheriv(algorithm, derive(secret), nonce, { authTagLength: tagBytes })
    decipher.setAAD(Buffer.from(modelId)).setAuthTag(tag)
    return decipher.update(bytes.subarray(nonceBytes, -tagBytes), undefined, 'utf8') + decipher.final('utf8')
  } catch {
    return undefined
  }
}

function derive(secret: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', 'numinex model keys', 32))
}
