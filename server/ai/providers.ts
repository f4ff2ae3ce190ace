import { createAnthropic } from '@ai-sdk/anthropic'
import { createGoogleGenerativeAI } from '@ai-sdk/google'
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { APICallError, InvalidResponseDataError } from '@ai-sdk/provider'
import type { LanguageModelV3, LanguageModelV3Prompt, LanguageModelV3StreamPart } from '@ai-sdk/provider'
import { createTextCleaner } from './clean-text.ts'
import { createDeadlines, type Deadlines } from './deadlines.ts'
import { modelLimits, type ModelLimits } from './limits.ts'
import { toModelError } from './model-errors.ts'
import {
  ModelError,
  type Generation,
  type Model,
  type ModelMessage,
  type ModelSettings,
  type Part,
} from './model.ts'
import { createWire } from './wire.ts'

/**
 * A language model behind one of the providers' protocols. The providers' `doStream` is called as it is, and not
 * `streamText` of the library above: that one tries again by itself, takes errors for parts of a stream that went well,
 * and knows nothing of silence; and of what it adds, tools and steps, nothing is used here.
 */
export function createModel(settings: ModelSettings, given: Partial<ModelLimits> = {}): Model {
  const limits = { ...modelLimits, ...given }
  const { name, contextTokens, price, apiKey = '' } = settings
  const facts = { secrets: [apiKey] }
  // What this server was found not to understand. It need not be found out again for each reply.
  const dialect: Dialect = { usage: true, maxTokens: 'max_tokens' }
  return { name, offline: false, contextTokens, price, generate }

  async function* generate(generation: Generation): AsyncGenerator<Part> {
    const deadlines = createDeadlines(limits, generation.signal)
    try {
      let mayRetry = true
      for (;;) {
        let shown = false
        try {
          for await (const part of attempt(settings, dialect, generation, deadlines, limits)) {
            shown = true
            yield part
          }
          return
        } catch (thrown) {
          deadlines.signal.throwIfAborted()
          if (!shown && adapt(dialect, thrown)) continue
          const error = toModelError(thrown, facts)
          const retryMs = error.retryMs ?? limits.retryMs
          if (shown || !mayRetry || !passing.has(error.fault) || retryMs > limits.retryAfterMaxMs) throw error
          mayRetry = false
          await deadlines.pause(retryMs)
        }
      }
    } finally {
      deadlines.clear()
    }
  }
}

/** Faults that may be gone a moment later. */
const passing: ReadonlySet<string> = new Set(['unreachable', 'rate-limited', 'server', 'broken'])

/** One request, and its reply part by part. Throws whatever goes wrong; its connection is closed when it is left. */
async function* attempt(
  settings: ModelSettings,
  dialect: Dialect,
  { messages, maxOutputTokens }: Generation,
  deadlines: Deadlines,
  limits: ModelLimits,
): AsyncGenerator<Part> {
  const wire = createWire(limits)
  const left = new AbortController()
  const abortSignal = AbortSignal.any([deadlines.signal, left.signal])
  const clean = { text: createTextCleaner(), reasoning: createTextCleaner() }
  let frames = 0
  let finish: Finish | undefined
  try {
    deadlines.start()
    const { stream } = await languageModel(settings, dialect, wire.fetch).doStream({
      prompt: promptOf(messages),
      maxOutputTokens,
      abortSignal,
      includeRawChunks: true,
    })
    for await (const part of stream) {
      deadlines.signal.throwIfAborted()
      if (part.type === 'raw') {
        frames++
        if (saysFinish(part.rawValue)) deadlines.tail(wire.end)
      } else if (part.type === 'text-delta' || part.type === 'reasoning-delta') {
        const type = part.type === 'text-delta' ? 'text' : 'reasoning'
        const text = clean[type](part.delta)
        if (text === '') continue
        deadlines.suspend()
        yield { type, text }
        deadlines.resume()
      } else if (part.type === 'finish') {
        finish = part
      } else if (part.type === 'error' && !InvalidResponseDataError.isInstance(part.error)) {
        // That one error says that no finish reason came; `finish` says so as well, and follows.
        throw part.error
      }
    }
    deadlines.signal.throwIfAborted()
    const isWhole = finish?.finishReason.raw !== undefined || wire.done
    if (!isWhole) throw cutOff(frames, wire.broken)
    yield endOf(finish)
  } finally {
    left.abort()
  }
}

