import type { RawPage } from './article-extract.ts'
import type { Fetch, Fetched } from './fetch.ts'
import { FetchError } from './guard.ts'
import { articleLimits } from './limits.ts'
import { nameOf } from './preview.ts'

/** Fetches what is at `url`, if it can be read as text. Throws a FetchError, or the signal's reason. */
export async function fetchPage(fetch: Fetch, url: string, signal: AbortSignal): Promise<RawPage> {
  const fetched = await fetch(url, {
    types: ['text/html', 'application/xhtml+xml', 'application/pdf', 'text/plain', 'text/markdown'],
    maxBytes: articleLimits.pdfBytes,
    timeoutMs: articleLimits.fetchMs,
    signal,
  })
  const { type, charset } = fetched
  const max = type === 'application/pdf' ? articleLimits.pdfBytes : articleLimits.pageBytes
  return { type, charset, bytes: await readBytes(fetched, max), name: nameOf(fetched.url) }
}

/** The body in a buffer of its own, which can be handed to another thread. */
async function readBytes(fetched: Fetched, max: number): Promise<Uint8Array<ArrayBuffer>> {
  if ((fetched.announcedBytes ?? 0) > max) {
    fetched.close()
    throw new FetchError('too-large', `${fetched.announcedBytes} bytes announced`)
  }
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of fetched.body) {
    length += chunk.byteLength
    if (length > max) throw new FetchError('too-large', `more than ${max} bytes`)
    chunks.push(chunk)
  }
  const bytes = new Uint8Array(length)
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.byteLength
  }
  return bytes
}
