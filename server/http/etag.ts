import { protocolVersion } from '../../shared/protocol.ts'

/** The tag of a thread's version. Weak: the same version may be said in other words (a link's image moved, an author's new name). */
export function etagOf(thread: string, seq: number): string {
  return `W/"${protocolVersion}.${thread}.${seq}"`
}

/** Whether If-None-Match names the version; weak and strong tags are alike there (RFC 9110, 13.1.2). */
export function isKnown(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false
  const tags = header.split(',').map((tag) => tag.trim().replace(/^W\//, ''))
  return tags.includes(etag.replace(/^W\//, '')) || header.trim() === '*'
}
