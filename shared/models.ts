import * as z from 'zod/mini'
import { displayName, webUrl } from './http.ts'
import { limits } from './limits.ts'

/** Which protocol a model's server speaks. */
export const modelProvider = z.enum(['openai-compatible', 'anthropic', 'google'])

export const modelId = z.string().check(z.regex(/^[\w-]+$/), z.maxLength(limits.modelIdMax))

/** A key is sent in a header and a model's name in an address: neither takes other characters. */
const visible = (max: number) => z.string().check(z.trim(), z.regex(/^[\x21-\x7e]+$/), z.maxLength(max))
const modelName = visible(limits.modelNameMax)
const apiKey = visible(limits.apiKeyMax)
const contextTokens = z.int().check(z.gte(2_000), z.lte(100_000_000))
const price = z.nullable(z.number().check(z.gte(0), z.lte(1_000_000)))
const currency = z.string().check(z.regex(/^[A-Z]{3}$/))

/** A model as admins see it. Its key is not among what they see. */
export const model = z.object({
  id: modelId,
  name: z.string(),
  provider: modelProvider,
  /** Null: the provider's own. */
  baseUrl: z.nullable(z.string()),
  /** As its server calls it. */
  model: z.string(),
  hasKey: z.boolean(),
  contextTokens: z.int(),
  /** Of a million tokens, in units of `currency`. */
  inputPrice: z.nullable(z.number()),
  outputPrice: z.nullable(z.number()),
  currency: z.string(),
  /** What the environment names is changed there. */
  source: z.enum(['environment', 'database']),
  /** Whether personas without a model of their own have it. */
  isDefault: z.boolean(),
})
export type ModelInfo = z.infer<typeof model>

export const modelList = z.object({ models: z.array(model) })
export const modelAnswer = z.object({ model })

export const addModel = z.strictObject({
  name: displayName,
  provider: modelProvider,
  baseUrl: z._default(z.nullable(webUrl), null),
  model: modelName,
  apiKey: z._default(z.nullable(apiKey), null),
  contextTokens: z._default(contextTokens, 32_768),
  inputPrice: z._default(price, null),
  outputPrice: z._default(price, null),
  currency: z._default(currency, 'USD'),
})
export type AddModel = z.infer<typeof addModel>

/** What is left out stays as it is. A key of null is taken away. */
export const changeModel = z.strictObject({
  name: z.optional(displayName),
  provider: z.optional(modelProvider),
  baseUrl: z.optional(z.nullable(webUrl)),
  model: z.optional(modelName),
  apiKey: z.optional(z.nullable(apiKey)),
  contextTokens: z.optional(contextTokens),
  inputPrice: z.optional(price),
  outputPrice: z.optional(price),
  currency: z.optional(currency),
})
export type ChangeModel = z.infer<typeof changeModel>

/** What came of asking a model for a word. `problem` is for admins. */
export const modelTest = z.object({
  ok: z.boolean(),
  text: z.optional(z.string()),
  problem: z.optional(z.string()),
  /** Milliseconds until the reply was whole, or had failed. */
  ms: z.int(),
})
export type ModelTest = z.infer<typeof modelTest>
