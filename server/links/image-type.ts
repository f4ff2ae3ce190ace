export type ImageType = 'image/png' | 'image/jpeg' | 'image/gif' | 'image/webp' | 'image/avif'

/** What kind of image `bytes` are by how they begin. Null for everything else, SVG included: it is a document with scripts. */
export function imageType(bytes: Uint8Array): ImageType | null {
  // 64 bytes hold every signature, and the list of an AVIF's brands.
  const start = Buffer.from(bytes.subarray(0, 64)).toString('latin1')
  if (start.startsWith('\x89PNG\r\n\x1a\n')) return 'image/png'
  if (start.startsWith('\xff\xd8\xff')) return 'image/jpeg'
  if (start.startsWith('GIF87a') || start.startsWith('GIF89a')) return 'image/gif'
  if (start.startsWith('RIFF') && start.startsWith('WEBP', 8)) return 'image/webp'
  if (start.startsWith('ftyp', 4) && /^.{8}(?:.{4})*?avi[fs]/s.test(start)) return 'image/avif'
  return null
}
