/**
 * Walks the WebSocket frames of a byte stream without looking at what is in them: thousands of viewers must cost less than
 * the server that is measured.
 */
export interface Walker {
  /** Whether the payloads of messages are kept and handed over. Those of control frames and the shortest ones always are. */
  keep: boolean
  onPayload: (opcode: number, payload: Buffer) => void
  /** Bytes that a message must have to be counted. Shorter ones are no posts: pings, counts of viewers, heads. */
  shortest: number
  /** Messages that are counted, and the bytes of their payloads. */
  frames: number
  bytes: number
  /** Which byte of the header comes next: the first, the second, or one of the long form of the length. */
  next: 'first' | 'second' | 'length'
  opcode: number
  lengthBytes: number
  length: number
  /** Bytes of the payload that have not come yet. */
  left: number
  kept: Buffer | undefined
}

export const opcodes = { text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const

export function createWalker(onPayload: Walker['onPayload']): Walker {
  return {
    keep: true,
    onPayload,
    shortest: 2,
    frames: 0,
    bytes: 0,
    next: 'first',
    opcode: 0,
    lengthBytes: 0,
    length: 0,
    left: 0,
    kept: undefined,
  }
}

/** Takes the bytes of `chunk` from `at` to `end`. They may begin and end anywhere in a frame. */
export function walk(walker: Walker, chunk: Buffer, at: number, end: number): void {
  while (at < end) {
    if (walker.left > 0) {
      const take = Math.min(walker.left, end - at)
      walker.kept?.set(chunk.subarray(at, at + take), walker.length - walker.left)
      walker.left -= take
      at += take
      if (walker.left === 0) finish(walker)
      continue
    }
    const byte = chunk[at++]!
    if (walker.next === 'first') {
      // None of the measured servers splits a message.
      if ((byte & 0x80) === 0) throw new Error('a frame is a fragment')
      walker.opcode = byte & 0x0f
      walker.next = 'second'
    } else if (walker.next === 'second') {
      if ((byte & 0x80) !== 0) throw new Error('the server masks its frames')
      const length = byte & 0x7f
      if (length < 126) begin(walker, length)
      else {
        walker.next = 'length'
        walker.lengthBytes = length === 126 ? 2 : 8
        walker.length = 0
      }
    } else {
      walker.length = walker.length * 256 + byte
      if (--walker.lengthBytes === 0) begin(walker, walker.length)
    }
  }
}

function begin(walker: Walker, length: number): void {
  walker.next = 'first'
  walker.length = length
  walker.left = length
  if (walker.keep || length < 2 || walker.opcode >= opcodes.close) walker.kept = Buffer.allocUnsafe(length)
  if (length === 0) finish(walker)
}

function finish(walker: Walker): void {
  const { kept, opcode, length } = walker
  if (opcode < opcodes.close && length >= walker.shortest) {
    walker.frames++
    walker.bytes += length
  }
  walker.kept = undefined
  if (kept) walker.onPayload(opcode, kept)
}

/** A frame of a client: masked, as the protocol demands. `mask` is four bytes; zeros leave the payload as it is. */
export function clientFrame(opcode: number, payload: Buffer, mask: Buffer = Buffer.alloc(4)): Buffer {
  if (payload.length > 0xffff) throw new Error('too long for a client here')
  const long = payload.length > 125
  const head = Buffer.alloc(long ? 4 : 2)
  head[0] = 0x80 | opcode
  head[1] = 0x80 | (long ? 126 : payload.length)
  if (long) head.writeUInt16BE(payload.length, 2)
  return Buffer.concat([head, mask, payload.map((byte, i) => byte ^ mask[i % 4]!)])
}
