import { constants, crc32, deflateRawSync } from 'node:zlib'

/** The header of a gzip file without a name, time or system (RFC 1952, section 2.3). */
const header = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff])

/** What follows, as it is and packed by itself as deflate data (RFC 1951). */
export interface Following {
  readonly plain: Buffer
  readonly packed: Buffer
}

/**
 * A gzip file of a short beginning and what follows it, which was packed before, once for all who get it: the beginning ends
 * at the border of a byte without ending the data, and what follows refers to nothing before it.
 */
export function joinedGzip(beginning: Buffer, following: Following): Buffer {
  const begun = deflateRawSync(beginning, { finishFlush: constants.Z_SYNC_FLUSH })
  const trailer = Buffer.alloc(8)
  // Of no bytes, zlib's answer is the checksum of nothing, whatever came before.
  const sum = following.plain.length === 0 ? crc32(beginning) : crc32(following.plain, crc32(beginning))
  trailer.writeUInt32LE(sum, 0)
  trailer.writeUInt32LE((beginning.length + following.plain.length) % 2 ** 32, 4)
  return Buffer.concat([header, begun, following.packed, trailer])
}
