import type http from 'node:http'
import { inspect } from 'node:util'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { ModelError, type Generation, type ModelSettings, type Part } from '../../server/ai/model.ts'
import { createModel } from '../../server/ai/providers.ts'
import { serveHttp, type LinkServer } from '../helpers/link-server.ts'

/** The two protocols beside OpenAI's, as far as our code depends on them. */

const key = 'a-key-that-nobody-may-see'

const anthropic = {
  provider: 'anthropic' as const,
  header: 'x-api-key',
  path: '/v1/messages',
  frames: [
    {
      type: 'message_start',
      message: {
        id: 'm',
        type: 'message',
        role: 'assistant',
        model: 'big',
        content: [],
        stop_reason: null,
        usage: { input_tokens: 12, output_tokens: 1 },
      },
    },
    {
      type: 'content_block_start',
      index: 0,
      content_block: { type: 'thinking', thinking: '', signature: '' },
    },
    { type: 'content_block_delta', index: 0, delta: { type: 'thinking_delta', thinking: 'Hm.' } },
    { type: 'content_block_stop', index: 0 },
    { type: 'content_block_start', index: 1, content_block: { type: 'text', text: '' } },
    { type: 'ping' },
    { type: 'content_block_delta', index: 1, delta: { type: 'text_delta', text: 'Yes' } },
    { type: 'content_block_delta', index: 1, delta: { type: 'text_delta', text: ' 🌱' } },
    { type: 'content_block_stop', index: 1 },
    { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 34 } },
    { type: 'message_stop' },
  ],
  /** How many frames come before the end, with all of the text in them. */
  beforeEnd: 9,
  finish: { end_turn: 'complete', max_tokens: 'length', refusal: 'filtered' },
  error: { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } },
  refusals: {
    auth: [
      401,
      { type: 'error', error: { type: 'authentication_error', message: `invalid x-api-key ${key}` } },
    ],
    'too-long': [
      400,
      {
        type: 'error',
        error: {
          type: 'invalid_request_error',
          message: 'prompt is too long: 300000 tokens > 200000 maximum',
        },
      },
    ],
    refused: [404, { type: 'error', error: { type: 'not_found_error', message: 'model: big' } }],
  },
}

const candidate = (parts: object[], finishReason?: string) => ({
  candidates: [{ content: { role: 'model', parts }, ...(finishReason !== undefined && { finishReason }) }],
  usageMetadata: { promptTokenCount: 12, candidatesTokenCount: 30, thoughtsTokenCount: 4 },
})
const google = {
  provider: 'google' as const,
  header: 'x-goog-api-key',
  path: '/v1/models/big:streamGenerateContent?alt=sse',
  frames: [
    candidate([{ text: 'Hm.', thought: true }]),
    candidate([{ text: 'Yes' }]),
    candidate([{ text: ' 🌱' }]),
    candidate([], 'STOP'),
  ],
  beforeEnd: 3,
  finish: { STOP: 'complete', MAX_TOKENS: 'length', SAFETY: 'filtered' },
  error: { error: { code: 503, message: 'The model is overloaded.', status: 'UNAVAILABLE' } },
  refusals: {
    auth: [400, { error: { code: 400, message: `API key not valid: ${key}`, status: 'INVALID_ARGUMENT' } }],
    'too-long': [
      400,
      {
        error: {
          code: 400,
          message: 'The input token count (3000000) exceeds the maximum number of tokens allowed (1048576).',
          status: 'INVALID_ARGUMENT',
        },
      },
    ],
    refused: [404, { error: { code: 404, message: 'models/big is not found', status: 'NOT_FOUND' } }],
  },
}

let server: LinkServer
afterEach(() => server.close())

type Write = (frames: readonly object[]) => void
async function serve(answer: (response: http.ServerResponse, write: Write) => void): Promise<void> {
  server = await serveHttp((request, response) => {
    request.resume()
    answer(response, (frames) => {
      if (!response.headersSent) response.writeHead(200, { 'content-type': 'text/event-stream' })
      for (const frame of frames) {
        const event = 'type' in frame ? `event: ${String(frame.type)}\n` : ''
        response.write(`${event}data: ${JSON.stringify(frame)}\n\n`)
      }
    })
  })
}

function start(
  provider: ModelSettings['provider'],
  signal = new AbortController().signal,
): AsyncIterable<Part> {
  const settings: ModelSettings = {
    name: 'Big',
    provider,
    baseUrl: `http://127.0.0.1:${server.port}/v1`,
    model: 'big',
    apiKey: key,
    contextTokens: 100_000,
    price: undefined,
  }
  const generation: Generation = {
    messages: [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Is it?' },
    ],
    pieces: [],
    persona: { handle: 'explain', name: 'Explain' },
    request: null,
    maxOutputTokens: 500,
    signal,
  }
  return createModel(settings, { retryMs: 10, silenceMs: 500 }).generate(generation)
}

async function read(provider: ModelSettings['provider']): Promise<{ parts: Part[]; error?: ModelError }> {
  const parts: Part[] = []
  try {
    for await (const part of start(provider)) parts.push(part)
    return { parts }
  } catch (error) {
    if (!(error instanceof ModelError)) throw error
    expect(inspect(error, { depth: 9 })).not.toContain(key)
    return { parts, error }
  }
}

