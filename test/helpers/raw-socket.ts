import { randomBytes } from 'node:crypto'
import net from 'node:net'

/** Opcodes of RFC 6455. */
export const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const

/** A WebSocket frame as a client sends it, with whatever about it may be wrong. */
export function clientFrame(
  opcode: number,
  payload: string | Buffer,
  { final = true, masked = true, reserved = 0, length }: FrameFaults = {},
): Buffer {
  const bytes = Buffer.from(payload as string)
  const said = length ?? bytes.length
  const size = said < 126 ? 2 : said < 65_536 ? 4 : 10
  const header = Buffer.alloc(size)
  header[0] = (final ? 0x80 : 0) | (reserved << 4) | opcode
  header[1] = (masked ? 0x80 : 0) | (size === 2 ? said : size === 4 ? 126 : 127)
  if (size === 4) header.writeUInt16BE(said, 2)
  if (size === 10) header.writeBigUInt64BE(BigInt(said), 2)
  if (!masked) return Buffer.concat([header, bytes])
  const mask = randomBytes(4)
  for (let i = 0; i < bytes.length; i++) bytes[i]! ^= mask[i % 4]!
  return Buffer.concat([header, mask, bytes])
}

export interface FrameFaults {
  final?: boolean
  masked?: boolean
  /** The three reserved bits. */
  reserved?: number
  /** What the header says, where that is not the payload's length. */
  length?: number
}

/** A TCP connection that speaks WebSocket as far as it is told to. */
export interface RawSocket {
  /** Status of the answer to the upgrade; 0 while there is none. */
  readonly status: number
  /** Lines of the server's text frames, parsed. */
  readonly messages: { type: string; [field: string]: unknown }[]
  /** Code of the server's close frame. */
  readonly closeCode: number | undefined
  /** The server closed its side. */
  readonly ended: boolean
  write(...chunks: (string | Buffer)[]): void
  /** Resolves with true once `condition` holds, with false when the connection ends before. Rejects after ten seconds. */
  until(condition: (socket: RawSocket) => boolean): Promise<boolean>
  destroy(): void
}

const patienceMs = 10_000

/** Connects, and keeps what the server says. Without `allowHalfOpen` it closes its side when the server does. */
export function connectRaw(url: string, { allowHalfOpen = false } = {}): RawSocket {
  const { hostname, port } = new URL(url)
  const socket = net.connect({ host: hostname, port: Number(port), allowHalfOpen })
  const waiting = new Set<() => void>()
  const messages: RawSocket['messages'] = []
  let received = Buffer.alloc(0)
  let status = 0
  let closeCode: number | undefined
  let ended = false

  const look = () => waiting.forEach((check) => check())
  const end = () => {
    ended = true
    look()
  }
  // Both sides may cut the connection at any time here.
  socket.on('error', () => undefined)
  socket.on('end', end)
  socket.on('close', end)
  socket.on('data', (chunk) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk])
    if (status === 0) readAnswer()
    if (status === 101) while (readFrame());
    look()
  })

  function readAnswer(): void {
    const head = received.indexOf('\r\n\r\n')
    if (head === -1) return
    status = Number(/^HTTP\/1\.1 (\d+)/.exec(received.toString('latin1', 0, head))?.[1] ?? -1)
    received = received.subarray(head + 4)
  }

  function readFrame(): boolean {
    if (received.length < 2) return false
    const short = received[1]! & 0x7f
    const start = short < 126 ? 2 : short === 126 ? 4 : 10
    if (received.length < start) return false
    const length =
      short < 126 ? short : short === 126 ? received.readUInt16BE(2) : Number(received.readBigUInt64BE(2))
    if (received.length < start + length) return false
    const opcode = received[0]! & 0x0f
    const payload = received.subarray(start, start + length)
    received = received.subarray(start + length)
    if (opcode === opcodes.text) {
      for (const line of payload.toString().split('\n'))
        messages.push(JSON.parse(line) as RawSocket['messages'][number])
    }
    if (opcode === opcodes.close) closeCode = payload.length >= 2 ? payload.readUInt16BE(0) : 1005
    return true
  }

  const raw: RawSocket = {
    get status() {
      return status
    },
    messages,
    get closeCode() {
      return closeCode
    },
    get ended() {
      return ended
    },
    write: (...chunks) =>
      void socket.write(Buffer.concat(chunks.map((chunk) => Buffer.from(chunk as string)))),
    until: (condition) =>
      new Promise((resolve, reject) => {
        const check = () => {
          if (!condition(raw) && !ended) return
          clearTimeout(timer)
          waiting.delete(check)
          resolve(condition(raw))
        }
        const timer = setTimeout(() => {
          waiting.delete(check)
          reject(
            new Error(`the server did not do it: status ${status}, ${JSON.stringify(messages.slice(-3))}`),
          )
        }, patienceMs)
        waiting.add(check)
        check()
      }),
    destroy: () => void socket.destroy(),
  }
  return raw
}

/** The request that opens a WebSocket at `/live`; headers may be overridden, or left out by undefined. */
export function upgradeRequest(
  url: string,
  overrides: Record<string, string | undefined> = {},
  line = 'GET /live HTTP/1.1',
): string {
  const headers: Record<string, string | undefined> = {
    Host: new URL(url).host,
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': randomBytes(16).toString('base64'),
    ...overrides,
  }
  const lines = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}: ${value}`],
  )
  return [line, ...lines, '', ''].join('\r\n')
}