function cutOff(frames: number, broken: unknown): ModelError {
  if (broken instanceof ModelError) return broken
  if (frames === 0 && broken === undefined) {
    return new ModelError('malformed', "The model's server answered with nothing that could be read.")
  }
  return new ModelError(
    'broken',
    "The connection to the model's server broke off in the midst of the reply.",
    {
      detail: broken instanceof Error ? broken.message : 'the stream ended without saying that it was whole',
    },
  )
}

type Finish = Extract<LanguageModelV3StreamPart, { type: 'finish' }>

function endOf(finish: Finish | undefined): Part {
  const unified = finish?.finishReason.unified
  const reason = unified === 'length' ? 'length' : unified === 'content-filter' ? 'filtered' : 'complete'
  const { inputTokens, outputTokens, raw } = finish?.usage ?? {}
  const [input, output] = [inputTokens?.total, outputTokens?.total]
  // Where nothing was told, some of the libraries say 0.
  const told = raw !== undefined && isCount(input) && isCount(output)
  return { type: 'end', reason, ...(told && { usage: { input, output } }) }
}

/** Servers tell what they like. What is no count would end in people's budgets, or break the booking of the reply. */
function isCount(tokens: number | undefined): tokens is number {
  return Number.isSafeInteger(tokens) && tokens! >= 0 && tokens! <= modelLimits.usageMax
}

/** Whether a frame of OpenAI's or Google's kind holds the reason why the reply ends there. Anthropic's has an end of its own. */
function saysFinish(frame: unknown): boolean {
  const { choices, candidates } = (frame ?? {}) as {
    choices?: { finish_reason?: unknown }[]
    candidates?: { finishReason?: unknown }[]
  }
  const reason = choices?.[0]?.finish_reason ?? candidates?.[0]?.finishReason ?? null
  // Google's way of saying that the next request brings the rest.
  return reason !== null && reason !== 'CONTINUATION'
}

/** How a server wants to be asked, of those that mean to speak as OpenAI's does. */
interface Dialect {
  /** Whether it may be asked to tell the usage. */
  usage: boolean
  /** OpenAI's newer models refuse the one name, and many other servers do not know the other. */
  maxTokens: 'max_tokens' | 'max_completion_tokens'
}

/** Changes the dialect where the server refused a word of it; whether that is so, and it has not been changed before. */
function adapt(dialect: Dialect, error: unknown): boolean {
  if (!APICallError.isInstance(error) || (error.statusCode !== 400 && error.statusCode !== 422)) return false
  const said = error.responseBody ?? ''
  if (dialect.usage && /stream_options|include_usage/.test(said)) dialect.usage = false
  else if (dialect.maxTokens === 'max_tokens' && said.includes('max_completion_tokens')) {
    dialect.maxTokens = 'max_completion_tokens'
  } else return false
  return true
}

function languageModel(
  settings: ModelSettings,
  dialect: Dialect,
  fetch: typeof globalThis.fetch,
): LanguageModelV3 {
  const { provider, baseUrl, model, apiKey } = settings
  switch (provider) {
    case 'openai-compatible':
      return createOpenAICompatible({
        name: 'model',
        baseURL: baseUrl ?? '',
        ...(apiKey !== undefined && { apiKey }),
        includeUsage: dialect.usage,
        transformRequestBody: ({ max_tokens, ...body }) => ({
          ...body,
          [dialect.maxTokens]: max_tokens as unknown,
        }),
        fetch,
      })(model)
    // Key and address are always given, since the libraries look for them in the environment otherwise.
    case 'anthropic':
      return createAnthropic({
        baseURL: baseUrl ?? 'https://api.anthropic.com/v1',
        apiKey: apiKey ?? '',
        fetch,
      })(model)
    case 'google':
      return createGoogleGenerativeAI({
        baseURL: baseUrl ?? 'https://generativelanguage.googleapis.com/v1beta',
        apiKey: apiKey ?? '',
        fetch,
      })(model)
  }
}

function promptOf(messages: readonly ModelMessage[]): LanguageModelV3Prompt {
  return messages.map(({ role, content }) =>
    role === 'system' ? { role, content } : { role, content: [{ type: 'text', text: content }] },
  )
}
