import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Bus } from './bus.ts'
import { createHandlers } from './handlers.ts'
import { busLimits } from './limits.ts'
import type { BusMetrics } from './metrics.ts'
import { channelOf, decodeEnvelope, encodeEnvelope } from './partitions.ts'
import { parseRedisUrl } from './redis-address.ts'
import { movedTo, type RedisLink } from './redis-link.ts'
import { createRedisServers } from './redis-servers.ts'
import { createWaiters } from './waiters.ts'

export interface RedisBusOptions {
  /** See `parseRedisUrl`. Whether it is one server or a Cluster is found out. */
  url: string
  log: Pick<Logger, 'info' | 'warn' | 'error'>
  metrics?: BusMetrics
  /** Begins the channels' names, so that several sites can share a Redis. */
  namespace?: string
}

/**
 * A bus over one Redis, or over a Redis Cluster with sharded pub/sub. It connects in the background, for as long as it
 * takes; `up` and `onRecovered` tell how it stands. Throws a TypeError when `url` cannot be read.
 */
export function createRedisBus({ url, log, metrics, namespace = 'numinex' }: RedisBusOptions): Bus {
  const handlers = createHandlers((error) => log.error({ err: error }, 'a handler of the bus threw'))
  /** Channels, and how many topics with handlers each carries. */
  const wanted = new Map<string, number>()
  const waiters = createWaiters()
  const recovered: (() => void)[] = []
  const ending = new AbortController()
  let up = false
  let wasUp = false
  let healing = false
  /** Something broke since the last look. */
  let doubtful = false
  let lossesUnlogged = 0
  let lossLoggedAt = -Infinity

  const servers = createRedisServers(parseRedisUrl(url), {
    onMessage(payload) {
      metrics?.received()
      const { topic, message } = decodeEnvelope(payload)
      handlers.dispatch(topic, message)
    },
    onLost: ({ address }, reason) => heal(`connection to ${address.host}:${address.port} lost: ${reason}`),
    onMoved: ({ address }) => heal(`${address.host}:${address.port} no longer serves all it did`),
  })

  const wantedOf = (link: RedisLink) =>
    new Set([...wanted.keys()].filter((channel) => servers.linkOf(channel) === link))

  async function settle(link: RedisLink): Promise<void> {
    await link.settle(() => wantedOf(link))
    for (const channel of link.standing) waiters.release(channel)
  }

  const stands = (channel: string) => servers.linkOf(channel)?.standing.has(channel) === true

  function heal(reason: string): void {
    doubtful = true
    if (up) log.warn({ reason }, 'the bus is down')
    up = false
    metrics?.up(false)
    if (!healing && !ending.signal.aborted) void healUntilUp()
  }

  /** Mends until every connection and every subscription stands. */
  async function healUntilUp(): Promise<void> {
    healing = true
    for (let delay: number = busLimits.retryMs; ; delay = Math.min(delay * 2, busLimits.retryMaxMs)) {
      doubtful = false
      const failure = await mend().catch((error: unknown) => error as Error)
      if (ending.signal.aborted) return
      if (failure === undefined && !doubtful && [...wanted.keys()].every(stands)) break
      if (failure) log.info({ reason: failure.message }, 'the bus cannot be mended yet')
      // Many nodes lose a server at the same moment, and should not all come back at the same moment.
      await sleep(delay * (0.5 + Math.random() / 2), undefined, { signal: ending.signal }).catch(
        () => undefined,
      )
    }
    healing = false
    up = true
    metrics?.up(true)
    log.info(wasUp ? 'the bus is up again' : 'the bus is up')
    if (wasUp) for (const handler of recovered) handler()
    wasUp = true
  }

  async function mend(): Promise<void> {
    const refreshed = servers.refresh()
    // The servers that are there serve their part already, whatever is with the others.
    const results = await Promise.allSettled([refreshed, ...(await linksAfter(refreshed)).map(settle)])
    const failure = results.find((result) => result.status === 'rejected')
    if (failure) throw failure.reason
  }

  async function linksAfter(refreshed: Promise<void>): Promise<RedisLink[]> {
    await refreshed.catch(() => undefined)
    return servers.links()
  }

  function lose(reason: string): void {
    metrics?.lost()
    lossesUnlogged++
    const now = performance.now()
    if (now - lossLoggedAt < busLimits.lossLogMs) return
    log.warn({ messages: lossesUnlogged, reason }, 'the bus lost messages')
    lossLoggedAt = now
    lossesUnlogged = 0
  }

  async function publish(channel: string, payload: string): Promise<void> {
    const link = servers.linkOf(channel)
    if (link === undefined) throw new Error('not connected')
    try {
      await link.publish(channel, payload)
    } catch (error) {
      // The slot has moved: its new server is told by the error, and mostly one there is a link to.
      const other = servers.linkAt(movedTo(error) ?? '')
      if (other === undefined) throw error
      await other.publish(channel, payload)
    }
  }

  async function unsubscribeChannel(channel: string): Promise<void> {
    const topicsLeft = wanted.get(channel)! - 1
    if (topicsLeft > 0) {
      wanted.set(channel, topicsLeft)
      return
    }
    wanted.delete(channel)
    const link = servers.linkOf(channel)
    // What cannot be unsubscribed now went down with its connection, or does so with the next mending.
    if (link?.alive) await settle(link).catch((error: Error) => heal(error.message))
  }

  const topologyTimer = setInterval(() => {
    if (!up) return
    const look = async () => {
      if (await servers.hasChanged()) heal('the Cluster has changed')
    }
    // A server that cannot be asked is noticed as a lost link.
    look().catch(() => undefined)
  }, busLimits.topologyMs)

  heal('starting')

  return {
    async publish(topic, message) {
      metrics?.published()
      try {
        await publish(channelOf(topic, namespace), encodeEnvelope(topic, message))
      } catch (error) {
        lose((error as Error).message)
      }
    },

    async subscribe(topic, handler) {
      if (ending.signal.aborted) throw new Error('The bus is closed')
      const channel = channelOf(topic, namespace)
      const { first, remove } = handlers.add(topic, handler)
      if (first) wanted.set(channel, (wanted.get(channel) ?? 0) + 1)
      if (!stands(channel)) {
        const standing = waiters.wait(channel)
        const link = servers.linkOf(channel)
        if (link?.alive) settle(link).catch((error: Error) => heal(error.message))
        await standing
      }
      return async () => {
        if (remove() && !ending.signal.aborted) await unsubscribeChannel(channel)
      }
    },

    onRecovered: (handler) => void recovered.push(handler),

    get up() {
      return up
    },

    async close() {
      up = false
      ending.abort()
      clearInterval(topologyTimer)
      handlers.clear()
      servers.close()
      waiters.rejectAll(new Error('The bus is closed'))
    },
  }
}
