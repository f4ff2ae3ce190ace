import { promisify } from 'node:util'
import { brotliCompress, constants, deflate, deflateRaw, gzip } from 'node:zlib'
import type { Ctx } from './context.ts'
import { answerLimits } from './limits.ts'

/** How the bytes of an answer may be packed, the best first. */
const encodings = ['br', 'gzip', 'deflate'] as const
export type Encoding = (typeof encodings)[number]
/** How bytes may be packed: also as a part of an answer (`joined-gzip.ts`). */
export type Packing = Encoding | 'deflate-raw'

/**
 * The encoding to answer in to an Accept-Encoding; undefined for none. Among those that are wanted equally the smaller one
 * is taken (RFC 9110, 12.5.3). `offered` names those that there are, the best first.
 */
export function chooseEncoding(
  accept: string | undefined,
  offered: readonly Encoding[] = encodings,
): Encoding | undefined {
  if (accept === undefined || accept === '') return undefined
  const weights = new Map<string, number>()
  for (const part of accept.toLowerCase().split(',')) {
    const [name = '', ...parameters] = part.split(';').map((text) => text.trim())
    const weight = parameters.find((text) => text.startsWith('q='))
    weights.set(name, weight === undefined ? 1 : Number(weight.slice(2)) || 0)
  }
  const weightOf = (name: string) => weights.get(name) ?? weights.get('*') ?? 0
  let best: Encoding | undefined
  for (const encoding of offered) {
    if (weightOf(encoding) > (best === undefined ? 0 : weightOf(best))) best = encoding
  }
  return best
}

/** The encoding for who asks. */
export function encodingFor(c: Ctx): Encoding | undefined {
  return chooseEncoding(c.req.header('accept-encoding'))
}

const zippers = { gzip: promisify(gzip), deflate: promisify(deflate), 'deflate-raw': promisify(deflateRaw) }
const brotli = promisify(brotliCompress)

/** Packs bytes, off the main thread. */
export function compressed(bytes: Buffer, encoding: Packing): Promise<Buffer> {
  if (encoding !== 'br') return zippers[encoding](bytes, { level: answerLimits.zipLevel })
  return brotli(bytes, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: answerLimits.brotliQuality,
      [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
    },
  })
}
