import { linkLimits } from './limits.ts'

/**
 * The text of an HTML body. Its encoding is what a byte order mark says, else the header's `charset`, else a
 * `<meta>` near the beginning, else UTF-8. Broken bytes become U+FFFD.
 */
export async function* decodeHtml(
  body: AsyncIterable<Uint8Array>,
  charset: string | undefined,
): AsyncGenerator<string, void, undefined> {
  let decoder: TextDecoder | undefined
  let beginning = new Uint8Array()
  for await (const chunk of body) {
    if (decoder) {
      yield decoder.decode(chunk, { stream: true })
      continue
    }
    beginning = Buffer.concat([beginning, chunk])
    if (beginning.byteLength < linkLimits.charsetBytes) continue
    decoder = decoderFor(beginning, charset)
    yield decoder.decode(beginning, { stream: true })
  }
  yield decoder ? decoder.decode() : decoderFor(beginning, charset).decode(beginning)
}

function decoderFor(beginning: Uint8Array, charset: string | undefined): TextDecoder {
  const label = markOf(beginning) ?? charset ?? metaCharset(beginning) ?? 'utf-8'
  try {
    return new TextDecoder(label)
  } catch {
    return new TextDecoder('utf-8')
  }
}

function markOf([first, second, third]: Uint8Array): string | undefined {
  if (first === 0xef && second === 0xbb && third === 0xbf) return 'utf-8'
  if (first === 0xfe && second === 0xff) return 'utf-16be'
  if (first === 0xff && second === 0xfe) return 'utf-16le'
  return undefined
}

function metaCharset(beginning: Uint8Array): string | undefined {
  const ascii = Buffer.from(beginning.subarray(0, linkLimits.charsetBytes)).toString('latin1')
  const label = /<meta\b[^>]{0,200}\bcharset\s{0,9}=\s{0,9}["']?([\w:.-]{1,40})/i
    .exec(ascii)?.[1]
    ?.toLowerCase()
  // Whoever could read that tag byte by byte does not read UTF-16.
  return label?.startsWith('utf-16') === true ? 'utf-8' : label
}
