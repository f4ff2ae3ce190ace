import { randomBytes } from 'node:crypto'
import net from 'node:net'
import { clientFrame, createWalker, opcodes, walk, type Walker } from './frames.ts'
import type { Wire } from './wires.ts'

/** One reader of one thread, by a plain TCP socket. */
export interface Viewer {
  readonly walker: Walker
  /** Whether it still has its connection, and why not. */
  lost: string | undefined
  /** Drops the connection as a lost network does, with nothing said. */
  drop(): void
}

export interface ViewerTarget {
  wire: Wire
  port: number
  thread: string
  /** The seq that the viewer has, where there is such a thing. */
  after: number
}

// All sockets read into the same place, one after the other: nothing is allocated for a read.
const shared = Buffer.allocUnsafe(256 * 1024)
const headEnd = Buffer.from('\r\n\r\n')

/** Connects and joins. Resolves when it has joined; from then on `onMessage` gets its messages, if it is given. */
export function openViewer(target: ViewerTarget, onMessage?: (message: string) => void): Promise<Viewer> {
  const { wire, port, thread, after } = target
  return new Promise((resolve, reject) => {
    let head: Buffer | undefined = Buffer.alloc(0)
    let joined = false
    const walker = createWalker(receive)
    const viewer: Viewer = { walker, lost: undefined, drop: () => void socket.resetAndDestroy() }
    const socket = net.connect({
      port,
      host: '127.0.0.1',
      noDelay: true,
      onread: { buffer: shared, callback: (size) => read(size) },
    })
    socket.on('connect', () => socket.write(upgrade(wire.path(thread), port)))
    socket.on('error', (error) => fail(error.message))
    socket.on('close', () => fail('closed'))

    function fail(why: string): void {
      viewer.lost ??= why
      if (!joined) reject(new Error(`a viewer could not join: ${viewer.lost}`))
    }

    function read(size: number): boolean {
      if (head === undefined) walk(walker, shared, 0, size)
      else readHead(size)
      return true
    }

    function readHead(size: number): void {
      head = Buffer.concat([head!, shared.subarray(0, size)])
      const end = head.indexOf(headEnd)
      if (end < 0) return
      const status = head.subarray(0, head.indexOf(13)).toString()
      if (!status.startsWith('HTTP/1.1 101')) {
        fail(status)
        return viewer.drop()
      }
      const rest = head.subarray(end + headEnd.length)
      head = undefined
      if (wire.hello) say(wire.hello(thread, after))
      if (!wire.greet) join()
      walk(walker, rest, 0, rest.length)
    }

    function receive(opcode: number, payload: Buffer): void {
      if (opcode === opcodes.ping) socket.write(clientFrame(opcodes.pong, payload))
      else if (opcode === opcodes.close) viewer.lost ??= `closed with ${closeCode(payload)}`
      else if (opcode === opcodes.text) hear(payload.toString())
    }

    function hear(message: string): void {
      const answer = wire.answer?.(message)
      if (answer !== undefined) return say(answer)
      if (joined) return onMessage?.(message)
      const step = wire.greet?.(message, thread)
      if (step === 'joined') join()
      else if (step) say(step.send)
    }

    function join(): void {
      joined = true
      walker.keep = onMessage !== undefined
      resolve(viewer)
    }

    function say(message: string): void {
      // The mask protects proxies from browsers; here it may be zero, and costs the server the same.
      socket.write(clientFrame(opcodes.text, Buffer.from(message)))
    }
  })
}

function upgrade(path: string, port: number): string {
  const key = randomBytes(16).toString('base64')
  return (
    `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
    `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`
  )
}

const closeCode = (payload: Buffer) => (payload.length < 2 ? 1005 : payload.readUInt16BE(0))
