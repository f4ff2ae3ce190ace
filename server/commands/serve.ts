import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { createAdaptorServer } from '@hono/node-server'
import type { Logger } from 'pino'
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import { createAccounts } from '../accounts/create.ts'
import { recheck } from '../accounts/recheck.ts'
import { loadSecret } from '../accounts/secret.ts'
import { createApp } from '../app.ts'
import type { Bus } from '../bus/bus.ts'
import { createMemoryBus } from '../bus/memory.ts'
import { createBusMetrics } from '../bus/metrics.ts'
import { createMemoryLiveText } from '../bus/live-text.ts'
import { createRedisBus } from '../bus/redis.ts'
import { openRedisData } from '../bus/redis-data.ts'
import { createRedisLiveText } from '../bus/redis-live-text.ts'
import type { Config } from '../config.ts'
import { createSiteKeys } from '../embedding/site-keys.ts'
import { createSites } from '../embedding/sites.ts'
import { addressOf } from '../http/address.ts'
import { createHttpMetrics } from '../http/metrics.ts'
import { createRateLimits, memoryCounters, unlimited } from '../http/rate-limits.ts'
import { createRedisCounters } from '../http/redis-counters.ts'
import { guardedFetch, type Fetch } from '../links/fetch.ts'
import { createLinkImages } from '../links/image.ts'
import { createLinks } from '../links/links.ts'
import { createCommitted, noting } from '../live/committed.ts'
import { createHeads } from '../live/heads.ts'
import { createHub } from '../live/hub.ts'
import { createLiveMetrics } from '../live/metrics.ts'
import { attachSockets } from '../live/socket.ts'
import type { OpenDatabase } from '../store/database.ts'
import { importThread } from '../threads/import.ts'
import { linkSettled } from '../threads/link-settled.ts'
import type { ThreadParts } from '../threads/parts.ts'
import { createRenderer } from '../threads/render.ts'
import { createTogether } from '../threads/together.ts'
import { openAi } from './ai.ts'
import { distDir, openStore } from './open.ts'
import { linesOf, linkIds, publicUrlOf } from './transfer.ts'

/**
 * Connections that may wait to be taken: a crowd that comes back comes in one moment, and who finds the queue full tries again
 * after one second, and then three. The system may allow fewer (`net.core.somaxconn`).
 */
const backlog = 4_096
/**
 * How long a connection without a request is kept, in milliseconds: longer than proxies keep theirs (load balancers and
 * nginx a minute, Caddy two), or they would now and then send a request down one that is just being closed.
 */
const keepAliveMs = 130_000
/** How long open requests may take to finish after SIGTERM, in milliseconds. */
const drainMs = 5_000
/** How often links that a crashed node left pending are taken up, in milliseconds. */
const resumeLinksMs = 60_000
/** How often it is looked whether those who are connected may still do what they could, in milliseconds. */
const recheckAccountsMs = 60_000

/** A running server. */
export interface Running {
  readonly url: string
  /** Says goodbye to every client, finishes what is under way, and lets everything go. */
  stop(): Promise<void>
}

