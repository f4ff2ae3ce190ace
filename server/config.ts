import * as z from 'zod'
import type { ModelSettings } from './ai/model.ts'
import { parseRedisUrl } from './bus/redis-address.ts'
import type { DailyTokens } from './store/budgets.ts'

/** A wrong or contradictory setting; its message says which, and what is expected. */
export class ConfigError extends Error {}

const flag = (fallback: 'on' | 'off') =>
  z
    .enum(['on', 'off'])
    .default(fallback)
    .transform((value) => value === 'on')
const whole = (min: number, max: number, fallback: number) =>
  z
    .string()
    .refine((value) => /^\d{1,9}$/.test(value) && Number(value) >= min && Number(value) <= max, {
      error: `must be a whole number from ${min} to ${max}`,
    })
    .transform(Number)
    .default(fallback)
const optionalText = z.string().trim().min(1).optional()
const url = (...protocols: string[]) =>
  z.string().refine((value) => URL.canParse(value) && protocols.includes(new URL(value).protocol), {
    error: `must be an address that begins with ${protocols.join('// or ')}//`,
    abort: true,
  })
/** Of a million tokens. */
const price = z
  .string()
  .regex(/^\d{1,6}(\.\d{1,6})?$/, { error: 'must be a number such as 0.15: the price of a million tokens' })
  .transform(Number)
  .optional()

const schema = z.object({
  PORT: whole(0, 65_535, 3000),
  HOST: z.string().min(1).default('127.0.0.1'),
  DATA_DIR: z.string().min(1).default('./data'),
  DATABASE_URL: url('postgres:', 'postgresql:').optional(),
  DATABASE_POOL: whole(1, 500, 10),
  DATABASE_PREPARE: flag('on'),
  REDIS_URL: z
    .string()
    .refine(isRedisUrl, { error: 'must be redis://host:port, or several of these with commas between them' })
    .optional(),
  PUBLIC_URL: url('http:', 'https:')
    .refine((value) => new URL(value).href === `${new URL(value).origin}/`, {
      error: 'must be an origin alone, such as https://talk.example.org',
    })
    .optional(),
  TRUST_PROXY: whole(0, 10, 0),
  AUTH_SECRET: z.string().min(32, { error: 'must have at least 32 characters' }).optional(),
  OIDC_NAME: optionalText,
  OIDC_DISCOVERY_URL: url('https:').optional(),
  OIDC_CLIENT_ID: optionalText,
  OIDC_CLIENT_SECRET: optionalText,
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  RATE_LIMITS: flag('on'),
  LINKS: flag('on'),
  AI_PROVIDER: z.enum(['openai-compatible', 'anthropic', 'google']).optional(),
  AI_BASE_URL: url('http:', 'https:')
    .refine((value) => new URL(value).username === '' && new URL(value).password === '', {
      error: 'must be without credentials; AI_API_KEY is the place for a key',
    })
    .optional(),
  AI_MODEL: optionalText,
  AI_API_KEY: z
    .string()
    .regex(/^[\x21-\x7e]+$/, { error: 'must be one line of visible ASCII characters' })
    .optional(),
  AI_CONTEXT_TOKENS: whole(2_000, 100_000_000, 32_768),
  AI_PRICE_INPUT: price,
  AI_PRICE_OUTPUT: price,
  AI_CURRENCY: z
    .string()
    .regex(/^[A-Z]{3}$/, { error: 'must be three capital letters, such as USD' })
    .default('USD'),
  AI_TOKENS_SITE: whole(0, 999_999_999, 20_000_000),
  AI_TOKENS_THREAD: whole(0, 999_999_999, 2_000_000),
  AI_TOKENS_PERSON: whole(0, 999_999_999, 1_000_000),
  AI_TOKENS_GUEST: whole(0, 999_999_999, 200_000),
  /** Where Vite serves the client while it is being developed. */
  DEV_CLIENT_URL: url('http:').optional(),
})

/** The names of all environment variables that the server reads. */
export const configNames = Object.keys(schema.shape)

export interface Config {
  port: number
  host: string
  dataDir: string
  databaseUrl: string | undefined
  poolSize: number
  prepare: boolean
  redisUrl: string | undefined
  /** The origin that readers see, without a slash at its end; undefined where it follows from each request. */
  publicUrl: string | undefined
  trustProxy: number
  authSecret: string | undefined
  oidc: { name: string; discoveryUrl: string; clientId: string; clientSecret: string } | undefined
  logLevel: string
  rateLimits: boolean
  links: boolean
  /** The site's default model; undefined where the environment names none. */
  ai: ModelSettings | undefined
  /** Tokens that AI replies may take in a day. */
  aiTokens: DailyTokens
  devClientUrl: string | undefined
}

