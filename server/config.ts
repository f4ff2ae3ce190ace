import * as z from 'zod'
import { parseRedisUrl } from './bus/redis-address.ts'

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

const schema = z.object({
  PORT: whole(0, 65_535, 3000),
  HOST: z.string().min(1).default('127.0.0.1'),
  DATA_DIR: z.string().min(1).default('./data'),
  DATABASE_URL: url('postgres:', 'postgresql:').optional(),
  DATABASE_POOL: whole(1, 500, 10),
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
  AI_BASE_URL: url('http:', 'https:').optional(),
  AI_MODEL: optionalText,
  AI_API_KEY: optionalText,
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
  redisUrl: string | undefined
  /** The origin that readers see, without a slash at its end; undefined where it follows from each request. */
  publicUrl: string | undefined
  trustProxy: number
  authSecret: string | undefined
  oidc: { name: string; discoveryUrl: string; clientId: string; clientSecret: string } | undefined
  logLevel: string
  rateLimits: boolean
  links: boolean
  ai: { baseUrl: string | undefined; model: string | undefined; apiKey: string | undefined }
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
    redisUrl: value.REDIS_URL,
    publicUrl: value.PUBLIC_URL && new URL(value.PUBLIC_URL).origin,
    trustProxy: value.TRUST_PROXY,
    authSecret: value.AUTH_SECRET,
    oidc: readOidc(value),
    logLevel: value.LOG_LEVEL,
    rateLimits: value.RATE_LIMITS,
    links: value.LINKS,
    ai: { baseUrl: value.AI_BASE_URL, model: value.AI_MODEL, apiKey: value.AI_API_KEY },
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
