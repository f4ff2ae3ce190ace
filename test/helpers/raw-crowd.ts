import net from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { clientFrame, opcodes, upgradeRequest } from './raw-socket.ts'

/** Milliseconds of the clock that all processes of this machine share. */
export const sharedNow = () => Number(process.hrtime.bigint()) / 1e6

export interface Joined {
  /** From the first connection until the last client was answered. */
  ms: number
  /** Of the first `joined`. */
  bytes: number
}

/**
 * Answers the orders of the process that forked this one: `join`, so many at once, resolves when all have joined; `cut` breaks
 * all connections off without a word; `hear` gives when each client was sent a text that has a mark in it.
 */
export function serveCrowd(): void {
  const open = new Set<net.Socket>()
  let join: { url: string; thread: string; after: number; count: number }
  let onFrame: (frame: Buffer, socket: net.Socket) => void = () => undefined
  const answers: Record<string, (order: never) => Promise<unknown>> = { join: joinAll, cut, hear }
  process.on('message', (order: { do: string }) => {
    void answers[order.do]!(order as never).then((answer) => process.send!(answer ?? {}))
  })

  function joinAll(order: typeof join): Promise<Joined> {
    join = order
    const begun = sharedNow()
    let bytes = 0
    return new Promise((resolve) => {
      let done = 0
      onFrame = (frame) => {
        if (!frame.includes('"type":"joined"')) return
        bytes ||= frame.length
        if (++done === order.count) resolve({ ms: sharedNow() - begun, bytes })
      }
      for (let i = 0; i < order.count; i++) connect()
    })
  }

  function connect(): void {
    const { hostname, port } = new URL(join.url)
    const buffer = shared
    let rest: Buffer | undefined
    let upgraded = false
    const socket = net.connect({
      host: hostname,
      port: Number(port),
      onread: {
        buffer,
        callback(length) {
          const chunk = buffer.subarray(0, length)
          rest = read(rest === undefined ? chunk : Buffer.concat([rest, chunk]))
          return true
        },
      },
    })
    socket.on('error', (error) => console.error('client:', error.message))
    socket.on('close', () => open.delete(socket))
    open.add(socket)
    socket.write(request(join.url))

    function read(bytes: Buffer): Buffer | undefined {
      let at = 0
      if (!upgraded) {
        const end = bytes.indexOf('\r\n\r\n')
        if (end < 0) return Buffer.from(bytes)
        if (!bytes.toString('latin1', 0, 12).endsWith('101'))
          throw new Error(bytes.toString('latin1', 0, end))
        upgraded = true
        at = end + 4
        const { thread, after } = join
        socket.write(clientFrame(opcodes.text, JSON.stringify({ type: 'join', thread, after, brief: true })))
      }
      while (bytes.length - at >= 2) {
        const short = bytes[at + 1]!
        const header = short < 126 ? 2 : short === 126 ? 4 : 10
        if (bytes.length - at < header) break
        const length =
          short < 126 ? short : short === 126 ? bytes.readUInt16BE(at + 2) : bytes.readUInt32BE(at + 6)
        if (bytes.length - at < header + length) break
        if (bytes[at] === 0x89) socket.write(pong)
        else onFrame(bytes.subarray(at + header, at + header + length), socket)
        at += header + length
      }
      return at === bytes.length ? undefined : Buffer.from(bytes.subarray(at))
    }
  }

  async function cut(): Promise<void> {
    for (const socket of open) socket.resetAndDestroy()
    while (open.size > 0) await sleep(10)
  }

  function hear({ mark }: { mark: string }): Promise<number[]> {
    const times: number[] = []
    return new Promise((resolve) => {
      onFrame = (frame) => {
        if (!frame.includes(mark)) return
        times.push(sharedNow())
        if (times.length === open.size) resolve(times)
      }
    })
  }
}

const shared = Buffer.allocUnsafe(64 * 1024)
const pong = clientFrame(opcodes.pong, '')

/** As a browser asks: what it sends with an upgrade is most of what a server reads of a viewer. */
function request(url: string): string {
  return upgradeRequest(url, {
    Origin: url,
    Pragma: 'no-cache',
    'Cache-Control': 'no-cache',
    'User-Agent':
      'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36',
    'Accept-Encoding': 'gzip, deflate, br, zstd',
    'Accept-Language': 'en-GB,en;q=0.9',
    'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits',
  })
}
