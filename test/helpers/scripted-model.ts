/**
 * A server that plays a language model over OpenAI's chat completions, by a script: text, timing, byte splits and faults.
 * For tests as a library; for demos as a command, which Node from 22.18 on runs as it is:
 *
 *   node test/helpers/scripted-model.ts        (PORT, default 8089; HOST, default 127.0.0.1)
 *
 * A question may hold directions such as `scripted:fault=stall,after=20`. The keys: `tps` (tokens a second), `first`
 * (milliseconds to the first), `after` (tokens before the fault), `fault` (see `Fault`; or an HTTP status), `split` (bytes a
 * write), `finish` (a reason, or `none`), `words` (how many to write), and `crlf`, `comments`, `reasoning`, `done`, `usage`
 * with `yes` or `no`.
 */
import http from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { pathToFileURL } from 'node:url'

/** What goes wrong after a number of tokens: the socket is destroyed, the stream ends, a frame tells of an error or is broken, or nothing comes any more. */
export type Fault = 'destroy' | 'cut' | 'error' | 'malformed' | 'stall'

/** How one request is answered. Without anything: the text below, as fast as it goes. */
export interface Script {
  /** Split into tokens at white space, or given as tokens. */
  readonly text?: string | readonly string[]
  /** Thought aloud before the text. */
  readonly reasoning?: readonly string[]
  /** 0: as fast as it goes. */
  readonly tokensPerSecond?: number
  readonly firstTokenMs?: number
  /** Bytes a write; 0: a frame at a time. */
  readonly splitBytes?: number
  readonly lineEnd?: '\n' | '\r\n'
  /** Whether lines of comment stand between the frames. */
  readonly comments?: boolean
  /** Null: none is sent. */
  readonly finishReason?: string | null
  /** Whether `[DONE]` ends it. */
  readonly done?: boolean
  /** Whether the connection stays open after the end. */
  readonly keepOpen?: boolean
  /** Told where the request asks for it, unless this is null. */
  readonly usage?: { readonly input: number; readonly output: number } | null
  readonly fault?: Fault | undefined
  readonly faultAfter?: number
  /** What an `error` frame says. */
  readonly errorFrame?: unknown
  /** Sent in place of a stream. */
  readonly answer?: Answer
  /** Called when a token of the text is written, with its place among them. */
  readonly onToken?: (index: number) => void
}

export interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  /** JSON, unless it is text. */
  readonly body?: unknown
}

/** A request that came. Times are of `performance.now()`. */
export interface ScriptedRequest {
  readonly method: string
  readonly path: string
  readonly headers: http.IncomingHttpHeaders
  readonly body: ChatBody
  readonly at: number
  /** When the client closed the connection before the answer was whole. */
  closedAt: number | undefined
  /** Tokens written so far. */
  tokens: number
}

export interface ChatBody {
  readonly model?: string
  readonly stream?: boolean
  readonly stream_options?: { readonly include_usage?: boolean }
  readonly max_tokens?: number
  readonly max_completion_tokens?: number
  readonly messages?: readonly { readonly role: string; readonly content: unknown }[]
}

export interface Connection {
  readonly openedAt: number
  closedAt: number | undefined
}

export interface ScriptedModel {
  /** The base URL, which ends with `/v1`. */
  readonly url: string
  requests(): readonly ScriptedRequest[]
  connections(): readonly Connection[]
  /** How requests are answered from now on. */
  script(answer: Script | ((request: ScriptedRequest) => Script)): void
  stop(): Promise<void>
}

export interface ScriptedOptions {
  readonly host?: string
  readonly port?: number
  readonly script?: Script | ((request: ScriptedRequest) => Script)
}