describe.each([anthropic, google])(
  '$provider',
  ({ provider, header, path, frames, beforeEnd, ...protocol }) => {
    const shown: Part[] = [
      { type: 'reasoning', text: 'Hm.' },
      { type: 'text', text: 'Yes' },
      { type: 'text', text: ' 🌱' },
    ]

    test('a whole reply', async () => {
      await serve((response, write) => {
        write(frames)
        response.end()
      })
      const end: Part = { type: 'end', reason: 'complete', usage: { input: 12, output: 34 } }
      expect(await read(provider)).toEqual({ parts: [...shown, end] })
      const request = server.lastRequest()!
      expect(request.url).toBe(path)
      expect(request.headers[header]).toBe(key)
    })

    test.each(Object.entries(protocol.finish))('that ends for the reason %s', async (reason, expected) => {
      const last = JSON.stringify(frames.slice(beforeEnd)).replace(/end_turn|STOP/, reason)
      await serve((response, write) => {
        write([...frames.slice(0, beforeEnd), ...(JSON.parse(last) as object[])])
        response.end()
      })
      expect((await read(provider)).parts.at(-1)).toMatchObject({ type: 'end', reason: expected })
    })

    test('that ends without an end', async () => {
      await serve((response, write) => {
        write(frames.slice(0, beforeEnd))
        response.end()
      })
      const { parts, error } = await read(provider)
      expect(parts).toEqual(shown)
      expect(error).toMatchObject({
        fault: 'broken',
        message: "The connection to the model's server broke off in the midst of the reply.",
      })
    })

    test('whose connection is destroyed', async () => {
      await serve((response, write) => {
        write(frames.slice(0, beforeEnd))
        response.write('\n', () => response.socket?.destroy())
      })
      const { parts, error } = await read(provider)
      expect(parts).toEqual(shown)
      expect(error).toMatchObject({ fault: 'broken' })
    })

    test('with an error in its midst', async () => {
      await serve((_response, write) => write([...frames.slice(0, beforeEnd), protocol.error]))
      const { parts, error } = await read(provider)
      expect(parts).toEqual(shown)
      expect(error).toMatchObject({
        fault: 'server',
        message: "The model's server is overloaded; it may be tried again later.",
      })
      await server.idle()
    })

    test('with an error at once: one more try', async () => {
      let tries = 0
      await serve((response, write) => {
        // The server leaves the first one open.
        if (tries++ === 0) return write([protocol.error])
        write(frames)
        response.end()
      })
      expect((await read(provider)).parts).toHaveLength(4)
      expect(tries).toBe(2)
      await server.idle()
    })

    test.each(Object.entries(protocol.refusals))('that is refused: %s', async (fault, [status, body]) => {
      let tries = 0
      await serve((response) => {
        tries++
        response.writeHead(status as number, { 'content-type': 'application/json' })
        response.end(JSON.stringify(body))
      })
      const { parts, error } = await read(provider)
      expect(parts).toEqual([])
      expect(error).toMatchObject({ fault })
      expect(tries).toBe(1)
    })

    test('silence', async () => {
      await serve((_response, write) => write(frames.slice(0, beforeEnd)))
      const { error } = await read(provider)
      expect(error).toMatchObject({ fault: 'stalled', message: 'The model fell silent for 500 ms.' })
      await server.idle()
    })

    test('abort closes the connection within 100 ms', async () => {
      let closedAt: number | undefined
      await serve((response, write) => {
        response.once('close', () => (closedAt = performance.now()))
        write(frames.slice(0, beforeEnd))
      })
      const stop = new AbortController()
      let parts = 0
      const thrown = (async () => {
        for await (const _ of start(provider, stop.signal)) parts++
      })().catch((error: unknown) => error)
      await vi.waitFor(() => expect(parts).toBe(3), { interval: 5 })
      expect(closedAt).toBeUndefined()
      const pressed = performance.now()
      stop.abort('enough')
      expect(await thrown).toBe('enough')
      await vi.waitFor(() => expect(closedAt).toBeDefined(), { interval: 5 })
      expect(closedAt! - pressed).toBeLessThan(100)
    })
  },
)

test('keys and addresses of the environment that the libraries know are not used', async () => {
  vi.stubEnv('ANTHROPIC_API_KEY', 'of-someone-else')
  vi.stubEnv('ANTHROPIC_BASE_URL', 'http://127.0.0.1:1')
  await serve((response, write) => {
    write(anthropic.frames)
    response.end()
  })
  const model = createModel({
    name: 'Big',
    provider: 'anthropic',
    baseUrl: `http://127.0.0.1:${server.port}/v1`,
    model: 'big',
    apiKey: undefined,
    contextTokens: 100_000,
    price: undefined,
  })
  const parts: Part[] = []
  for await (const part of model.generate({
    messages: [{ role: 'user', content: 'Is it?' }],
    pieces: [],
    persona: { handle: 'explain', name: 'Explain' },
    request: null,
    maxOutputTokens: 500,
    signal: new AbortController().signal,
  }))
    parts.push(part)
  expect(parts).toHaveLength(4)
  expect(server.lastRequest()!.headers['x-api-key']).not.toBe('of-someone-else')
})
