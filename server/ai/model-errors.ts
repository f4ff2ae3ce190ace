import { APICallError, JSONParseError, TypeValidationError } from '@ai-sdk/provider'
import { modelLimits } from './limits.ts'
import { ModelError } from './model.ts'

/** What is needed to tell of a fault without telling too much. */
export interface ErrorFacts {
  /** What must never be told. */
  readonly secrets: readonly string[]
}

/** Whatever went wrong between us and a model, as the one error that it is. The causes hold keys and texts, and are not kept. */
export function toModelError(error: unknown, facts: ErrorFacts): ModelError {
  if (error instanceof ModelError) return error
  const tell = (text: string) => redact(text, facts.secrets)
  if (APICallError.isInstance(error)) {
    const { statusCode: status, responseBody: said = '', responseHeaders: headers = {} } = error
    if (status === undefined) return networkError(error, tell)
    if (status < 300) return malformed(tell(causes(error)))
    return statusError(status, said, headers, tell)
  }
  if (JSONParseError.isInstance(error)) return malformed(tell(`not JSON: ${error.text}`))
  if (TypeValidationError.isInstance(error)) {
    const { value } = error
    return isRecord(value) && 'error' in value
      ? frameError(value['error'], tell)
      : malformed(tell(`not a piece of a reply: ${JSON.stringify(value)}`))
  }
  if (error instanceof Error) return networkError(error, tell)
  return frameError(error, tell)
}

/** An address or a key with a character that cannot be sent ends here as well as a server that cannot be reached. */
function networkError(error: Error, tell: Tell): ModelError {
  const detail = tell(causes(error))
  return /ECONNRESET|EPIPE|UND_ERR_SOCKET|other side closed/.test(detail)
    ? new ModelError('broken', "The connection to the model's server broke off before the reply began.", {
        detail,
      })
    : new ModelError('unreachable', "The model's server cannot be reached.", { detail })
}

function malformed(detail: string): ModelError {
  return new ModelError('malformed', "The model's server sent something that is no part of a reply.", {
    detail,
  })
}

/** The fault that a server tells of in the midst of a stream, in one of many forms. */
function frameError(frame: unknown, tell: Tell): ModelError {
  const said = typeof frame === 'string' ? frame : JSON.stringify(frame)
  return statusError(statusOf(frame), said, {}, tell)
}

function statusOf(frame: unknown): number {
  const { code, type, status } = isRecord(frame) ? frame : {}
  for (const each of [code, status]) {
    if (Number.isInteger(Number(each)) && Number(each) >= 400 && Number(each) < 600) return Number(each)
  }
  const words = [code, type, status].join(' ')
  if (/rate.?limit|too_many|RESOURCE_EXHAUSTED/i.test(words)) return 429
  if (/overloaded|UNAVAILABLE/i.test(words)) return 529
  if (/authentication|permission|api_key/i.test(words)) return 401
  return /invalid_request|context_length|exceed_context/i.test(words) ? 400 : 500
}

/** Of a prompt that is too long, as OpenAI, vLLM, llama.cpp, Ollama, Anthropic and Google say it. */
const tooLong =
  /context.?(length|size|window)|exceed_context|maximum context|too many (input )?tokens|(prompt|input) is too long|token count .*exceeds/i
const noCredit = /insufficient_quota|insufficient (credit|balance|funds)|credit balance|billing/i
const wrongKey = /api[ _-]?key/i