export async function startScriptedModel(options: ScriptedOptions = {}): Promise<ScriptedModel> {
  const requests: ScriptedRequest[] = []
  const connections: Connection[] = []
  const sockets = new Set<Socket>()
  let script = options.script ?? {}
  const server = http.createServer((incoming, response) => {
    response.on('error', () => {})
    answer(incoming, response).catch(() => response.destroy())
  })

  async function answer(incoming: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of incoming) chunks.push(chunk as Buffer)
    const path = incoming.url ?? ''
    const text = Buffer.concat(chunks).toString()
    if (path === '/v1/models') return send(response, { status: 200, body: modelList })
    if (incoming.method !== 'POST' || path !== '/v1/chat/completions') return send(response, problems[404]!)
    const body = parse(text)
    if (body === undefined) return send(response, problems[400]!)
    const { method, headers } = incoming
    const request = { method, path, headers, body, at: performance.now(), closedAt: undefined, tokens: 0 }
    requests.push(request)
    await play(typeof script === 'function' ? script(request) : script, request, response)
  }

  server.on('connection', (socket) => {
    const connection: Connection = { openedAt: performance.now(), closedAt: undefined }
    connections.push(connection)
    sockets.add(socket)
    socket.setNoDelay(true)
    socket.once('close', () => {
      connection.closedAt = performance.now()
      sockets.delete(socket)
    })
  })
  const { host = '127.0.0.1', port = 0 } = options
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  return {
    url: `http://${host}:${(server.address() as AddressInfo).port}/v1`,
    requests: () => requests,
    connections: () => connections,
    script: (given) => void (script = given),
    async stop() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Answers one request as its script says. */
async function play(script: Script, request: ScriptedRequest, response: http.ServerResponse): Promise<void> {
  response.once('close', () => {
    if (!response.writableFinished) request.closedAt = performance.now()
  })
  if (script.answer) return send(response, script.answer)
  const { text = talk(questionOf(request.body)), reasoning = [], finishReason = 'stop', done = true } = script
  const tokens = typeof text === 'string' ? tokensOf(text) : text
  const usage =
    script.usage === undefined ? { input: wordsOf(request.body), output: tokens.length } : script.usage
  const write = writer(script, response)
  const id = `scripted-${Math.round(request.at)}`
  const frame = (delta: object, finish: string | null = null) => ({
    id,
    object: 'chat.completion.chunk',
    model: request.body.model ?? 'scripted',
    choices: [{ index: 0, delta, finish_reason: finish }],
  })
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' })
  // The head goes out at once, as from servers that still read the question.
  response.flushHeaders()
  await write(frame({ role: 'assistant', content: '' }))

  const deltas = [
    ...reasoning.map((each) => ({ reasoning_content: each })),
    ...tokens.map((each) => ({ content: each })),
  ]
  const { firstTokenMs = 0, tokensPerSecond = 0, fault, faultAfter = 0 } = script
  const started = performance.now()
  for (const [index, delta] of deltas.entries()) {
    if (fault !== undefined && index >= faultAfter) break
    const due = started + firstTokenMs + (tokensPerSecond > 0 ? (index * 1_000) / tokensPerSecond : 0)
    const early = due - performance.now()
    if (early > 0) await new Promise((resolve) => setTimeout(resolve, early))
    if (response.destroyed) return
    script.onToken?.(index - reasoning.length)
    await write(frame(delta))
    request.tokens++
  }
  if (fault !== undefined) return await fail(fault, script, write, response)
  if (finishReason !== null) await write(frame({}, finishReason))
  if (usage !== null && request.body.stream_options?.include_usage === true) {
    const { input: prompt_tokens, output: completion_tokens } = usage
    const total_tokens = prompt_tokens + completion_tokens
    await write({ ...frame({}), choices: [], usage: { prompt_tokens, completion_tokens, total_tokens } })
  }
  if (done) await write('[DONE]')
  if (script.keepOpen !== true) response.end()
}

async function fail(
  fault: Fault,
  { errorFrame = { error: { message: 'The model ran out of memory', type: 'server_error' } } }: Script,
  write: (data: object | string) => Promise<void>,
  response: http.ServerResponse,
): Promise<void> {
  switch (fault) {
    case 'destroy':
      response.socket?.destroy()
      return
    case 'cut':
      response.end()
      return
    case 'error':
      await write(errorFrame as object)
      return
    case 'malformed':
      await write('{"choices":[{"delta":{"content":"half a fr')
      return
    case 'stall':
  }
}

/** Writes frames as the script wants them cut. */
function writer(script: Script, response: http.ServerResponse): (data: object | string) => Promise<void> {
  const { splitBytes = 0, lineEnd = '\n', comments = false } = script
  const closed = new Promise<void>((resolve) => response.once('close', resolve))
  return async (data) => {
    const comment = comments ? `: still here${lineEnd}${lineEnd}` : ''
    const line = `data: ${typeof data === 'string' ? data : JSON.stringify(data)}`
    const bytes = Buffer.from(`${comment}${line}${lineEnd}${lineEnd}`)
    const step = splitBytes > 0 ? splitBytes : bytes.length
    for (let at = 0; at < bytes.length && !response.destroyed; at += step) {
      // Each write is a chunk of its own of the body, so the reader gets the bytes in these pieces.
      const written = new Promise<void>((resolve) => {
        response.write(bytes.subarray(at, at + step), () => resolve())
      })
      await Promise.race([written, closed])
    }
  }
}

function send(response: http.ServerResponse, { status, headers = {}, body = '' }: Answer): void {
  const isText = typeof body === 'string'
  response.writeHead(status, { 'content-type': isText ? 'text/html' : 'application/json', ...headers })
  response.end(isText ? body : JSON.stringify(body))
}

function parse(text: string): ChatBody | undefined {
  try {
    const body: unknown = JSON.parse(text)
    return typeof body === 'object' && body !== null ? body : undefined
  } catch {
    return undefined
  }
}

const modelList = { object: 'list', data: [{ id: 'scripted', object: 'model', owned_by: 'numinex' }] }

const problem = (message: string, type: string, code: string | null = null) => ({
  error: { message, type, param: null, code },
})

/** Refusals as OpenAI words them. */
export const problems: Readonly<Record<number, Answer>> = {
  400: {
    status: 400,
    body: problem(
      "This model's maximum context length is 4096 tokens. However, your messages resulted in 5000 tokens.",
      'invalid_request_error',
      'context_length_exceeded',
    ),
  },
  401: {
    status: 401,
    body: problem('Incorrect API key provided.', 'invalid_request_error', 'invalid_api_key'),
  },
  404: {
    status: 404,
    body: problem('The model `other` does not exist', 'invalid_request_error', 'model_not_found'),
  },
  429: {
    status: 429,
    headers: { 'retry-after': '20' },
    body: problem('Rate limit reached', 'requests', 'rate_limit_exceeded'),
  },
  500: { status: 500, body: problem('The server had an error', 'server_error') },
}

/** The directions that a question holds, for demos of what goes wrong. */
export function directed(request: ScriptedRequest): Script {
  const found = [...JSON.stringify(request.body.messages ?? []).matchAll(/\bscripted:([\w=,.-]+)/g)].at(-1)
  const keys = new Map((found?.[1] ?? '').split(',').map((each) => each.split('=') as [string, string]))
  const number = (key: string, fallback: number) => {
    const value = Number(keys.get(key) ?? NaN)
    return value >= 0 ? value : fallback
  }
  const yes = (key: string, fallback: boolean) => (keys.has(key) ? keys.get(key) === 'yes' : fallback)
  const fault = keys.get('fault')
  const refusal = problems[Number(fault)]
  const finish = keys.get('finish') ?? 'stop'
  const text = tokensOf(talk(questionOf(request.body)))
  const words = number('words', 0)
  return {
    text: words > 0 ? Array.from({ length: words }, (_, index) => text[index % text.length]!) : text,
    tokensPerSecond: number('tps', 60),
    firstTokenMs: number('first', 400),
    splitBytes: number('split', 0),
    lineEnd: yes('crlf', false) ? '\r\n' : '\n',
    comments: yes('comments', false),
    done: yes('done', true),
    finishReason: finish === 'none' ? null : finish,
    ...(!yes('usage', true) && { usage: null }),
    ...(yes('reasoning', false) && {
      reasoning: tokensOf('First I look at what was asked, then at what was said. '),
    }),
    ...(refusal && { answer: refusal }),
    ...(fault !== undefined && !refusal && { fault: fault as Fault, faultAfter: number('after', 20) }),
  }
}

const tokensOf = (text: string): string[] => text.match(/\s*\S+\s*?(?=\s|$)|\s+$/g) ?? []

function wordsOf({ messages = [] }: ChatBody): number {
  return messages.reduce((sum, { content }) => sum + tokensOf(contentOf(content)).length, 0)
}

const contentOf = (content: unknown): string =>
  typeof content === 'string' ? content : JSON.stringify(content)

/** What it was asked about, as far as a script can tell: the post to reply to in this site's way of asking, else the longest line. */
function questionOf({ messages = [] }: ChatBody): { text: string; post: string | undefined } {
  const question = contentOf(messages.findLast(({ role }) => role === 'user')?.content ?? '')
  const post = /reply to post (\d+)/.exec(question)?.[1]
  const asked = post && new RegExp(`<<post ${post} [^\n]*>>\n([^]*?)\n<<end `).exec(question)?.[1]
  const lines = (asked ?? question).split(/\n+/).map((line) =>
    line
      .replace(/<[^>]*>|[[\]{}`*_#>|]|scripted:\S*/g, ' ')
      .replace(/\s+/g, ' ')
      .trim(),
  )
  const [line = ''] = lines.toSorted((a, b) => b.length - a.length)
  const text = line.length > 160 ? `${line.slice(0, 157).replace(/\s\S*$/, '')} …` : line
  return { text: text === '' ? 'nothing in particular' : text, post: asked && post }
}

/** What it says when nobody told it what to say: every form that a reply takes. */
function talk({ text, post }: { text: string; post: string | undefined }): string {
  return `I am a script and not a language model, so take this for what it is: a text that was ready before you asked. It is here to be *watched while it is written*.

> ${text}${post === undefined ? '' : ` [#${post}]`}

That is what I was given to read. A real model would begin with what the passage claims, before it says what follows from it.

### Three questions to put to it

1. **What is claimed?** Say it in one sentence, in words that its author would accept.
2. **What carries the claim?** An observation, an argument, a definition or an example bear different weights:
   - an observation can be repeated,
   - an argument can be followed step by step,
   - an example shows that something can be, and not that it must be.
3. **What would change your mind?** If nothing could, it is no claim about the world.

### How such questions compare

| Question | Finds | Misses |
| --- | --- | --- |
| What is claimed? | vague words | what was left unsaid |
| What carries it? | weak steps | steps that nobody took |
| What would change it? | claims without content | matters of taste |

Some of it can be counted. If each of $n$ steps holds with probability $p$, the whole chain holds with

$$
P = p^n
$$

so ten steps of which each is nine tenths certain are together hardly a third: $0.9^{10} \\approx 0.35$. The same in code:

\`\`\`js
const chain = (p, steps) => p ** steps

for (const steps of [1, 5, 10, 20]) {
  console.log(steps, chain(0.9, steps).toFixed(2))
}
\`\`\`

### In short

Long chains of likely steps are unlikely. That speaks for short arguments, for saying which step one doubts, and for asking the author before one answers them. Naïve readings are cheap — a fair one takes a minute longer. 🌱
`
}

async function main(): Promise<void> {
  const { PORT, HOST } = process.env
  const model = await startScriptedModel({
    port: Number(PORT ?? 8089),
    host: HOST ?? '127.0.0.1',
    script: directed,
  })
  console.log(`A scripted model answers at ${model.url}`)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void model.stop())
}

if (process.argv[1] !== undefined && pathToFileURL(process.argv[1]).href === import.meta.url) await main()
