import { Cluster, Redis } from 'ioredis'
import { busLimits } from './limits.ts'
import { parseRedisUrl, type RedisAddresses } from './redis-address.ts'

/** Redis for what all nodes share beside the bus: counters and texts. It connects in the background, and again. */
export interface RedisData {
  /** Undefined until it is known what kind of Redis there is. Commands fail at once while it is away. */
  readonly client: Redis | Cluster | undefined
  close(): void
}

/** Throws a TypeError when `url` cannot be read. `onAway` is called for each vain try to connect at first. */
export function openRedisData(url: string, onAway: () => void): RedisData {
  const addresses = parseRedisUrl(url)
  let client: Redis | Cluster | undefined
  let retry: NodeJS.Timeout | undefined
  let closed = false
  find()

  function find(): void {
    connect(addresses).then(
      (found) => {
        if (closed) return found.disconnect()
        client = found
        // It reconnects by itself, and whoever uses it does without meanwhile.
        found.on('error', () => undefined)
      },
      () => {
        if (closed) return
        onAway()
        retry = setTimeout(find, busLimits.retryMaxMs)
        retry.unref()
      },
    )
  }

  return {
    get client() {
      return client
    },
    close() {
      closed = true
      clearTimeout(retry)
      client?.disconnect()
    },
  }
}

/** Connects to one server, or to a Cluster where that server is part of one. */
async function connect({ seeds, credentials }: RedisAddresses): Promise<Redis | Cluster> {
  const options = {
    ...credentials,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 1,
    commandTimeout: 1_000,
  }
  const single = new Redis({
    ...seeds[0]!,
    ...options,
    lazyConnect: true,
    retryStrategy: (n) => Math.min(50 * n, 1_000),
  })
  single.on('error', () => undefined)
  try {
    await single.connect()
    if (!/cluster_enabled:1/.test(await single.info('cluster'))) return single
  } catch (error) {
    single.disconnect()
    throw error
  }
  single.disconnect()
  return new Cluster([...seeds], {
    redisOptions: options,
    enableOfflineQueue: false,
    slotsRefreshInterval: 2_000,
  })
}