function statusError(
  status: number,
  said: string,
  headers: Readonly<Record<string, string>>,
  tell: Tell,
): ModelError {
  const detail = tell(`${status} ${said}`)
  const refused = (message: string) => new ModelError('refused', message, { detail })
  const badRequest = status === 400 || status === 422
  if (status === 402 || noCredit.test(said)) {
    return refused("The account at the model's server has no credit left. An admin has to check it.")
  }
  if (status === 401 || status === 403 || (badRequest && wrongKey.test(said))) {
    // Servers repeat the key that they refuse, in part or whole.
    return new ModelError('auth', "The model's server refused the key. An admin has to check it.", {
      detail: String(status),
    })
  }
  if (status === 413 || (badRequest && tooLong.test(said))) {
    return new ModelError('too-long', 'The text to be read is longer than the model takes.', { detail })
  }
  if (status === 429) {
    const retryMs = retryAfter(headers)
    return new ModelError(
      'rate-limited',
      retryMs === undefined
        ? "The model's server is busy; it may be tried again later."
        : `The model's server is busy; it may be tried again in ${inWords(retryMs)}.`,
      { retryMs, detail },
    )
  }
  if (status === 408 || status >= 500) {
    const busy = status === 503 || status === 529
    const message = busy
      ? "The model's server is overloaded; it may be tried again later."
      : "The model's server failed; it may be tried again."
    return new ModelError('server', message, { retryMs: retryAfter(headers), detail })
  }
  if (status === 404) {
    return refused(
      /model/i.test(said)
        ? "The model's server does not know the model. An admin has to check its name."
        : 'The model\'s server answers with "not found". An admin has to check its address and the model\'s name.',
    )
  }
  if (status < 400) return refused("The model's server has moved. An admin has to enter its new address.")
  return refused("The model's server refused the request. An admin has to check the model's settings.")
}

/** Milliseconds; undefined where the server does not tell. */
function retryAfter(headers: Readonly<Record<string, string>>): number | undefined {
  const exact = Number(headers['retry-after-ms'] ?? NaN)
  if (exact >= 0) return exact
  const value = headers['retry-after']
  if (value === undefined) return undefined
  const ms = /^\s*\d+(\.\d+)?\s*$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - Date.now()
  return Number.isNaN(ms) ? undefined : Math.max(0, ms)
}

/** A time as people say it: `45 s`, `15 min`. */
export function inWords(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`
  return ms < 120_000 ? `${Math.ceil(ms / 1_000)} s` : `${Math.ceil(ms / 60_000)} min`
}

type Tell = (text: string) => string

/** One line that may stand in a log. */
function redact(text: string, secrets: readonly string[]): string {
  let line = text.replace(/\s+/g, ' ').trim()
  const forms = new Set(secrets.flatMap(formsOf))
  // The longest first: of a form that holds another one, nothing is to be left.
  for (const form of [...forms].toSorted((a, b) => b.length - a.length)) {
    line = line.replaceAll(form, '[redacted]')
  }
  return line.slice(0, modelLimits.detailMax)
}

/** A secret as servers and libraries may repeat it. */
function formsOf(secret: string): string[] {
  if (secret === '') return []
  const inJson = (text: string) => JSON.stringify(text).slice(1, -1)
  const inOtherJson = (text: string) => inJson(text).replaceAll('/', '\\/')
  const bytes = Buffer.from(secret)
  const forms = [
    secret,
    inJson(secret),
    inOtherJson(secret),
    // Errors are passed on within errors.
    inJson(inJson(secret)),
    inJson(inOtherJson(secret)),
    inJson(inJson(inJson(secret))),
    encodeURIComponent(secret),
    encodeURI(secret),
    bytes.toString('hex'),
    ...base64Of(bytes),
  ]
  return [...forms, new URLSearchParams([['', secret]]).toString().slice(1)].filter((form) => form !== '')
}

/** In the midst of a longer text, as `user:key` is one, base64 writes the same bytes in three ways; their ends depend on what is beside. */
function base64Of(bytes: Buffer): string[] {
  if (bytes.length < leastInBase64) return []
  return [0, 1, 2].flatMap((before) => {
    const whole = Buffer.concat([Buffer.alloc(before), bytes])
      .toString('base64')
      .replace(/=+$/, '')
    // The letters that other bytes have a part in.
    const form = whole.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6))
    return [form, form.replaceAll('+', '-').replaceAll('/', '_')]
  })
}
/** Bytes: fewer letters than that make could be anything. */
const leastInBase64 = 6

/** The message of an error and of what caused it. */
function causes(error: Error): string {
  const lines: string[] = []
  for (let each: unknown = error; each instanceof Error && lines.length < 5; each = each.cause) {
    const { code } = each as NodeJS.ErrnoException
    lines.push(code === undefined || each.message.includes(code) ? each.message : `${each.message} (${code})`)
  }
  return lines.join(': ')
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
