import { inspect } from 'node:util'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { ModelError, type Generation, type ModelSettings, type Part } from '../../server/ai/model.ts'
import type { ModelLimits } from '../../server/ai/limits.ts'
import { createModel } from '../../server/ai/providers.ts'
import { problems, startScriptedModel, type Script, type ScriptedModel } from '../helpers/scripted-model.ts'

/** What an OpenAI-compatible server may send, and what comes of it. Everything goes over real HTTP. */

const key = 'sk-a-key-that-nobody-may-see'
const text = 'Naïve 🌱 — “quoted”, 日本語, and a family: 👩‍👩‍👧.\n\n```js\nlet a = 1\n```\n'
const tokens = text.match(/\s*\S+/g)!
const usage = { input: 12, output: 34 }

let server: ScriptedModel
beforeAll(async () => {
  server = await startScriptedModel()
})
afterAll(() => server.stop())

const settings = (more: Partial<ModelSettings> = {}): ModelSettings => ({
  name: 'Small',
  provider: 'openai-compatible',
  baseUrl: server.url,
  model: 'small',
  apiKey: key,
  contextTokens: 8_192,
  price: undefined,
  ...more,
})
const generation = (signal = new AbortController().signal): Generation => ({
  messages: [
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: 'What is it?' },
  ],
  pieces: [],
  persona: { handle: 'explain', name: 'Explain' },
  request: null,
  maxOutputTokens: 500,
  signal,
})

interface Outcome {
  parts: Part[]
  text: string
  end: Extract<Part, { type: 'end' }> | undefined
  error: ModelError | undefined
  /** Requests that it took. */
  requests: number
}

/** Generates once. What is no ModelError fails the test. */
async function generate(
  script: Script | ((tries: number) => Script),
  more: { limits?: Partial<ModelLimits>; settings?: Partial<ModelSettings> } = {},
): Promise<Outcome> {
  const before = server.requests().length
  let tries = 0
  server.script(() => (typeof script === 'function' ? script(tries++) : script))
  const model = createModel(settings(more.settings), { retryMs: 10, ...more.limits })
  const parts: Part[] = []
  let error: ModelError | undefined
  try {
    for await (const part of model.generate(generation())) parts.push(part)
  } catch (thrown) {
    if (!(thrown instanceof ModelError)) throw thrown
    error = thrown
    expect(inspect(thrown, { depth: 9 })).not.toContain(key)
    expect(thrown.cause).toBeUndefined()
  }
  const end = parts.at(-1)
  return {
    parts,
    text: textOf(parts),
    end: end?.type === 'end' ? end : undefined,
    error,
    requests: server.requests().length - before,
  }
}

const textOf = (parts: readonly Part[]) =>
  parts.map((part) => (part.type === 'text' ? part.text : '')).join('')

const waitFor = (met: () => boolean) =>
  vi.waitFor(() => expect(met()).toBe(true), { timeout: 10_000, interval: 5 })