/** Reads the environment, where an empty variable counts as unset. Throws `ConfigError`. */
export function readConfig(env: Record<string, string | undefined>): Config {
  const set = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''))
  const result = schema.safeParse(set)
  if (!result.success) {
    const lines = result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)
    throw new ConfigError(lines.join('\n'))
  }
  const value = result.data
  if (value.REDIS_URL !== undefined && value.DATABASE_URL === undefined) {
    throw new ConfigError('REDIS_URL: needs DATABASE_URL as well; the embedded database serves one process')
  }
  return {
    port: value.PORT,
    host: value.HOST,
    dataDir: value.DATA_DIR,
    databaseUrl: value.DATABASE_URL,
    poolSize: value.DATABASE_POOL,
    prepare: value.DATABASE_PREPARE,
    redisUrl: value.REDIS_URL,
    publicUrl: value.PUBLIC_URL && new URL(value.PUBLIC_URL).origin,
    trustProxy: value.TRUST_PROXY,
    authSecret: value.AUTH_SECRET,
    oidc: readOidc(value),
    logLevel: value.LOG_LEVEL,
    rateLimits: value.RATE_LIMITS,
    links: value.LINKS,
    ai: readModel(value),
    aiTokens: {
      site: value.AI_TOKENS_SITE,
      thread: value.AI_TOKENS_THREAD,
      person: value.AI_TOKENS_PERSON,
      guest: value.AI_TOKENS_GUEST,
    },
    devClientUrl: value.DEV_CLIENT_URL,
  }
}

function isRedisUrl(text: string): boolean {
  try {
    parseRedisUrl(text)
    return true
  } catch {
    return false
  }
}

function readOidc(value: z.infer<typeof schema>): Config['oidc'] {
  const { OIDC_DISCOVERY_URL, OIDC_CLIENT_ID, OIDC_CLIENT_SECRET, OIDC_NAME = 'Single sign-on' } = value
  const given = [OIDC_DISCOVERY_URL, OIDC_CLIENT_ID, OIDC_CLIENT_SECRET].filter((each) => each !== undefined)
  if (given.length === 0) return undefined
  if (!OIDC_DISCOVERY_URL || !OIDC_CLIENT_ID || !OIDC_CLIENT_SECRET) {
    throw new ConfigError('OIDC_DISCOVERY_URL, OIDC_CLIENT_ID, OIDC_CLIENT_SECRET: set all three or none')
  }
  return {
    name: OIDC_NAME,
    discoveryUrl: OIDC_DISCOVERY_URL,
    clientId: OIDC_CLIENT_ID,
    clientSecret: OIDC_CLIENT_SECRET,
  }
}

function readModel(value: z.infer<typeof schema>): ModelSettings | undefined {
  const { AI_PROVIDER: provider = 'openai-compatible', AI_BASE_URL: baseUrl = null, AI_MODEL: model } = value
  if (model === undefined) {
    const others = ['AI_PROVIDER', 'AI_BASE_URL', 'AI_API_KEY'] as const
    const given = others.find((name) => value[name] !== undefined)
    if (given !== undefined) throw new ConfigError(`AI_MODEL: is needed with ${given}`)
    return undefined
  }
  if (provider === 'openai-compatible' && baseUrl === null) {
    throw new ConfigError(
      'AI_BASE_URL: is needed with AI_MODEL, such as http://localhost:11434/v1; or set AI_PROVIDER to anthropic or google',
    )
  }
  if (baseUrl === null && value.AI_API_KEY === undefined) {
    throw new ConfigError(`AI_API_KEY: is needed with AI_PROVIDER=${provider}`)
  }
  const { AI_PRICE_INPUT: input, AI_PRICE_OUTPUT: output, AI_CURRENCY: currency } = value
  if ((input === undefined) !== (output === undefined)) {
    throw new ConfigError('AI_PRICE_INPUT, AI_PRICE_OUTPUT: set both or none')
  }
  return {
    name: model,
    provider,
    baseUrl,
    model,
    apiKey: value.AI_API_KEY,
    contextTokens: value.AI_CONTEXT_TOKENS,
    price: input !== undefined && output !== undefined ? { input, output, currency } : undefined,
  }
}
