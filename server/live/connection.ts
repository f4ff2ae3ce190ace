import type { Duplex } from 'node:stream'
import type { Logger } from 'pino'
import { WebSocket } from 'ws'
import { closeCodes } from '../../shared/protocol.ts'
import { liveLimits } from './limits.ts'
import type { LiveMetrics } from './metrics.ts'
import type { Room } from './room.ts'
import type { Session, Transport } from './session.ts'

/** What the connections of a node have in common. */
export interface ConnectionParts {
  readonly metrics: LiveMetrics
  readonly log: Logger
  onClosed(connection: Connection): void
}

/** The library's socket, with what belongs to it: so its listeners are the same functions for all sockets. */
export class LiveSocket extends WebSocket {
  connection: Connection | undefined = undefined
}

/** A ping without content (RFC 6455, section 5.5.2), as a server sends it. */
const pingFrame = Buffer.from([0x89, 0])

/** A client's socket: what is written to it, and whether it lives. One for each viewer, so a class: its methods are shared. */
export class Connection implements Transport {
  readonly id: string
  /** Where it comes from, where that is counted. */
  readonly address: string | undefined
  readonly ws: LiveSocket
  /** What it says to whom; there as soon as it is made. */
  session!: Session
  private readonly parts: ConnectionParts
  private readonly socket: Duplex
  /** Whether the client answered the last ping. */
  private alive = true
  /** Whether something was written since the last beat. */
  private spoken = false

  /** `id` is unique among the sockets of this process. */
  constructor(
    parts: ConnectionParts,
    { id, ws, socket, address }: { id: string; ws: LiveSocket; socket: Duplex; address: string | undefined },
  ) {
    this.parts = parts
    this.id = id
    this.ws = ws
    this.socket = socket
    this.address = address
    ws.connection = this
    ws.on('message', onMessage)
    ws.on('pong', onPong)
    ws.on('error', onError)
    ws.on('close', onClose)
  }

  deliver(frame: Buffer): void {
    if (this.socket.writableLength > liveLimits.slowBytes) this.close(closeCodes.slow, 'slow')
    else this.write(frame)
  }

  mention(frame: Buffer): void {
    if (this.socket.writableLength > liveLimits.shedBytes) this.parts.metrics.shed.inc()
    else this.write(frame)
  }

  close(code: number, reason: string): void {
    if (this.ws.readyState !== WebSocket.OPEN) return
    this.parts.metrics.closed.inc({ reason })
    this.ws.close(code, reason)
    this.cutLater()
  }

  /** The close frame waits behind all that is unsent; who does not read will not read that either. */
  cutLater(): void {
    setTimeout(() => this.ws.terminate(), liveLimits.closeMs).unref()
  }

  /** Cuts it off where it did not answer the last beat; else asks for an answer, and breaks its silence. */
  beat(heads: Map<Room, Buffer>): void {
    if (!this.alive) {
      this.parts.metrics.closed.inc({ reason: 'timeout' })
      this.ws.terminate()
      return
    }
    this.alive = false
    const { spoken } = this
    // What one beat says goes out as one packet.
    if (!spoken) this.socket.cork()
    this.write(pingFrame)
    if (!spoken) this.session.heartbeat(heads)
    if (!spoken) this.socket.uncork()
    this.spoken = false
  }

  /**
   * Frames are made once for all sockets, so they go past the library's own framing. It writes whole frames, too, and
   * with compression off at once, so the two never mix within a frame.
   */
  private write(frame: Buffer): void {
    if (this.ws.readyState !== WebSocket.OPEN) return
    this.socket.write(frame)
    this.spoken = true
  }

  /** Called by the listeners: something came. */
  heard(data?: Buffer, isBinary = false): void {
    this.alive = true
    if (data === undefined) return
    this.session
      .receive(isBinary ? '' : data.toString('utf8'))
      .catch((error: unknown) => this.parts.log.error({ err: error }, 'live session failed'))
  }

  /** Called by the listeners. Broken or monstrous frames: the library closes the socket with the code that fits. */
  broke(error: Error): void {
    this.parts.log.debug({ err: error }, 'socket broke')
  }

  /** Called by the listeners. */
  closed(): void {
    this.parts.onClosed(this)
    this.session.end()
  }
}

function onMessage(this: WebSocket, data: unknown, isBinary: boolean): void {
  connectionOf(this).heard(data as Buffer, isBinary)
}

function onPong(this: WebSocket): void {
  connectionOf(this).heard()
}

function onError(this: WebSocket, error: Error): void {
  connectionOf(this).broke(error)
}

function onClose(this: WebSocket): void {
  connectionOf(this).closed()
}

function connectionOf(ws: WebSocket): Connection {
  return (ws as LiveSocket).connection!
}