describe('a reply that comes whole', () => {
  const complete = { type: 'end', reason: 'complete', usage }
  test.each<[string, Script]>([
    ['a frame at a time', {}],
    ['byte by byte, characters included', { splitBytes: 1 }],
    ['three bytes at a time', { splitBytes: 3 }],
    ['with CRLF', { lineEnd: '\r\n' }],
    ['with CRLF, byte by byte', { lineEnd: '\r\n', splitBytes: 1 }],
    ['with comments between', { comments: true }],
    ['without [DONE]', { done: false }],
    ['without a finish reason, but with [DONE]', { finishReason: null }],
    ['over a connection that stays open after [DONE]', { keepOpen: true }],
  ])('%s', async (_, script) => {
    const { parts, ...outcome } = await generate({ text: tokens.concat('\n'), usage, ...script })
    expect(outcome).toEqual({ text, end: complete, error: undefined, requests: 1 })
    expect(parts.slice(0, -1)).toEqual([...tokens, '\n'].map((each) => ({ type: 'text', text: each })))
  })

  test('over a connection that stays open without [DONE]: its usage is not waited for any longer', async () => {
    const script: Script = { text, usage: null, done: false, keepOpen: true }
    const outcome = await generate(script, { limits: { tailMs: 30 } })
    expect(outcome).toMatchObject({ text, end: { type: 'end', reason: 'complete' }, error: undefined })
    // With the usage, it is there although the connection stays open.
    const told = await generate({ ...script, usage }, { limits: { tailMs: 30 } })
    expect(told).toMatchObject({ text, end: complete })
  })

  test('that speaks of the end before it comes', async () => {
    const said = ['data: [DONE]', '\ndata: [DONE]\n', 'and on']
    for (const splitBytes of [0, 1]) {
      const outcome = await generate({ text: said, splitBytes, usage })
      expect(outcome).toMatchObject({ text: said.join(''), end: complete, error: undefined })
    }
  })

  test('of more events than one may hold bytes', async () => {
    for (const lineEnd of ['\n', '\r\n'] as const) {
      const many = Array.from({ length: 200 }, () => 'word ')
      const { end } = await generate({ text: many, lineEnd, usage }, { limits: { eventBytes: 1_000 } })
      expect(end).toEqual(complete)
    }
  })

  test.each([-1, 0.5, 1e300, 1e9 + 1])('whose usage of %d tokens is none', async (tokens) => {
    for (const told of [
      { ...usage, input: tokens },
      { ...usage, output: tokens },
    ]) {
      const { end } = await generate({ text, usage: told })
      expect(end).toEqual({ type: 'end', reason: 'complete' })
    }
  })

  test('without usage', async () => {
    const { end } = await generate({ text, usage: null })
    expect(end).toEqual({ type: 'end', reason: 'complete' })
  })

  test('broken off by its length', async () => {
    expect((await generate({ text, finishReason: 'length', usage })).end).toEqual({
      ...complete,
      reason: 'length',
    })
  })

  test('broken off by a filter', async () => {
    const { end } = await generate({ text, finishReason: 'content_filter', usage })
    expect(end).toEqual({ ...complete, reason: 'filtered' })
  })

  test('with what the model thought first', async () => {
    const { parts } = await generate({ text: ['Yes.'], reasoning: ['Let me', ' see.'], usage })
    expect(parts).toEqual([
      { type: 'reasoning', text: 'Let me' },
      { type: 'reasoning', text: ' see.' },
      { type: 'text', text: 'Yes.' },
      complete,
    ])
  })

  test('with a character in two halves, and ones that no database takes', async () => {
    const { parts, text: all } = await generate({ text: ['a\ud83c', '\udf31b\0', '\ud83c', 'c'], usage })
    expect(all).toBe('a🌱bc')
    expect(parts.map((part) => part.type === 'text' && part.text)).toEqual(['a', '🌱b', 'c', false])
  })
})

test('is asked for what was meant, with the key', async () => {
  await generate({ text })
  const request = server.requests().at(-1)!
  expect(request.headers.authorization).toBe(`Bearer ${key}`)
  expect(request.body).toEqual({
    model: 'small',
    max_tokens: 500,
    messages: [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'What is it?' },
    ],
    stream: true,
    stream_options: { include_usage: true },
  })
  await generate({ text }, { settings: { apiKey: undefined } })
  expect(server.requests().at(-1)!.headers.authorization).toBeUndefined()
})

