import type { Piece } from './context.ts'

/** One message to a model. */
export interface ModelMessage {
  readonly role: 'system' | 'user'
  readonly content: string
}

/** What a model is asked to write. */
export interface Generation {
  readonly messages: readonly ModelMessage[]
  /** The same context as `messages` hold, in pieces: for what is no language model. */
  readonly pieces: readonly Piece[]
  /** Whose words they are to be. */
  readonly persona: { readonly handle: string; readonly name: string }
  readonly request: string | null
  readonly maxOutputTokens: number
  /** Ends it at once: the connection to the model's server is closed. */
  readonly signal: AbortSignal
}

/**
 * What comes of it, in order. The last part is `end`; whatever ends otherwise throws. Texts hold whole characters, and none
 * that the database cannot hold.
 */
export type Part =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'reasoning'; readonly text: string }
  | {
      readonly type: 'end'
      /** `length`: the model had more to say than it was allowed to. */
      readonly reason: 'complete' | 'length' | 'filtered'
      /** Where the model's server tells. */
      readonly usage?: { readonly input: number; readonly output: number }
    }

/** Something that writes. */
export interface Model {
  /** As readers see it. */
  readonly name: string
  /** No language model: it only picks sentences. */
  readonly offline: boolean
  /** How many tokens it can read and write together. */
  readonly contextTokens: number
  /** Of a million tokens. */
  readonly price?: { readonly input: number; readonly output: number; readonly currency: string } | undefined
  /** Throws a ModelError; the signal's reason where that was aborted. */
  generate(generation: Generation): AsyncIterable<Part>
}

/** How to reach a language model. */
export interface ModelSettings {
  /** As readers see it. */
  readonly name: string
  readonly provider: 'openai-compatible' | 'anthropic' | 'google'
  /** Null: the provider's own. An OpenAI-compatible server has none. */
  readonly baseUrl: string | null
  /** As its server calls it. */
  readonly model: string
  readonly apiKey: string | undefined
  readonly contextTokens: number
  readonly price: Model['price']
}

/** Why a model wrote nothing, or not to the end. */
export type ModelFault =
  /** Its server cannot be reached. */
  | 'unreachable'
  /** The key is wrong or missing. */
  | 'auth'
  | 'rate-limited'
  /** What was to be read is longer than the model takes. */
  | 'too-long'
  /** The request was refused for another reason: no such model, a setting it does not know. */
  | 'refused'
  /** Its server failed. */
  | 'server'
  /** It fell silent. */
  | 'stalled'
  /** The connection ended before the reply did. */
  | 'broken'
  /** What came could not be read. */
  | 'malformed'

/** The one error of models. Its message is for readers: it says what happened and what helps, and holds no secrets. */
export class ModelError extends Error {
  readonly fault: ModelFault
  /** What the model's server or the network said, for admins and the log; without secrets, either. */
  readonly detail: string | undefined
  /** When it is worth trying again, in milliseconds. */
  readonly retryMs: number | undefined

  constructor(
    fault: ModelFault,
    message: string,
    more: { retryMs?: number | undefined; detail?: string | undefined; cause?: unknown } = {},
  ) {
    super(message, { cause: more.cause })
    this.name = 'ModelError'
    this.fault = fault
    this.detail = more.detail
    this.retryMs = more.retryMs
  }
}
