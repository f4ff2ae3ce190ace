import http from 'node:http'
import https from 'node:https'
import { modelLimits, type ModelLimits } from './limits.ts'
import { ModelError } from './model.ts'

/** One request to a model's server, and what is learnt from its bytes. */
export interface Wire {
  readonly fetch: typeof globalThis.fetch
  /** Whether `[DONE]` came, by which OpenAI's streams say that they are whole. */
  readonly done: boolean
  /** What broke the connection in the midst of the answer; a ModelError where that was us. */
  readonly broken: Error | undefined
  /** Takes what has come so far for the whole answer. */
  end(): void
}

/**
 * A fetch for one request to a model's server, over a connection of its own: when the request is aborted, that is closed
 * at once and no other is opened, which Node's own fetch does. It follows no redirects, which would take the key elsewhere.
 * The libraries above it drop `[DONE]`, and drop what they have not passed on yet when the connection breaks; so this looks
 * for the one, and ends the body in good order at the other. Where to ask is for admins to say, who may well name a server
 * in their own network: addresses are not checked as those of readers' links are.
 */
export function createWire(limits: Pick<ModelLimits, 'eventBytes' | 'streamBytes'> = modelLimits): Wire {
  let done = false
  let broken: Error | undefined
  let end = () => {}
  return {
    fetch: async (input, init) => {
      const answer = await send(input instanceof Request ? input.url : input, init ?? {})
      const { statusCode: status = 0 } = answer
      const head = { status, headers: headersOf(answer) }
      if (status !== 200) return new Response((await readText(answer)) || null, head)
      refuseOtherTypes(answer)
      const tapped = tap(answer, limits, {
        done: () => void (done = true),
        broken: (error) => void (broken = error),
      })
      end = tapped.close
      return new Response(tapped.body, head)
    },
    get done() {
      return done
    },
    get broken() {
      return broken
    },
    end: () => end(),
  }
}

/** Sends the request, and resolves with the head of the answer. */
function send(
  address: string | URL,
  { method, headers, body, signal }: RequestInit,
): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    const url = new URL(address)
    const { request } = url.protocol === 'https:' ? https : http
    const outgoing = request(url, {
      method: method ?? 'GET',
      headers: Object.fromEntries(new Headers(headers)),
      agent: false,
      ...(signal && { signal }),
    })
    let timer: NodeJS.Timeout | undefined
    outgoing.once('socket', (socket) => {
      const late = () => outgoing.destroy(new Error(`no connection within ${modelLimits.connectMs} ms`))
      timer = setTimeout(late, modelLimits.connectMs)
      socket.once('connect', () => clearTimeout(timer))
    })
    outgoing.once('close', () => clearTimeout(timer))
    outgoing.on('error', reject)
    outgoing.once('response', resolve)
    outgoing.end(body as string)
  })
}

function headersOf({ headers }: http.IncomingMessage): Headers {
  const given = new Headers()
  for (const [name, value] of Object.entries(headers)) given.set(name, String(value))
  return given
}

/** The beginning of a short answer, or as much of it as came. */
async function readText(answer: http.IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      chunks.push(chunk)
      bytes += chunk.length
      if (bytes >= modelLimits.errorBytes) break
    }
  } catch {
    // The status says enough.
  }
  return Buffer.concat(chunks).toString()
}

/** Servers name streams in many ways, but a page or one JSON document is none. */
function refuseOtherTypes(answer: http.IncomingMessage): void {
  const type = answer.headers['content-type']?.split(';')[0]?.trim().toLowerCase()
  if (type !== 'text/html' && type !== 'application/json') return
  answer.on('error', () => {}).destroy()
  throw new ModelError(
    'malformed',
    "What the model's server sent is no reply. An admin has to check its address.",
    { detail: `${type} in place of an event stream` },
  )
}

const doneLine = /[\r\n]data: ?\[DONE\]/
/** Enough of the text before to see the line whole, and that it is one. */
const carried = '\ndata: [DONE]'.length
const emptyLines = ['\n\n', '\n\r\n', '\r\r']

/** How much of a text stands behind its last empty line, the line itself counted in; undefined where it holds none. */
function behindEmptyLine(text: string): number | undefined {
  const last = Math.max(...emptyLines.map((each) => text.lastIndexOf(each)))
  return last === -1 ? undefined : text.length - last
}

/** The libraries keep what comes until an event is whole: one that never is would take all of our memory. */
function endless(what: string): ModelError {
  return new ModelError('malformed', "The model's server sent more than any reply can be.", { detail: what })
}

function tap(
  answer: http.IncomingMessage,
  { eventBytes, streamBytes }: Pick<ModelLimits, 'eventBytes' | 'streamBytes'>,
  seen: { done(): void; broken(error: Error): void },
): { body: ReadableStream<Uint8Array>; close(): void } {
  let before = '\n'
  /** Bytes of the event that is under way, and of all. */
  let ofEvent = 0
  let ofAll = 0
  let closed = false
  let close!: () => void
  const body = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        close = () => {
          if (closed) return
          closed = true
          controller.close()
          answer.destroy()
        }
        answer.on('data', (chunk: Buffer) => {
          if (closed) return
          const text = before + chunk.toString('latin1')
          before = text.slice(-carried)
          ofAll += chunk.length
          ofEvent = behindEmptyLine(text) ?? ofEvent + chunk.length
          if (ofEvent > eventBytes || ofAll > streamBytes) {
            seen.broken(
              endless(
                ofAll > streamBytes ? `over ${streamBytes} bytes` : `an event of over ${eventBytes} bytes`,
              ),
            )
            close()
            return
          }
          controller.enqueue(chunk)
          if (doneLine.test(text)) {
            seen.done()
            // Nothing follows, and some servers keep the connection open.
            close()
          } else if (controller.desiredSize! <= 0) answer.pause()
        })
        answer.on('error', (error) => {
          if (!closed) seen.broken(error)
          close()
        })
        answer.once('end', close)
      },
      pull: () => void answer.resume(),
      cancel() {
        closed = true
        answer.destroy()
      },
    },
    // What waits in here is not lost when the connection breaks; what waits before it is.
    new ByteLengthQueuingStrategy({ highWaterMark: modelLimits.waitingBytes }),
  )
  return { body, close }
}