/** Runs the server: parts → listen. Resolves when it is ready for requests. */
export async function serve(config: Config, log: Logger, version: string): Promise<Running> {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const node = randomBytes(6).toString('base64url')
  const publicUrl = publicUrlOf(config)
  const isOwnOrigin = ownOrigin(config)
  const database = await openStore(config, log)
  const { db } = database
  measurePool(database, registry)

  const committed = createCommitted()
  const bus = noting(openBus(config, log, registry), committed)
  const render = createRenderer({ publicUrl })
  const fetch: Fetch = (url, options) => guardedFetch({ publicUrl }, url, options)
  const links = createLinks({
    db,
    fetch,
    log,
    enabled: config.links,
    onSettled: (link) => linkSettled({ db, bus, log }, link),
  })
  if (config.databaseUrl === undefined) await seed({ database, log, render })

  const secret = await loadSecret(db, config.authSecret)
  const accounts = createAccounts({
    db,
    bus,
    log,
    publicUrl,
    secret,
    trustedOrigins: (request) => {
      const origin = request?.headers.get('origin')
      return origin && isOwnOrigin(origin, request?.headers.get('host') ?? undefined) ? [origin] : []
    },
    ...(config.oidc && { oauth: { oidc: { id: 'oidc', ...config.oidc } } }),
  })
  const metrics = createLiveMetrics(registry)
  const redis = config.redisUrl === undefined ? undefined : openRedisData(config.redisUrl, countAlone)
  const liveText = redis ? createRedisLiveText(redis) : createMemoryLiveText()
  const hub = createHub({ db, bus, liveText, log, metrics, node })
  const heads = createHeads({ db, bus, hub, committed })
  const rates = config.rateLimits
    ? createRateLimits(redis ? createRedisCounters(redis) : memoryCounters)
    : unlimited
  if (!config.rateLimits) log.warn('RATE_LIMITS=off: nobody is kept from flooding this server')
  let draining = false
  const threads: ThreadParts = { db, bus, render, links, log, together: createTogether({ db, bus }) }
  const ai = await openAi(threads, config, { node, secret, liveText, fetch, log, registry })

  const sites = createSites({ db })
  const clientDir = path.join(distDir, 'public')
  const app = createApp({
    ...ai.parts,
    models: ai.models,
    runner: ai.runner,
    accounts,
    heads,
    sites,
    siteKeys: createSiteKeys({ db, secret, log }),
    registry,
    httpMetrics: createHttpMetrics(registry),
    rates,
    publicUrl,
    version,
    clientDir,
    trustProxy: config.trustProxy,
    devClientUrl: config.devClientUrl,
    isOwnOrigin,
    isDraining: () => draining,
    readImage: (link) => (config.links ? images.read(link) : Promise.resolve(null)),
    pages: {
      db,
      sites,
      rates,
      isOwnOrigin,
      publicUrl,
      clientDir,
      devClientUrl: config.devClientUrl,
      provider: config.oidc?.name,
    },
  })
  const images = createLinkImages({ db, fetch })
  const server = createAdaptorServer({ fetch: app.fetch, createServer }) as Server
  server.keepAliveTimeout = keepAliveMs
  const sockets = attachSockets(server, {
    hub,
    accounts,
    metrics,
    log,
    node,
    limited: config.rateLimits,
    recheck: (identities) => recheck(db, identities),
    isOwnOrigin,
    addressOf: (request) => addressOf(request, config.trustProxy),
  })
  const url = await listen(server, config).catch(async (error: unknown) => {
    await release()
    throw error
  })

  await links.resume()
  const resumer = setInterval(() => {
    links.resume().catch((error: unknown) => log.warn({ err: error }, 'pending links could not be read'))
  }, resumeLinksMs)
  resumer.unref()
  const recheckAccounts = () => {
    sockets.recheck().catch((error: unknown) => log.warn({ err: error }, 'accounts could not be rechecked'))
  }
  bus.onRecovered(recheckAccounts)
  const rechecker = setInterval(recheckAccounts, recheckAccountsMs)
  rechecker.unref()
  log.info(
    { url, node, mode: config.databaseUrl === undefined ? 'embedded' : 'distributed' },
    `Numinex is at ${url}`,
  )

  let stopping: Promise<void> | undefined
  return { url, stop: () => (stopping ??= stop()) }

  function countAlone(): void {
    log.warn('limits are counted by this node alone until Redis answers')
  }

  async function stop(): Promise<void> {
    draining = true
    clearInterval(resumer)
    clearInterval(rechecker)
    // Requests are taken until the sockets are gone, and /readyz tells the proxy to send no more.
    await sockets.drain()
    await ai.runner.drain()
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    const cut = setTimeout(() => server.closeAllConnections(), drainMs)
    await closed
    clearTimeout(cut)
    await release()
  }

  async function release(): Promise<void> {
    await ai.close()
    await links.close()
    await hub.close()
    await bus.close()
    redis?.close()
    await database.close()
  }
}

function openBus(config: Config, log: Logger, registry: Registry): Bus {
  if (config.redisUrl === undefined) return createMemoryBus()
  return createRedisBus({ url: config.redisUrl, log, metrics: createBusMetrics(registry) })
}

/** Whether an origin is this site: the configured one, or where none is, whatever host the request came to. */
function ownOrigin({ publicUrl }: Config) {
  return (origin: string, host: string | undefined): boolean => {
    if (publicUrl !== undefined) return origin === publicUrl
    return URL.canParse(origin) && host !== undefined && new URL(origin).host === host
  }
}

/** A new embedded site begins with a thread that shows what threads are. */
async function seed(parts: {
  database: OpenDatabase
  log: Logger
  render: ReturnType<typeof createRenderer>
}): Promise<void> {
  const { db } = parts.database
  if (await db.selectFrom('threads').select('id').limit(1).executeTakeFirst()) return
  const file = demoFile()
  if (file === undefined) return
  const thread = await importThread({ db, render: parts.render, ensureLinks: linkIds }, linesOf(file))
  parts.log.info({ thread }, 'the demo thread was put in')
}

function demoFile(): string | undefined {
  const file = path.join(import.meta.dirname, '../threads/demo.jsonl')
  return fs.existsSync(file) ? file : undefined
}

function measurePool(database: OpenDatabase, registry: Registry): void {
  const gauge = new Gauge({
    name: 'numinex_database_connections',
    help: 'Database connections by state, and callers that wait for one',
    labelNames: ['state'],
    registers: [registry],
    collect() {
      for (const [state, count] of Object.entries(database.pool())) gauge.set({ state }, count)
    },
  })
}

async function listen(server: Server, config: Config): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port: config.port, host: config.host, backlog }, resolve)
  })
  const { address, port, family } = server.address() as AddressInfo
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`
}