describe('a reply that breaks off keeps its text', () => {
  const cutOff = "The connection to the model's server broke off in the midst of the reply."
  test.each<[string, Script, fault: string, message: string]>([
    ['the socket is destroyed', { fault: 'destroy' }, 'broken', cutOff],
    ['it ends without finish reason and [DONE]', { fault: 'cut' }, 'broken', cutOff],
    [
      'a frame tells of an error',
      { fault: 'error' },
      'server',
      "The model's server failed; it may be tried again.",
    ],
    [
      'a frame tells of an error in words alone',
      { fault: 'error', errorFrame: { error: 'out of memory' } },
      'server',
      "The model's server failed; it may be tried again.",
    ],
    [
      'a frame tells of too many requests',
      { fault: 'error', errorFrame: { error: { message: 'slow down', code: 429 } } },
      'rate-limited',
      "The model's server is busy; it may be tried again later.",
    ],
    [
      'a frame is broken',
      { fault: 'malformed' },
      'malformed',
      "The model's server sent something that is no part of a reply.",
    ],
    [
      'a frame is of another kind',
      { fault: 'error', errorFrame: { choices: 'none' } },
      'malformed',
      "The model's server sent something that is no part of a reply.",
    ],
    ['nothing comes any more', { fault: 'stall' }, 'stalled', 'The model fell silent for 80 ms.'],
  ])('%s', async (_, script, fault, message) => {
    const outcome = await generate({ text: tokens, faultAfter: 5, ...script }, { limits: { silenceMs: 80 } })
    // Every piece that was sent before is there, and no second try is shown beneath it.
    expect(outcome).toMatchObject({ text: tokens.slice(0, 5).join(''), end: undefined, requests: 1 })
    expect(outcome.error).toMatchObject({ fault, message })
    // A server that is still at it is not left waiting.
    const request = server.requests().at(-1)!
    if (script.fault !== 'cut') await waitFor(() => request.closedAt !== undefined)
  })

  test.each<[string, Script, Partial<ModelLimits>, detail: string]>([
    [
      'an event goes on for longer than any is',
      { text: [...tokens.slice(0, 5), 'x'.repeat(200_000), 'never'] },
      { eventBytes: 4_000 },
      'an event of over 4000 bytes',
    ],
    [
      'the same, a few bytes at a time',
      { text: [...tokens.slice(0, 5), 'x'.repeat(5_000), 'never'], splitBytes: 7 },
      { eventBytes: 4_000 },
      'an event of over 4000 bytes',
    ],
    [
      'its events have no end',
      { text: [...tokens.slice(0, 5), ...Array.from({ length: 5_000 }, () => '')] },
      { streamBytes: 9_000 },
      'over 9000 bytes',
    ],
  ])('%s', async (_, script, limits, detail) => {
    const outcome = await generate({ ...script, keepOpen: true }, { limits })
    expect(outcome).toMatchObject({ text: tokens.slice(0, 5).join(''), end: undefined, requests: 1 })
    expect(outcome.error).toMatchObject({
      fault: 'malformed',
      message: "The model's server sent more than any reply can be.",
      detail,
    })
    const request = server.requests().at(-1)!
    await waitFor(() => request.closedAt !== undefined)
  })

  test('when all together took too long', async () => {
    const script = { text: Array.from({ length: 1_000 }, () => 'word '), tokensPerSecond: 100 }
    const { error, text: kept } = await generate(script, { limits: { wholeMs: 300 } })
    expect(error).toMatchObject({
      fault: 'stalled',
      message: 'The model was stopped, because its reply took longer than 300 ms.',
    })
    expect(kept).toMatch(/^(word )+$/)
  })
})

