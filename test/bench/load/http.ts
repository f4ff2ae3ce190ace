import net from 'node:net'

/** What came back. The body is neither unpacked nor kept, only measured. */
export interface HttpAnswer {
  status: number
  bodyBytes: number
  etag: string | undefined
}

/** One kept-alive connection, for one request at a time. */
export interface HttpConnection {
  /** `request` is the whole text of it. */
  send(request: string): Promise<HttpAnswer>
  close(): void
}

/** A request in full, for connections that stay. */
export function requestText(
  method: string,
  path: string,
  headers: Record<string, string>,
  body?: string,
): string {
  const all: Record<string, string> = { host: '127.0.0.1', ...headers }
  if (body !== undefined) all['content-length'] = String(Buffer.byteLength(body))
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body ?? ''}`
}

export function openHttp(port: number): HttpConnection {
  const socket = net.connect({ port, host: '127.0.0.1', noDelay: true })
  let settle: { resolve: (answer: HttpAnswer) => void; reject: (error: Error) => void } | undefined
  let got: Buffer = Buffer.alloc(0)
  let broken: Error | undefined
  socket.on('data', (chunk: Buffer) => {
    got = got.length === 0 ? chunk : Buffer.concat([got, chunk])
    const answer = readAnswer(got)
    if (!answer || !settle) return
    const { resolve } = settle
    settle = undefined
    got = Buffer.alloc(0)
    resolve(answer)
  })
  const fail = (error: Error) => {
    broken ??= error
    settle?.reject(broken)
    settle = undefined
  }
  socket.on('error', fail)
  socket.on('close', () => fail(new Error('the server closed the connection')))
  return {
    send: (request) =>
      new Promise((resolve, reject) => {
        if (broken) return reject(broken)
        settle = { resolve, reject }
        socket.write(request)
      }),
    close: () => void socket.destroy(),
  }
}

const headEnd = Buffer.from('\r\n\r\n')
const lastChunk = Buffer.from('\r\n0\r\n\r\n')

/** Undefined while it is not whole. */
export function readAnswer(got: Buffer): HttpAnswer | undefined {
  const end = got.indexOf(headEnd)
  if (end < 0) return undefined
  const head = got.subarray(0, end).toString('latin1')
  const status = Number(head.slice(9, 12))
  const etag = /\r\netag: ([^\r]+)/i.exec(head)?.[1]
  const bodyBytes = got.length - end - headEnd.length
  const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1]
  if (status === 204 || status === 304) return { status, bodyBytes: 0, etag }
  if (length !== undefined) return bodyBytes >= Number(length) ? { status, bodyBytes, etag } : undefined
  const chunked = /\r\ntransfer-encoding: chunked/i.test(head)
  if (!chunked) throw new Error(`no length in the answer:\n${head}`)
  // From the line end of the head on: the last chunk may be the only one.
  const whole = got
    .subarray(end + 2)
    .subarray(-lastChunk.length)
    .equals(lastChunk)
  return whole ? { status, bodyBytes, etag } : undefined
}
