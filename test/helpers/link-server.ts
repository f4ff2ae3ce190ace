import http from 'node:http'
import net, { type AddressInfo } from 'node:net'
import type { FetchParts } from '../../server/links/fetch.ts'

/** A server on loopback, as the outside world of link tests. */
export interface LinkServer {
  readonly port: number
  /** Connections that were ever opened to it. */
  readonly connections: () => number
  /** What the latest request said. */
  readonly lastRequest: () => http.IncomingMessage | undefined
  /** Resolves when no connection is open any more. */
  readonly idle: () => Promise<void>
  readonly close: () => Promise<void>
}

/** Serves HTTP by `handler`. */
export function serveHttp(handler: http.RequestListener): Promise<LinkServer> {
  let last: http.IncomingMessage | undefined
  const server = http.createServer((request, response) => {
    last = request
    // Whoever hangs up in the middle of an answer is expected here.
    response.on('error', () => {})
    handler(request, response)
  })
  return listen(server, () => last)
}

/** Serves whatever `handler` writes to the socket. */
export function serveRaw(handler: (socket: net.Socket) => void): Promise<LinkServer> {
  return listen(
    net.createServer((socket) => {
      socket.on('error', () => {})
      socket.once('data', () => handler(socket))
    }),
    () => undefined,
  )
}

async function listen(server: net.Server, lastRequest: LinkServer['lastRequest']): Promise<LinkServer> {
  let connections = 0
  const open = new Set<net.Socket>()
  const waiting: (() => void)[] = []
  server.on('connection', (socket) => {
    connections++
    open.add(socket)
    socket.once('close', () => {
      open.delete(socket)
      if (open.size === 0) for (const resolve of waiting.splice(0)) resolve()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => connections,
    lastRequest,
    idle: () => (open.size === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve))),
    async close() {
      for (const socket of open) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Parts of a guarded fetch for which every name leads to loopback, and which may go to `ports` there and nowhere else. */
export function loopbackParts(...ports: number[]): FetchParts {
  return {
    publicUrl: 'https://forum.example',
    resolve: () => Promise.resolve(['127.0.0.1']),
    allowAddress: (address, port) => address === '127.0.0.1' && ports.includes(port),
  }
}
