import type { IncomingMessage } from 'node:http'
import { pipeline, type Readable } from 'node:stream'
import zlib from 'node:zlib'
import { FetchError } from './guard.ts'
import { linkLimits } from './limits.ts'

/**
 * The decompressed body of `response`, up to `maxBytes`, while `signal` is not aborted. `onClose` is called once,
 * when the body has ended, was left or was closed; the connection is gone then.
 */
export function readBody(
  response: IncomingMessage,
  maxBytes: number,
  signal: AbortSignal,
  onClose: () => void,
) {
  const decoder = decoderFor(response.headers['content-encoding']?.trim().toLowerCase())
  // Errors of either stream come out of reading the last one.
  const body: Readable = decoder ? pipeline(response, decoder, () => {}) : response
  body.on('error', () => {})

  const abort = () => close(signal.reason as Error)
  signal.addEventListener('abort', abort, { once: true })
  if (signal.aborted) abort()

  return { body: read(), close: () => close() }

  function close(reason?: Error): void {
    signal.removeEventListener('abort', abort)
    // With a decoder, the pipeline destroys the response too.
    body.destroy(reason)
    onClose()
  }

  async function* read(): AsyncGenerator<Uint8Array, void, undefined> {
    let bytes = 0
    try {
      for await (const chunk of body as AsyncIterable<Uint8Array>) {
        bytes += chunk.byteLength
        if (bytes > maxBytes) throw new FetchError('too-large', `more than ${maxBytes} bytes`)
        if (decoder && bytes > linkLimits.ratioFromBytes && bytes > decoder.bytesWritten * linkLimits.ratio) {
          throw new FetchError('too-large', 'compressed beyond reason')
        }
        yield chunk
      }
    } catch (error) {
      if (signal.aborted) throw signal.reason
      throw error instanceof FetchError
        ? error
        : new FetchError('network', 'the body broke off', { cause: error })
    } finally {
      close()
    }
  }
}

function decoderFor(encoding: string | undefined): zlib.Unzip | zlib.BrotliDecompress | undefined {
  if (encoding === 'br') return zlib.createBrotliDecompress()
  // Unzip tells gzip from deflate by itself.
  if (encoding === 'gzip' || encoding === 'x-gzip' || encoding === 'deflate') return zlib.createUnzip()
  return undefined
}