describe('no reply at all', () => {
  const html = { status: 200, body: '<h1>Welcome</h1>' }
  const json = (status: number, body: unknown) => ({ status, body })
  test.each<[string, Script, fault: string, message: string]>([
    [
      'wrong key',
      { answer: problems[401]! },
      'auth',
      "The model's server refused the key. An admin has to check it.",
    ],
    [
      'wrong key, as Google says it',
      {
        answer: json(400, {
          error: { message: 'API key not valid.', status: 'INVALID_ARGUMENT', code: 400 },
        }),
      },
      'auth',
      "The model's server refused the key. An admin has to check it.",
    ],
    [
      'too long',
      { answer: problems[400]! },
      'too-long',
      'The text to be read is longer than the model takes.',
    ],
    [
      'too long, as vLLM says it',
      {
        answer: json(400, {
          object: 'error',
          message: "This model's maximum context length is 16 tokens.",
          type: 'BadRequestError',
          code: 400,
        }),
      },
      'too-long',
      'The text to be read is longer than the model takes.',
    ],
    [
      'too long, as llama.cpp says it',
      {
        answer: json(400, {
          error: {
            code: 400,
            message: 'the request exceeds the available context size',
            type: 'exceed_context_size_error',
          },
        }),
      },
      'too-long',
      'The text to be read is longer than the model takes.',
    ],
    [
      'no such model',
      { answer: problems[404]! },
      'refused',
      "The model's server does not know the model. An admin has to check its name.",
    ],
    [
      'no such address',
      { answer: { status: 404, body: 'Not here' } },
      'refused',
      'The model\'s server answers with "not found". An admin has to check its address and the model\'s name.',
    ],
    [
      'moved',
      { answer: { status: 308, headers: { location: 'http://127.0.0.1:1/v1' } } },
      'refused',
      "The model's server has moved. An admin has to enter its new address.",
    ],
    [
      'no credit left',
      { answer: json(429, { error: { message: 'You exceeded your quota', code: 'insufficient_quota' } }) },
      'refused',
      "The account at the model's server has no credit left. An admin has to check it.",
    ],
    [
      'a setting that it does not know',
      { answer: json(422, { error: { message: 'max_tokens must be below 100' } }) },
      'refused',
      "The model's server refused the request. An admin has to check the model's settings.",
    ],
    [
      'a page in place of a stream',
      { answer: html },
      'malformed',
      "What the model's server sent is no reply. An admin has to check its address.",
    ],
    [
      'a stream of nothing',
      { answer: { status: 200, headers: { 'content-type': 'text/event-stream' }, body: '' } },
      'malformed',
      "The model's server answered with nothing that could be read.",
    ],
    [
      'busy for longer than anyone waits',
      { answer: problems[429]! },
      'rate-limited',
      "The model's server is busy; it may be tried again in 20 s.",
    ],
    [
      'silent from the start',
      { fault: 'stall' },
      'stalled',
      'The model did not begin to reply within 150 ms.',
    ],
  ])('%s: one request', async (_, script, fault, message) => {
    const outcome = await generate(script, { limits: { firstPartMs: 150 } })
    expect(outcome).toMatchObject({ parts: [], requests: 1 })
    expect(outcome.error).toMatchObject({ fault, message })
    expect(outcome.error!.retryMs).toBe(message.endsWith('20 s.') ? 20_000 : undefined)
  })

  test.each<[string, Script, fault: string, message: string]>([
    ['failed', { answer: problems[500]! }, 'server', "The model's server failed; it may be tried again."],
    [
      'a page that says so',
      { answer: { status: 502, body: '<h1>Bad gateway</h1>' } },
      'server',
      "The model's server failed; it may be tried again.",
    ],
    [
      'overloaded',
      { answer: { status: 503, headers: { 'retry-after': '0' }, body: '' } },
      'server',
      "The model's server is overloaded; it may be tried again later.",
    ],
    [
      'busy for a moment',
      { answer: { ...problems[429]!, headers: { 'retry-after-ms': '30' } } },
      'rate-limited',
      "The model's server is busy; it may be tried again in 30 ms.",
    ],
    [
      'the socket is destroyed at once',
      { fault: 'destroy' },
      'broken',
      "The connection to the model's server broke off in the midst of the reply.",
    ],
    [
      'a frame tells of an error at once',
      { fault: 'error', errorFrame: { error: { type: 'overloaded_error', message: 'Overloaded' } } },
      'server',
      "The model's server is overloaded; it may be tried again later.",
    ],
  ])('%s: tried once more, and no more', async (_, script, fault, message) => {
    const outcome = await generate(script)
    expect(outcome).toMatchObject({ parts: [], requests: 2 })
    expect(outcome.error).toMatchObject({ fault, message })
    // The second try counts as if it had been the first.
    const second = await generate((tries) => (tries === 0 ? script : { text, usage }))
    expect(second).toMatchObject({ text, requests: 2, error: undefined })
  })

  test('a server that says when to come back is asked no sooner', async () => {
    const answer = { ...problems[429]!, headers: { 'retry-after': '1' } }
    const { requests, error } = await generate((tries) => (tries === 0 ? { answer } : { text }))
    expect({ requests, error }).toEqual({ requests: 2, error: undefined })
    const [first, second] = server.requests().slice(-2)
    expect(second!.at - first!.at).toBeGreaterThanOrEqual(990)
  })

  test('nobody at that address', async () => {
    const closed = await startScriptedModel()
    await closed.stop()
    const { error, requests } = await generate({}, { settings: { baseUrl: closed.url } })
    expect(requests).toBe(0)
    expect(error).toMatchObject({ fault: 'unreachable', message: "The model's server cannot be reached." })
    expect(error!.detail).toContain('ECONNREFUSED')
  })
})

test('servers that speak another dialect are understood, and remembered', async () => {
  const refuses = (name: string) => ({
    status: 400,
    body: { error: { message: `Unsupported parameter: '${name}'`, param: name } },
  })
  const better = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
  server.script(({ body }) => {
    if (body.stream_options) return { answer: refuses('stream_options') }
    if (body.max_tokens !== undefined)
      return { answer: { status: 400, body: { error: { message: better, param: 'max_tokens' } } } }
    return { text }
  })
  const before = server.requests().length
  const model = createModel(settings())
  const once = async () => {
    const parts: Part[] = []
    for await (const part of model.generate(generation())) parts.push(part)
    return parts
  }
  const parts = await once()
  expect(textOf(parts)).toBe(text)
  expect(parts.at(-1)).toEqual({ type: 'end', reason: 'complete' })
  expect(server.requests().length - before).toBe(3)
  expect(server.requests().at(-1)!.body).toMatchObject({ max_completion_tokens: 500 })
  await once()
  expect(server.requests().length - before).toBe(4)
})

