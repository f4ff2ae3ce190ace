import { describe, expect, test } from 'vitest'
import { ConfigError, configNames, readConfig } from '../../server/config.ts'

function problemOf(env: Record<string, string>): string {
  try {
    readConfig(env)
  } catch (error) {
    if (error instanceof ConfigError) return error.message
    throw error
  }
  return ''
}

const postgres = 'postgres://user:pass@db.example/numinex'

test('nothing needs to be set', () => {
  expect(readConfig({})).toEqual({
    port: 3000,
    host: '127.0.0.1',
    dataDir: './data',
    databaseUrl: undefined,
    poolSize: 10,
    prepare: true,
    redisUrl: undefined,
    publicUrl: undefined,
    trustProxy: 0,
    authSecret: undefined,
    oidc: undefined,
    logLevel: 'info',
    rateLimits: true,
    links: true,
    ai: undefined,
    aiTokens: { site: 20_000_000, thread: 2_000_000, person: 1_000_000, guest: 200_000 },
    devClientUrl: undefined,
  })
})

test('an empty variable counts as unset, and others than ours as none', () => {
  const empty = Object.fromEntries(configNames.map((name) => [name, '']))
  expect(readConfig(empty)).toEqual(readConfig({}))
  expect(readConfig({ PATH: '/bin', PORTS: 'x' })).toEqual(readConfig({}))
})

test('everything can be set', () => {
  const env = {
    PORT: '8080',
    HOST: '0.0.0.0',
    DATA_DIR: '/var/lib/numinex',
    DATABASE_URL: postgres,
    DATABASE_POOL: '25',
    DATABASE_PREPARE: 'off',
    REDIS_URL: 'redis://a:6379,redis://b:6379',
    PUBLIC_URL: 'https://Talk.example.org/',
    TRUST_PROXY: '1',
    AUTH_SECRET: 'x'.repeat(32),
    OIDC_NAME: 'Company',
    OIDC_DISCOVERY_URL: 'https://id.example.org/.well-known/openid-configuration',
    OIDC_CLIENT_ID: 'id',
    OIDC_CLIENT_SECRET: 'secret',
    LOG_LEVEL: 'debug',
    RATE_LIMITS: 'off',
    LINKS: 'off',
    AI_PROVIDER: 'openai-compatible',
    AI_BASE_URL: 'http://localhost:11434/v1',
    AI_MODEL: 'small',
    AI_API_KEY: 'key',
    AI_CONTEXT_TOKENS: '8192',
    AI_PRICE_INPUT: '0.15',
    AI_PRICE_OUTPUT: '2',
    AI_CURRENCY: 'EUR',
    AI_TOKENS_SITE: '4',
    AI_TOKENS_THREAD: '3',
    AI_TOKENS_PERSON: '2',
    AI_TOKENS_GUEST: '0',
    DEV_CLIENT_URL: 'http://localhost:5173',
  }
  expect(Object.keys(env).toSorted()).toEqual(configNames.toSorted())
  expect(readConfig(env)).toEqual({
    port: 8080,
    host: '0.0.0.0',
    dataDir: '/var/lib/numinex',
    databaseUrl: postgres,
    poolSize: 25,
    prepare: false,
    redisUrl: 'redis://a:6379,redis://b:6379',
    publicUrl: 'https://talk.example.org',
    trustProxy: 1,
    authSecret: 'x'.repeat(32),
    oidc: { name: 'Company', discoveryUrl: env.OIDC_DISCOVERY_URL, clientId: 'id', clientSecret: 'secret' },
    logLevel: 'debug',
    rateLimits: false,
    links: false,
    ai: {
      name: 'small',
      provider: 'openai-compatible',
      baseUrl: 'http://localhost:11434/v1',
      model: 'small',
      apiKey: 'key',
      contextTokens: 8192,
      price: { input: 0.15, output: 2, currency: 'EUR' },
    },
    aiTokens: { site: 4, thread: 3, person: 2, guest: 0 },
    devClientUrl: 'http://localhost:5173',
  })
})

