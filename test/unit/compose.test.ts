import fs from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse, parseDocument } from 'yaml'
import * as z from 'zod'
import { configNames, readConfig } from '../../server/config.ts'

const root = path.join(import.meta.dirname, '../..')
const read = (file: string) => fs.readFileSync(path.join(root, file), 'utf8')

const service = z.object({
  image: z.string().optional(),
  build: z.string().optional(),
  restart: z.string().optional(),
  profiles: z.array(z.string()).optional(),
  networks: z.array(z.string()).optional(),
  ports: z.array(z.string()).optional(),
  volumes: z.array(z.string()).optional(),
  environment: z.record(z.string(), z.union([z.string(), z.number()])).optional(),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).optional(),
  healthcheck: z.object({ test: z.array(z.string()) }).optional(),
})
const composeFile = z.object({
  services: z.record(z.string(), service),
  networks: z.record(z.string(), z.object({ internal: z.boolean().optional() }).nullable()).optional(),
  volumes: z.record(z.string(), z.null()).optional(),
})

const { services, networks, volumes } = composeFile.parse(parse(read('docker-compose.yml')))
const https = composeFile.parse(parse(read('deploy/compose.https.yml')))
const { app1, app2, proxy, postgres, redis } = services
const published = /^\$\{LISTEN:-(.*)\}:80$/

/** What Compose makes of a value, `${NAME:-default}` and `${NAME:?message}` being the forms in use. */
function interpolate(value: string | number, env: Record<string, string>): string {
  return String(value).replace(
    /\$\{(\w+):([-?])([^}]*)\}/g,
    (_, name: string, form: string, rest: string) => {
      const given = env[name]
      if (given) return given
      if (form === '?') throw new Error(`${name}: ${rest}`)
      return rest
    },
  )
}

const interpolateAll = (values: Record<string, string | number>, env: Record<string, string>) =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, interpolate(value, env)]))

