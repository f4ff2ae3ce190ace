import { randomInt } from 'node:crypto'
import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Logger } from 'pino'
import { WebSocket, WebSocketServer } from 'ws'
import { limits } from '../../shared/limits.ts'
import type { AccountChange, Accounts, Identity } from '../accounts/accounts.ts'
import { toLine } from '../bus/messages.ts'
import { Connection, LiveSocket, type ConnectionParts } from './connection.ts'
import { startHeartbeat } from './heartbeat.ts'
import type { Hub } from './hub.ts'
import { liveLimits } from './limits.ts'
import { createLookups } from './lookups.ts'
import type { LiveMetrics } from './metrics.ts'
import type { Room } from './room.ts'
import { welcomeFrame } from './session-frames.ts'
import { createSession, type Session, type SessionParts } from './session.ts'
import { createWatch } from './watch.ts'
import type { Credentials } from './who.ts'

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

export function attachSockets(server: Server, parts: SocketParts): Sockets {
  const { metrics, log } = parts
  const wss = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: liveLimits.readBytes,
    perMessageDeflate: false,
    WebSocket: LiveSocket,
  })
  const connections = new Set<Connection>()
  const perAddress = new Map<string, number>()
  const watch = createWatch<Session>()
  const lookups = createLookups(parts.accounts)
  const sessionParts: SessionParts = {
    hub: parts.hub,
    lookups,
    watch,
    welcome: welcomeFrame(parts.node),
    limited: parts.limited,
    now: () => performance.now(),
    onError: (error) => log.error({ err: error }, 'live session failed'),
  }
  const connectionParts: ConnectionParts = { metrics, log, onClosed }
  let opened = 0
  let draining = false

  server.on('upgrade', upgrade)
  // A socket is silent for up to two beats: something was written just after one, and nothing before the next.
  const stopBeating = startHeartbeat(
    limits.heartbeatMs / 2,
    connections,
    (connection, heads: Map<Room, Buffer>) => connection.beat(heads),
  )
  parts.accounts.onChanged(accountChanged)

  function accountChanged(change: AccountChange): void {
    lookups.forget()
    for (const session of watch.concerned(change.userId)) {
      session
        .accountChanged(change)
        .catch((error: unknown) => log.error({ err: error }, 'account change failed'))
    }
  }

  function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', destroy)
    const address = parts.limited ? parts.addressOf(request) : undefined
    const refusal = refuse(request, address)
    if (refusal) {
      metrics.refused.inc({ reason: refusal.reason })
      // Who never closes its side would keep the socket half-open for ever.
      socket.once('finish', destroy)
      socket.end(`HTTP/1.1 ${refusal.status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
      return
    }
    // The answer and the welcome go out as one packet.
    socket.cork()
    wss.handleUpgrade(request, socket, head, (ws) => open(ws, socket, request, address))
    socket.uncork()
  }

  function refuse(
    request: IncomingMessage,
    address: string | undefined,
  ): { status: string; reason: string } | undefined {
    if (request.url?.split('?')[0] !== '/live') return { status: '404 Not Found', reason: 'path' }
    if (draining) return { status: '503 Service Unavailable', reason: 'draining' }
    const { origin, host } = request.headers
    // Programs send no origin; browsers always do, and cannot be made to send another.
    if (origin !== undefined && !parts.isOwnOrigin(origin, host))
      return { status: '403 Forbidden', reason: 'origin' }
    if (address !== undefined && (perAddress.get(address) ?? 0) >= liveLimits.socketsPerAddress) {
      return { status: '429 Too Many Requests', reason: 'address' }
    }
    return undefined
  }

  /** Nothing here may keep the request: with its headers it weighs as much as all else of a viewer. */
  function open(ws: LiveSocket, socket: Duplex, request: IncomingMessage, address: string | undefined): void {
    if (address !== undefined) perAddress.set(address, (perAddress.get(address) ?? 0) + 1)
    const connection = new Connection(connectionParts, { id: `${++opened}`, ws, socket, address })
    connections.add(connection)
    metrics.sockets.set(connections.size)
    // It speaks as soon as it is made.
    connection.session = createSession(sessionParts, connection, credentialsOf(request))
  }

  function onClosed(connection: Connection): void {
    connections.delete(connection)
    metrics.sockets.set(connections.size)
    const { address } = connection
    if (address === undefined) return
    const left = (perAddress.get(address) ?? 1) - 1
    if (left > 0) perAddress.set(address, left)
    else perAddress.delete(address)
  }

  return {
    get size() {
      return connections.size
    },
    async recheck() {
      const identities = watch.signedIn().flatMap((session) => session.identity ?? [])
      for (const change of await parts.recheck(identities)) accountChanged(change)
    },
    async drain() {
      draining = true
      stopBeating()
      await Promise.all([...connections].map(sayGoodbye))
    },
  }
}

function sayGoodbye(connection: Connection): Promise<void> {
  const { ws, session } = connection
  return new Promise((resolve) => {
    ws.once('close', () => resolve())
    const retryMs = randomInt(liveLimits.goodbyeSpreadMs)
    if (ws.readyState === WebSocket.OPEN) ws.send(toLine({ type: 'goodbye', retryMs }))
    session.end()
    ws.close(1012, 'restart')
    connection.cutLater()
    if (ws.readyState === WebSocket.CLOSED) resolve()
  })
}

/** The same function for all sockets, which keeps nothing of the one that asked for it. */
function destroy(this: Duplex): void {
  this.destroy()
}

function credentialsOf({ headers }: IncomingMessage): Credentials | undefined {
  let credentials: Record<string, string> | undefined
  for (const name of ['cookie', 'authorization', 'x-api-key']) {
    const value = headers[name]
    if (typeof value === 'string') (credentials ??= {})[name] = value
  }
  return credentials
}