describe('a wrong value is named, with what is expected', () => {
  test.each<[name: string, values: string[], expected: RegExp]>([
    ['PORT', ['http', '-1', '65536', '80.5', ' ', '0x10', '1e3', '3000;'], /whole number from 0 to 65535/],
    ['DATABASE_POOL', ['0', '501', 'many'], /whole number from 1 to 500/],
    ['TRUST_PROXY', ['yes', '-1', '11'], /whole number from 0 to 10/],
    ['DATABASE_URL', ['localhost/db', 'mysql://localhost/db', 'postgres'], /begins with postgres:\/\//],
    [
      'REDIS_URL',
      ['localhost:6379', 'http://localhost', 'redis://a,b', 'redis://', ','],
      /redis:\/\/host:port/,
    ],
    ['PUBLIC_URL', ['talk.example.org', 'file:///srv'], /begins with http:\/\/ or https:\/\//],
    [
      'PUBLIC_URL',
      [
        'https://example.org/forum',
        'https://example.org/?a=1',
        'https://example.org/#a',
        'https://me:pw@example.org',
      ],
      /origin/,
    ],
    ['AUTH_SECRET', ['short', 'x'.repeat(31)], /at least 32 characters/],
    ['OIDC_DISCOVERY_URL', ['id.example.org', 'http://id.example.org'], /begins with https:\/\//],
    ['LOG_LEVEL', ['verbose', 'INFO'], /info/],
    ['RATE_LIMITS', ['false', '0', 'OFF'], /"on"\|"off"/],
    ['LINKS', ['true'], /"on"\|"off"/],
    ['AI_BASE_URL', ['localhost:11434', 'file:///model'], /begins with http:\/\/ or https:\/\//],
    ['AI_BASE_URL', ['http://me:pw@localhost/v1', 'http://me@localhost/v1'], /without credentials/],
    ['AI_PROVIDER', ['openai', 'Anthropic'], /"openai-compatible"\|"anthropic"\|"google"/],
    ['AI_API_KEY', ['two words', 'schlüssel', 'a\nb'], /visible ASCII/],
    ['AI_CONTEXT_TOKENS', ['1999', '32k', '100000001'], /whole number from 2000/],
    ['AI_PRICE_INPUT', ['-1', '$1', '1,5', '1e3', '.5'], /a number such as 0\.15/],
    ['AI_PRICE_OUTPUT', ['free'], /a number such as 0\.15/],
    ['AI_CURRENCY', ['usd', '$', 'EURO'], /three capital letters/],
    ['AI_TOKENS_GUEST', ['-1', 'none'], /whole number from 0/],
    ['DEV_CLIENT_URL', ['localhost'], /begins with http:\/\//],
  ])('%s: %j', (name, values, expected) => {
    for (const value of values) {
      const problem = problemOf({ DATABASE_URL: postgres, [name]: value })
      expect(problem, `${name}=${value}`).toMatch(new RegExp(`^${name}: `))
      expect(problem, `${name}=${value}`).toMatch(expected)
      expect(problem.split('\n'), `${name}=${value}`).toHaveLength(1)
    }
  })

  test('all of them at once, a line each', () => {
    const lines = problemOf({ PORT: 'x', LOG_LEVEL: 'loud', LINKS: 'maybe' }).split('\n')
    expect(lines.map((line) => line.split(':')[0])).toEqual(['PORT', 'LOG_LEVEL', 'LINKS'])
  })

  test('without telling a secret', () => {
    const secrets = {
      AUTH_SECRET: 'hunter2',
      DATABASE_URL: 'mysql://me:hunter2@db/x',
      REDIS_URL: 'http://:hunter2@r',
      AI_BASE_URL: 'http://me:hunter2@localhost/v1',
      AI_API_KEY: 'hunter2 hunter2',
    }
    const problem = problemOf(secrets)
    expect(problem.split('\n')).toHaveLength(5)
    expect(problem).not.toContain('hunter2')
  })
})

describe('values that contradict each other', () => {
  test('Redis without Postgres', () => {
    expect(problemOf({ REDIS_URL: 'redis://localhost' })).toMatch(/^REDIS_URL: needs DATABASE_URL/)
  })

  test.each([
    { OIDC_CLIENT_ID: 'id' },
    { OIDC_CLIENT_SECRET: 's' },
    { OIDC_DISCOVERY_URL: 'https://id.example.org', OIDC_CLIENT_ID: 'id' },
  ])('half an OpenID provider: %j', (env) => {
    expect(problemOf(env as Record<string, string>)).toMatch(
      /OIDC_DISCOVERY_URL, OIDC_CLIENT_ID, OIDC_CLIENT_SECRET/,
    )
  })

  test.each([
    [{ AI_BASE_URL: 'http://localhost/v1' }, /^AI_MODEL: is needed with AI_BASE_URL$/],
    [{ AI_API_KEY: 'key' }, /^AI_MODEL: is needed with AI_API_KEY$/],
    [{ AI_PROVIDER: 'google', AI_API_KEY: 'key' }, /^AI_MODEL: is needed with AI_PROVIDER$/],
    [{ AI_MODEL: 'small' }, /^AI_BASE_URL: is needed with AI_MODEL, .*anthropic or google$/],
    [{ AI_MODEL: 'claude', AI_PROVIDER: 'anthropic' }, /^AI_API_KEY: is needed with AI_PROVIDER=anthropic$/],
    [
      { AI_MODEL: 'small', AI_BASE_URL: 'http://localhost/v1', AI_PRICE_INPUT: '1' },
      /^AI_PRICE_INPUT, AI_PRICE_OUTPUT: set both or none$/,
    ],
  ])('half a model: %j', (env, expected) => {
    expect(problemOf(env as Record<string, string>)).toMatch(expected)
  })
})

describe('a model of the environment', () => {
  test('of Anthropic or Google needs no address, and of others no key', () => {
    const anthropic = readConfig({ AI_PROVIDER: 'anthropic', AI_MODEL: 'claude', AI_API_KEY: 'key' }).ai
    expect(anthropic).toMatchObject({ provider: 'anthropic', baseUrl: null, model: 'claude', apiKey: 'key' })
    const local = readConfig({ AI_MODEL: 'small', AI_BASE_URL: 'http://localhost/v1' }).ai
    expect(local).toEqual({
      name: 'small',
      provider: 'openai-compatible',
      baseUrl: 'http://localhost/v1',
      model: 'small',
      apiKey: undefined,
      contextTokens: 32_768,
      price: undefined,
    })
    const proxied = { AI_PROVIDER: 'google', AI_MODEL: 'gemini', AI_BASE_URL: 'http://localhost/v1beta' }
    expect(readConfig(proxied).ai).toMatchObject({ provider: 'google', apiKey: undefined })
  })
})