describe('docker-compose.yml', () => {
  test.each(['docker-compose.yml', 'deploy/compose.https.yml'])(
    '%s is YAML without errors or warnings',
    (file) => {
      const document = parseDocument(read(file), { version: '1.2', uniqueKeys: true })
      expect([...document.errors, ...document.warnings]).toEqual([])
    },
  )

  test('has two equal nodes, a proxy, Postgres and Redis, and a model for demos where that is asked for', () => {
    const always = Object.entries(services).filter(([, { profiles }]) => profiles === undefined)
    expect(always.map(([name]) => name).sort()).toEqual(['app1', 'app2', 'postgres', 'proxy', 'redis'])
    expect(Object.keys(services)).toHaveLength(6)
    expect(services['demo-ai']?.profiles).toEqual(['demo-ai'])
    expect(app1?.build).toBe('.')
    expect(app2).toEqual(app1)
    expect(postgres?.image).toBe('postgres:17')
    expect(redis?.image).toMatch(/^redis:[78]$/)
  })

  test('checks the health of every service, and waits for it', () => {
    const imageChecks = /^HEALTHCHECK /m.test(read('Dockerfile'))
    for (const [name, { healthcheck, build }] of Object.entries(services)) {
      expect(healthcheck !== undefined || (build === '.' && imageChecks), name).toBe(true)
    }
    const healthy = { condition: 'service_healthy' }
    expect(app1?.depends_on).toEqual({ postgres: healthy, redis: healthy })
    expect(proxy?.depends_on).toEqual({ app1: healthy, app2: healthy })
  })

  test('gives the nodes settings that the server knows and accepts', () => {
    const environment = app1?.environment ?? {}
    expect(Object.keys(environment).filter((name) => !configNames.includes(name))).toEqual([])
    const config = readConfig(interpolateAll(environment, { POSTGRES_PASSWORD: 'a1b2' }))
    expect(config).toMatchObject({
      databaseUrl: 'postgres://numinex:a1b2@postgres:5432/numinex',
      redisUrl: 'redis://redis:6379',
      trustProxy: 1,
      publicUrl: 'http://localhost:8080',
      rateLimits: true,
    })
  })

  test('passes on every setting of .env that does not belong to the composition', () => {
    const ours = ['PORT', 'HOST', 'DATA_DIR', 'DEV_CLIENT_URL']
    const expected = configNames.filter((name) => !ours.includes(name))
    expect(Object.keys(app1?.environment ?? {}).sort()).toEqual(expected.sort())
  })

  test('has no password of its own', () => {
    const withPassword = Object.values(services).flatMap(({ environment = {} }) =>
      Object.values(environment).filter((value) => /PASSWORD|postgres:\/\//.test(String(value))),
    )
    expect(withPassword).toHaveLength(3)
    for (const value of withPassword)
      expect(() => interpolate(value, {})).toThrow('POSTGRES_PASSWORD: set it in .env')
  })

  test('publishes the proxy alone, and on this machine only', () => {
    const publishing = Object.entries(services).filter(([, { ports }]) => ports !== undefined)
    expect(publishing.map(([name]) => name)).toEqual(['proxy'])
    expect(proxy?.ports).toHaveLength(1)
    expect(published.exec(proxy?.ports?.[0] ?? '')?.[1]).toMatch(/^127\.0\.0\.1:\d+$/)
  })

  test('keeps the database and Redis on a network without a way out', () => {
    expect(networks?.['back']?.internal).toBe(true)
    for (const part of [postgres, redis]) expect(part?.networks).toEqual(['back'])
    expect(proxy?.networks).toEqual(['front'])
    expect(app1?.networks).toEqual(['front', 'back'])
  })

  test('names volumes and files that exist', () => {
    const sources = Object.values(services).flatMap(({ volumes: mounts = [] }) =>
      mounts.map((mount) => mount.split(':')[0]!),
    )
    const files = sources.filter((source) => source.startsWith('.'))
    expect(files).toContain('./deploy/Caddyfile')
    for (const file of files) expect(fs.existsSync(path.join(root, file)), file).toBe(true)
    expect(sources.filter((source) => !source.startsWith('.')).sort()).toEqual(
      Object.keys(volumes ?? {}).sort(),
    )
  })

  test('is opened by deploy/compose.https.yml under one host name', () => {
    const env = { SITE_ADDRESS: 'talk.example.org' }
    expect(Object.keys(https.services).filter((name) => !(name in services))).toEqual([])
    for (const node of [https.services['app1'], https.services['app2']]) {
      expect(interpolateAll(node?.environment ?? {}, env)).toEqual({ PUBLIC_URL: 'https://talk.example.org' })
    }
    expect(interpolateAll(https.services['proxy']?.environment ?? {}, env)).toEqual(env)
    expect(() => interpolateAll(https.services['proxy']?.environment ?? {}, {})).toThrow('set it in .env')
  })
})

describe('deploy/Caddyfile', () => {
  const caddyfile = read('deploy/Caddyfile')

  test('passes requests to every node on the port that the image listens on', () => {
    const nodes = /reverse_proxy (.*) \{/.exec(caddyfile)?.[1]?.split(' ')
    const port = /PORT=(\d+)/.exec(read('Dockerfile'))?.[1]
    expect(nodes).toEqual(
      Object.keys(services).flatMap((name) => (name.startsWith('app') ? `${name}:${port}` : [])),
    )
  })

  test('asks the nodes whether they are ready and keeps metrics inside', () => {
    expect(caddyfile).toMatch(/^\s*health_uri \/readyz$/m)
    expect(caddyfile).toMatch(/^\s*respond \/metrics 404$/m)
  })
})

describe('Dockerfile', () => {
  const dockerfile = read('Dockerfile')
  const stages = dockerfile.split(/^FROM /m).slice(1)
  const last = stages.at(-1)!

  test('runs the built server as a user without rights, on Node 24', () => {
    expect(stages).toHaveLength(2)
    for (const stage of stages) expect(stage).toMatch(/^node:24-slim/)
    expect(last).toMatch(/^USER node$/m)
    expect(last).toMatch(/^CMD \["node", "dist\/server\/main\.js"\]$/m)
    expect(last).toMatch(/^VOLUME \/data$/m)
  })

  test('sets what the server knows', () => {
    const pairs = [...(/^ENV (.*)$/m.exec(last)?.[1] ?? '').matchAll(/(\w+)=(\S+)/g)].map(
      ([, name, value]) => [name, value],
    )
    const { NODE_ENV, ...env } = Object.fromEntries(pairs) as Record<string, string>
    expect(NODE_ENV).toBe('production')
    expect(Object.keys(env).filter((name) => !configNames.includes(name))).toEqual([])
    expect(readConfig(env)).toMatchObject({ host: '0.0.0.0', port: 3000, dataDir: '/data' })
  })

  test('leaves secrets, data and installed packages out of the build', () => {
    const ignored = read('.dockerignore').split('\n')
    for (const name of ['.env', '.env.*', '.git', 'data', '**/node_modules', 'dist'])
      expect(ignored).toContain(name)
  })
})

describe('.env.example', () => {
  const lines = [...read('.env.example').matchAll(/^# ([A-Z_]+)=(.*)$/gm)]
  const example = Object.fromEntries(lines.map(([, name, value]) => [name!, value!]))
  const compose = ['POSTGRES_PASSWORD', 'LISTEN', 'SITE_ADDRESS']

  test('names every setting once, and nothing else', () => {
    expect(lines.map(([, name]) => name!).sort()).toEqual([...configNames, ...compose].sort())
  })

  test('changes nothing when it is copied as it is', () => {
    expect(read('.env.example')).not.toMatch(/^[^#\n]/m)
  })

  test('shows the defaults', () => {
    const defaults = [
      'PORT',
      'HOST',
      'DATA_DIR',
      'DATABASE_POOL',
      'TRUST_PROXY',
      'RATE_LIMITS',
      'LINKS',
      'LOG_LEVEL',
    ]
    const shown = Object.fromEntries(defaults.map((name) => [name, example[name]]))
    expect(readConfig(shown)).toEqual(readConfig({}))
    expect(example['LISTEN']).toBe(published.exec(proxy?.ports?.[0] ?? '')?.[1])
  })

  test('names every variable that the compositions ask for', () => {
    const asked = [...(read('docker-compose.yml') + read('deploy/compose.https.yml')).matchAll(/\$\{(\w+)/g)]
    for (const [, name] of asked) expect(Object.keys(example)).toContain(name)
  })
})
