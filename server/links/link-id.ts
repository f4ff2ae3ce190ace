import { createHash } from 'node:crypto'

/**
 * `url` in the one spelling under which its preview is kept: host in lower case, no default port, no fragment. What
 * is no address at all comes back as it is, but for what a database cannot keep.
 */
export function normaliseUrl(url: string): string {
  if (!URL.canParse(url)) return url.toWellFormed().replaceAll('\0', '')
  const parsed = new URL(url)
  parsed.hash = ''
  return parsed.href
}

/** The id of the link to `url`: the SHA-256 of its normalised address, base64url. */
export function linkId(url: string): string {
  return createHash('sha256').update(normaliseUrl(url)).digest('base64url')
}
