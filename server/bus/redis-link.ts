import { Redis } from 'ioredis'
import { busLimits } from './limits.ts'
import type { Address, RedisAddresses } from './redis-address.ts'

export interface LinkEvents {
  onMessage(payload: string): void
  /** The connection is gone, for whatever reason but `close`. It does not come back: open a new link. */
  onLost(link: RedisLink, reason: string): void
  /** The server does not serve what it was thought to: it ended subscriptions, or sent a publisher elsewhere. */
  onMoved(link: RedisLink): void
}

/** One connection to one server, for both directions. It lives once: whoever holds it replaces it when it is lost. */
export interface RedisLink {
  readonly address: Address
  /** Whether the server is part of a Cluster; then channels are sharded ones. */
  readonly clustered: boolean
  readonly alive: boolean
  /** The channels whose subscription the server confirmed. */
  readonly standing: ReadonlySet<string>
  /**
   * Makes the channels be those that `wanted` gives. Resolves when the server confirmed all of them; rejects when it
   * refuses one or is lost. Calls at the same time become one.
   */
  settle(wanted: () => ReadonlySet<string>): Promise<void>
  /** Rejects when the server did not take it. */
  publish(channel: string, payload: string): Promise<void>
  /** The Cluster's slots and who serves them, as this server sees it. */
  slots(): Promise<SlotRange[]>
  close(): void
}

export interface SlotRange {
  readonly from: number
  readonly to: number
  readonly master: Address
  readonly replicas: readonly Address[]
}

/** Connects. Rejects when that fails, or takes longer than `busLimits.connectMs`. */
export async function openLink(
  address: Address,
  credentials: RedisAddresses['credentials'],
  events: LinkEvents,
): Promise<RedisLink> {
  let alive = false
  let closed = false
  let owed = 0
  let unconfirmed = 0
  let standing = new Set<string>()
  let settling: Promise<void> | undefined
  let unsettled = false
  let reason = 'connection closed'
  const redis = connection(address, credentials)
  redis.on('error', (error: Error) => (reason = error.message))
  redis.on('end', () => lose(reason))

  function lose(why: string): void {
    clearInterval(pings)
    const wasAlive = alive
    alive = false
    standing = new Set()
    redis.disconnect()
    if (wasAlive && !closed) events.onLost(link, why)
  }

  // Counted in rounds, not in time: after this process itself stood still, the answers that wait are read first.
  const pings = setInterval(() => {
    if (!alive) return
    if (owed >= 2) return lose('no answer')
    owed++
    const paid = () => (owed = 0)
    redis.ping().then(paid, () => undefined)
  }, busLimits.pingMs)

  const clustered = await within(busLimits.connectMs, async () => {
    await redis.connect()
    return /cluster_enabled:1/.test(await redis.info('cluster'))
  }).catch((error: unknown) => {
    lose(reason)
    throw error
  })

  const subscribe = async (channel: string, confirmed: Set<string>) => {
    await (clustered ? redis.ssubscribe(channel) : redis.subscribe(channel))
    confirmed.add(channel)
  }
  const unsubscribe = (channel: string) =>
    clustered ? redis.sunsubscribe(channel) : redis.unsubscribe(channel)

  async function settleOnce(wanted: ReadonlySet<string>): Promise<void> {
    // When a `moved` comes meanwhile, `standing` is another set, and what this round confirms does not count.
    const confirmed = standing
    const leaving = [...confirmed].filter((channel) => !wanted.has(channel))
    const joining = [...wanted].filter((channel) => !confirmed.has(channel))
    // What is about to end counts as ended: who wants it back meanwhile waits for the next round.
    for (const channel of leaving) confirmed.delete(channel)
    // One command a channel, since in a Cluster each is of another slot. They go out together.
    await Promise.all([
      ...leaving.map(unsubscribe),
      ...joining.map((channel) => subscribe(channel, confirmed)),
    ])
  }

  async function settleAll(wanted: () => ReadonlySet<string>): Promise<void> {
    try {
      while (unsettled) {
        unsettled = false
        await settleOnce(wanted())
      }
    } finally {
      settling = undefined
    }
  }

  const link: RedisLink = {
    address,
    clustered,
    get alive() {
      return alive
    },
    get standing() {
      return standing
    },
    settle(wanted) {
      unsettled = true
      return (settling ??= settleAll(wanted))
    },
    async publish(channel, payload) {
      if (!alive) throw new Error('not connected')
      if (unconfirmed > busLimits.unconfirmedText) throw new Error('the server is too slow')
      unconfirmed += payload.length
      try {
        await (clustered ? redis.spublish(channel, payload) : redis.publish(channel, payload))
      } catch (error) {
        if (movedTo(error) !== undefined) events.onMoved(link)
        throw error
      } finally {
        unconfirmed -= payload.length
      }
    },
    async slots() {
      const rows = await redis.cluster('SLOTS')
      // A server that does not know its own name leaves it out: it is the one that was asked.
      const toAddress = ([host, port]: [string | null, number, ...unknown[]]) => ({
        host: host || address.host,
        port,
      })
      return rows.map(([from, to, master, ...replicas]) => ({
        from,
        to,
        master: toAddress(master!),
        replicas: replicas.map(toAddress),
      }))
    },
    close() {
      closed = true
      lose('closed')
    },
  }
  redis.on(clustered ? 'smessage' : 'message', (_channel: string, payload: string) =>
    events.onMessage(payload),
  )
  // A server that gives a slot away ends its subscriptions and says so. The slot may be back before that is acted on, so
  // none counts as standing until the server confirms it again, which changes nothing where it stands.
  redis.on('moved', () => {
    standing = new Set()
    events.onMoved(link)
  })
  alive = true
  return link
}

/** Where an error sends us, `host:port`; undefined when it does not. */
export function movedTo(error: unknown): string | undefined {
  return error instanceof Error ? /^MOVED \d+ (\S+)/.exec(error.message)?.[1] : undefined
}

function connection(address: Address, credentials: RedisAddresses['credentials']): Redis {
  // What the library would mend by itself (connect, subscribe or send again) is off: it does not tell when everything
  // stands again, and what it sends late has been overtaken by then.
  return new Redis({
    ...address,
    ...credentials,
    lazyConnect: true,
    connectTimeout: busLimits.connectMs,
    disconnectTimeout: busLimits.disconnectMs,
    retryStrategy: null,
    enableOfflineQueue: false,
    autoResubscribe: false,
    autoResendUnfulfilledCommands: false,
    connectionName: 'numinex-bus',
  })
}

async function within<T>(ms: number, work: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('no answer in time')), ms)
  })
  try {
    return await Promise.race([work(), late])
  } finally {
    clearTimeout(timer)
  }
}
