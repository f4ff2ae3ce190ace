import { randomInt, randomUUID } from 'node:crypto'
import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Logger } from 'pino'
import { WebSocket, WebSocketServer } from 'ws'
import { limits } from '../../shared/limits.ts'
import { closeCodes } from '../../shared/protocol.ts'
import type { AccountChange, Accounts, Identity } from '../accounts/accounts.ts'
import { toLine } from '../bus/messages.ts'
import type { Hub } from './hub.ts'
import { liveLimits } from './limits.ts'
import type { LiveMetrics } from './metrics.ts'
import { createSession, type Session } from './session.ts'

export interface SocketParts {
  readonly hub: Hub
  readonly accounts: Accounts
  readonly metrics: LiveMetrics
  readonly log: Logger
  readonly node: string
  /** Whether rates and connections are limited. */
  readonly limited: boolean
  /** Which of these no longer stand, as the database has it. */
  recheck(identities: readonly Identity[]): Promise<AccountChange[]>
  /** Whether a page of this origin, asking under this host, may connect. */
  isOwnOrigin(origin: string, host: string | undefined): boolean
  /** The client's address, seen through the proxies that are trusted. */
  addressOf(request: IncomingMessage): string
}

/** The sockets of this node, at `/live` of an HTTP server. */
export interface Sockets {
  readonly size: number
  /** Asks anew who everyone is: word of a ban or of a session's end may have been lost, or its time has come. */
  recheck(): Promise<void>
  /** Says goodbye to all, with reconnects spread over time, and takes no more. */
  drain(): Promise<void>
}

interface Connection {
  readonly ws: WebSocket
  readonly session: Session
  readonly pulse: Pulse
}

interface Pulse {
  /** Whether the client answered the last ping. */
  alive: boolean
  /** Whether something was written since the last beat. */
  spoken: boolean
}

export function attachSockets(server: Server, parts: SocketParts): Sockets {
  const { metrics, log } = parts
  const wss = new WebSocketServer({
    noServer: true,
    maxPayload: liveLimits.readBytes,
    perMessageDeflate: false,
  })
  const connections = new Set<Connection>()
  const perAddress = new Map<string, number>()
  let draining = false

  server.on('upgrade', upgrade)
  // A socket is silent for up to two beats: something was written just after one, and nothing before the next.
  const beat = setInterval(heartbeat, limits.heartbeatMs / 2)
  beat.unref()
  parts.accounts.onChanged(accountChanged)

  function accountChanged(change: AccountChange): void {
    for (const { session } of connections) {
      session
        .accountChanged(change)
        .catch((error: unknown) => log.error({ err: error }, 'account change failed'))
    }
  }

  function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy())
    const refusal = refuse(request)
    if (refusal) {
      metrics.refused.inc({ reason: refusal.reason })
      // Who never closes its side would keep the socket half-open for ever.
      socket.once('finish', () => socket.destroy())
      socket.end(`HTTP/1.1 ${refusal.status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
      return
    }
    wss.handleUpgrade(request, socket, head, (ws) => open(ws, socket, request))
  }

  function refuse(request: IncomingMessage): { status: string; reason: string } | undefined {
    if (request.url?.split('?')[0] !== '/live') return { status: '404 Not Found', reason: 'path' }
    if (draining) return { status: '503 Service Unavailable', reason: 'draining' }
    const { origin, host } = request.headers
    // Programs send no origin; browsers always do, and cannot be made to send another.
    if (origin !== undefined && !parts.isOwnOrigin(origin, host))
      return { status: '403 Forbidden', reason: 'origin' }
    if (parts.limited && (perAddress.get(parts.addressOf(request)) ?? 0) >= liveLimits.socketsPerAddress) {
      return { status: '429 Too Many Requests', reason: 'address' }
    }
    return undefined
  }

  function open(ws: WebSocket, socket: Duplex, request: IncomingMessage): void {
    const address = parts.addressOf(request)
    perAddress.set(address, (perAddress.get(address) ?? 0) + 1)

    // A session speaks as soon as it is made.
    const pulse: Pulse = { alive: true, spoken: true }
    const session = createSession(
      {
        hub: parts.hub,
        accounts: parts.accounts,
        node: parts.node,
        limited: parts.limited,
        now: () => performance.now(),
        onError: (error) => log.error({ err: error }, 'live session failed'),
      },
      {
        id: randomUUID(),
        deliver(frame) {
          if (socket.writableLength > liveLimits.slowBytes) close('slow', closeCodes.slow)
          else write(frame)
        },
        mention(frame) {
          if (socket.writableLength > liveLimits.shedBytes) metrics.shed.inc()
          else write(frame)
        },
        close: (code, reason) => close(reason, code),
      },
      credentialsOf(request),
    )
    const connection: Connection = { ws, session, pulse }
    connections.add(connection)
    metrics.sockets.set(connections.size)

    // Frames are made once for all sockets, so they go past the library's own framing. It writes whole frames, too,
    // and with compression off at once, so the two never mix within a frame.
    function write(frame: Buffer): void {
      if (ws.readyState !== WebSocket.OPEN) return
      socket.write(frame)
      pulse.spoken = true
    }

    function close(reason: string, code: number): void {
      if (ws.readyState !== WebSocket.OPEN) return
      metrics.closed.inc({ reason })
      ws.close(code, reason)
      // The close frame waits behind all that is unsent; who does not read will not read that either.
      setTimeout(() => ws.terminate(), liveLimits.closeMs).unref()
    }

    ws.on('message', (data: Buffer, isBinary) => {
      pulse.alive = true
      session
        .receive(isBinary ? '' : data.toString('utf8'))
        .catch((error: unknown) => log.error({ err: error }, 'live session failed'))
    })
    ws.on('pong', () => (pulse.alive = true))
    // Broken or monstrous frames: the library closes the socket with the code that fits.
    ws.on('error', (error) => log.debug({ err: error }, 'socket broke'))
    ws.on('close', () => {
      connections.delete(connection)
      metrics.sockets.set(connections.size)
      const left = (perAddress.get(address) ?? 1) - 1
      if (left > 0) perAddress.set(address, left)
      else perAddress.delete(address)
      session.end()
    })
  }

  function heartbeat(): void {
    for (const { ws, session, pulse } of connections) {
      if (!pulse.alive) {
        metrics.closed.inc({ reason: 'timeout' })
        ws.terminate()
        continue
      }
      pulse.alive = false
      ws.ping()
      if (!pulse.spoken) session.heartbeat()
      pulse.spoken = false
    }
  }

  return {
    get size() {
      return connections.size
    },
    async recheck() {
      const identities = [...connections].flatMap(({ session }) => session.identity ?? [])
      for (const change of await parts.recheck(identities)) accountChanged(change)
    },
    async drain() {
      draining = true
      clearInterval(beat)
      await Promise.all(
        [...connections].map(
          ({ ws, session }) =>
            new Promise<void>((resolve) => {
              ws.once('close', () => resolve())
              const retryMs = randomInt(liveLimits.goodbyeSpreadMs)
              if (ws.readyState === WebSocket.OPEN) ws.send(toLine({ type: 'goodbye', retryMs }))
              session.end()
              ws.close(1012, 'restart')
              setTimeout(() => ws.terminate(), liveLimits.closeMs).unref()
              if (ws.readyState === WebSocket.CLOSED) resolve()
            }),
        ),
      )
    },
  }
}

function credentialsOf(request: IncomingMessage): Headers {
  const headers = new Headers()
  for (const name of ['cookie', 'authorization', 'x-api-key']) {
    const value = request.headers[name]
    if (typeof value === 'string') headers.set(name, value)
  }
  return headers
}
