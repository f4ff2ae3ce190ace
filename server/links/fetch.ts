import http from 'node:http'
import https from 'node:https'
import type { LookupFunction, TcpNetConnectOpts } from 'node:net'
import { readBody } from './body.ts'
import { checkTarget, FetchError, type GuardParts, type Target } from './guard.ts'
import { linkLimits } from './limits.ts'
import { resolveHost } from './resolve.ts'

export interface FetchParts extends Partial<GuardParts> {
  /** Where this server is found; named to the servers that it asks. */
  readonly publicUrl: string
}

export interface FetchOptions {
  /** Media types that are taken, as `text/html` or `image/*`. */
  readonly types: readonly string[]
  /** Bytes of the body after decompression, at the most. */
  readonly maxBytes: number
  /** Milliseconds for everything together. */
  readonly timeoutMs?: number
  /** Ends the fetch early; it then throws the signal's reason. */
  readonly signal?: AbortSignal
}

/** A good answer (2xx, of a type that was asked for). Read `body` or call `close`. */
export interface Fetched {
  /** The address that answered, after redirects. */
  readonly url: URL
  /** Media type, in lower case, without parameters. */
  readonly type: string
  /** As the header says it, in lower case. */
  readonly charset: string | undefined
  /** The size that the header announces, where the body is not compressed; nobody checked it. */
  readonly announcedBytes: number | undefined
  /** The decompressed body. Throws a FetchError when it is too large, too slow or broken. Reading may stop early. */
  readonly body: AsyncIterable<Uint8Array>
  close(): void
}

export type Fetch = (url: string, options: FetchOptions) => Promise<Fetched>

/**
 * Fetches `address`: the only way in which the server asks others for anything on behalf of readers. Every address is checked by
 * `checkTarget`, that of each redirect again from its start. A redirect from https to http is followed: nothing
 * secret is sent (no cookies, no credentials, no referrer), and what comes back is not trusted either way.
 * Throws a FetchError, or the reason of `options.signal`.
 */
export async function guardedFetch(
  parts: FetchParts,
  address: string,
  options: FetchOptions,
): Promise<Fetched> {
  const deadline = new AbortController()
  const timer = setTimeout(
    () => deadline.abort(new FetchError('timeout', address)),
    options.timeoutMs ?? linkLimits.fetchMs,
  )
  const signal = options.signal ? AbortSignal.any([options.signal, deadline.signal]) : deadline.signal
  const stopClock = () => clearTimeout(timer)
  try {
    const { response, url } = await follow(parts, address, options.types, signal)
    return { url, ...describe(response), ...readBody(response, options.maxBytes, signal, stopClock) }
  } catch (error) {
    stopClock()
    throw signal.aborted ? signal.reason : error
  }
}

