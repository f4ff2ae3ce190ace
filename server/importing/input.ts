import fs from 'node:fs'
import { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { Problem } from '../../shared/errors.ts'

/**
 * The text of a file piece by piece, `-` for standard input; of a file that gzip has compressed, the text inside.
 * Problems: invalid where the compressed data ends early or is damaged.
 */
export async function* textOf(file: string): AsyncGenerator<string, void, void> {
  const input: Readable = file === '-' ? process.stdin : (await fs.promises.open(file)).createReadStream()
  const decoder = new TextDecoder()
  for await (const bytes of unpacked(input)) yield decoder.decode(bytes, { stream: true })
  yield decoder.decode()
}

async function* unpacked(input: Readable): AsyncGenerator<Uint8Array, void, void> {
  const chunks = input[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  const first = await chunks.next()
  if (first.done === true) return
  const all = after(first.value, chunks)
  const isGzip = first.value[0] === 0x1f && first.value[1] === 0x8b
  if (!isGzip) return yield* all
  const source = Readable.from(all)
  const gunzip = createGunzip()
  source.on('error', (error) => gunzip.destroy(error))
  try {
    for await (const bytes of source.pipe(gunzip)) yield bytes as Uint8Array
  } catch (error) {
    if (!String((error as NodeJS.ErrnoException).code).startsWith('Z_')) throw error
    throw new Problem('invalid', { detail: `the compressed file is damaged or ends early`, cause: error })
  }
}

async function* after(first: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer, void, void> {
  yield first
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value
}