test('a fault tells what the server said, without the key that it repeats', async () => {
  const said = `No such tier for ${key}, or ${encodeURIComponent(key)}`
  const { error } = await generate({ answer: { status: 409, body: { error: { message: said } } } })
  expect(error!.detail).toContain('No such tier for [redacted]')
  expect(error!.message).not.toContain('tier')
  // However it is written: a key may hold any signs.
  const odd = 'sk-"a/b+c&ü\\1234567890'
  const forms = [
    odd,
    JSON.stringify(odd),
    JSON.stringify(JSON.stringify(odd)),
    JSON.stringify(odd).replaceAll('/', '\\/'),
    encodeURIComponent(odd),
    new URLSearchParams({ key: odd }).toString(),
    ...['', ':', 'me:', 'api:'].map((user) => Buffer.from(`${user}${odd}`).toString('base64')),
    ...['', ':', 'me:'].map((user) => Buffer.from(`${user}${odd}, and more`).toString('base64url')),
    Buffer.from(odd).toString('hex'),
  ]
  for (const form of forms) {
    for (const body of [`<${form}>`, { error: { message: form } }]) {
      const told = await generate({ answer: { status: 409, body } }, { settings: { apiKey: odd } })
      expect(told.error!.detail).toContain('[redacted]')
      expect(told.error!.detail).not.toMatch(/1234567890|MTIzNDU2|EyMzQ1|xMjM0NT|313233/)
    }
  }
  const refused = await generate({
    answer: { status: 401, body: { error: { message: `Incorrect key sk-a-***${key.slice(-4)}` } } },
  })
  expect(refused.error).toMatchObject({ fault: 'auth', detail: '401' })
})

describe('abort closes the connection within 100 ms, and throws the reason', () => {
  const slow: Script = { text: Array.from({ length: 1_000 }, () => 'word '), tokensPerSecond: 50 }
  test.each<[string, Script, until: (parts: number, requests: number) => boolean]>([
    ['in the midst of the text', slow, (parts) => parts >= 3],
    ['before the first part', { ...slow, firstTokenMs: 60_000 }, (_, requests) => requests === 1],
    ['while nothing comes', { ...slow, fault: 'stall', faultAfter: 2 }, (parts) => parts >= 2],
  ])('%s', async (_, script, until) => {
    server.script(script)
    const before = server.requests().length
    const stop = new AbortController()
    const reason = new Error('someone pressed stop')
    let parts = 0
    const reading = (async () => {
      for await (const _part of createModel(settings()).generate(generation(stop.signal))) parts++
    })()
    const thrown = reading.catch((error: unknown) => error)
    await waitFor(() => until(parts, server.requests().length - before))
    const request = server.requests().at(-1)!
    expect(request.closedAt).toBeUndefined()
    const pressed = performance.now()
    stop.abort(reason)
    expect(await thrown).toBe(reason)
    await waitFor(() => request.closedAt !== undefined)
    expect(request.closedAt! - pressed).toBeLessThan(100)
    // And none was opened in its place.
    await waitFor(() => server.connections().every(({ closedAt }) => closedAt !== undefined))
  })

  test('while a second try is waited for', async () => {
    server.script({ answer: problems[500]! })
    const before = server.requests().length
    const stop = new AbortController()
    const reading = createModel(settings(), { retryMs: 5_000 }).generate(generation(stop.signal))
    const thrown = (async () => {
      for await (const _ of reading);
    })().catch((error: unknown) => error)
    await waitFor(() => server.requests().length === before + 1)
    stop.abort('enough')
    expect(await thrown).toBe('enough')
    expect(server.requests().length).toBe(before + 1)
  })

  test('before anything was asked', async () => {
    const before = server.requests().length
    const reading = createModel(settings()).generate(generation(AbortSignal.abort('no')))
    await expect(reading[Symbol.asyncIterator]().next()).rejects.toBe('no')
    expect(server.requests().length).toBe(before)
  })

  test('a reader who leaves closes it as well', async () => {
    server.script(slow)
    for await (const _ of createModel(settings()).generate(generation())) break
    const request = server.requests().at(-1)!
    await waitFor(() => request.closedAt !== undefined)
  })
})