/** Reads a whole body of up to `maxBytes`. */
export async function readAll(fetched: Fetched, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  if ((fetched.announcedBytes ?? 0) > maxBytes) {
    fetched.close()
    throw new FetchError('too-large', `${fetched.announcedBytes} bytes announced`)
  }
  const chunks: Uint8Array[] = []
  for await (const chunk of fetched.body) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** Follows redirects to an answer that is wanted. */
async function follow(parts: FetchParts, address: string, types: readonly string[], signal: AbortSignal) {
  let next = address
  for (let redirects = 0; redirects <= linkLimits.redirects; redirects++) {
    if (next.length > linkLimits.urlMax) throw new FetchError('address', 'too long')
    const target = await within(signal, checkTarget({ resolve: resolveHost, ...parts }, next, signal))
    const response = await request(target, headers(parts.publicUrl, types), signal)
    const location = redirectOf(response)
    if (location === undefined) {
      try {
        requireWanted(response, types)
      } catch (error) {
        response.destroy()
        throw error
      }
      return { response, url: target.url }
    }
    response.destroy()
    if (!URL.canParse(location, target.url.href)) throw new FetchError('address', 'redirected to no address')
    next = new URL(location, target.url).href
  }
  throw new FetchError('redirects', `more than ${linkLimits.redirects}`)
}

/** `work`, or the signal's reason as soon as it is aborted, whether or not the work listens to it. */
async function within<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  let stop!: () => void
  const aborted = new Promise<never>((_resolve, reject) => {
    stop = () => reject(signal.reason as Error)
    if (signal.aborted) stop()
    signal.addEventListener('abort', stop, { once: true })
  })
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

function headers(publicUrl: string, types: readonly string[]): http.OutgoingHttpHeaders {
  return {
    'user-agent': `Numinex/0.1 (+${publicUrl})`,
    accept: types.join(', '),
    'accept-encoding': 'gzip, br',
    'accept-language': 'en, *;q=0.5',
  }
}

/** Sends one request to the addresses that were checked, and resolves with the answer's head. */
function request(target: Target, head: http.OutgoingHttpHeaders, signal: AbortSignal) {
  return new Promise<http.IncomingMessage>((resolve, reject) => {
    const { request: send } = target.url.protocol === 'https:' ? https : http
    const options: https.RequestOptions &
      Pick<TcpNetConnectOpts, 'autoSelectFamily' | 'autoSelectFamilyAttemptTimeout'> = {
      headers: head,
      // A connection of its own, closed afterwards: a kept one could have been opened for another check.
      agent: false,
      lookup: pinned(target.addresses),
      autoSelectFamily: true,
      autoSelectFamilyAttemptTimeout: 1_000,
      maxHeaderSize: linkLimits.headerBytes,
      insecureHTTPParser: false,
    }
    const outgoing = send(target.url, options)
    const abort = () => outgoing.destroy(signal.reason as Error)
    signal.addEventListener('abort', abort, { once: true })
    outgoing.once('close', () => signal.removeEventListener('abort', abort))
    outgoing.once('response', (response) => {
      // It may break before anyone reads it; whoever reads gets the error then.
      response.on('error', () => {})
      resolve(response)
    })
    let interim = 0
    outgoing.on('information', () => {
      if (++interim > linkLimits.interimAnswers)
        outgoing.destroy(new FetchError('too-large', 'interim answers'))
    })
    outgoing.once('upgrade', (_response, socket) => {
      socket.destroy()
      reject(new FetchError('network', 'the server switched protocols'))
    })
    outgoing.on('error', (error: NodeJS.ErrnoException) => reject(asFetchError(error)))
    outgoing.end()
    if (signal.aborted) abort()
  })
}

/** A lookup that answers with what was checked before, whatever the DNS says by now. */
function pinned(addresses: readonly string[]): LookupFunction {
  const all = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
  return (_host, options, callback) => {
    if (options.all === true) callback(null, all)
    else callback(null, all[0]!.address, all[0]!.family)
  }
}

function asFetchError(error: NodeJS.ErrnoException): FetchError {
  if (error instanceof FetchError) return error
  if (error.code === 'HPE_HEADER_OVERFLOW')
    return new FetchError('too-large', 'response headers', { cause: error })
  return new FetchError('network', error.code ?? error.message, { cause: error })
}

function redirectOf({ statusCode, headers: { location } }: http.IncomingMessage): string | undefined {
  return [301, 302, 303, 307, 308].includes(statusCode ?? 0) ? location : undefined
}

function requireWanted(response: http.IncomingMessage, types: readonly string[]): void {
  const status = response.statusCode ?? 0
  if (status < 200 || status > 299) throw new FetchError('status', String(status), { status })
  const { type } = describe(response)
  const wanted = types.some(
    (each) => each === type || (each.endsWith('/*') && type.startsWith(each.slice(0, -1))),
  )
  if (!wanted) throw new FetchError('type', type === '' ? 'none given' : type)
  if (!encodings.has(encodingOf(response))) throw new FetchError('type', `encoded as ${encodingOf(response)}`)
}

// One encoding, one decoder. Stacked ones (`gzip, gzip`) are only ever seen in bombs.
const encodings: ReadonlySet<string> = new Set(['identity', 'gzip', 'x-gzip', 'deflate', 'br'])

function encodingOf({ headers: { 'content-encoding': encoding } }: http.IncomingMessage): string {
  return encoding?.trim().toLowerCase() || 'identity'
}

function describe({ headers: head }: http.IncomingMessage) {
  const [type = '', ...parameters] = (head['content-type'] ?? '').toLowerCase().split(';')
  const charset = parameters
    .map((each) => /^\s*charset\s*=\s*"?([^"\s]+)"?\s*$/.exec(each)?.[1])
    .find(Boolean)
  const announced = head['content-encoding'] === undefined ? Number(head['content-length']) : NaN
  return {
    type: type.trim(),
    charset,
    announcedBytes: Number.isFinite(announced) ? announced : undefined,
  }
}
