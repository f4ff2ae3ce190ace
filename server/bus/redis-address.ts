import type { RedisOptions } from 'ioredis'

/** Where a Redis is. */
export interface Address {
  readonly host: string
  readonly port: number
}

/** How to reach the servers of a site: where to begin, and what all of them ask for. */
export interface RedisAddresses {
  readonly seeds: readonly Address[]
  readonly credentials: Pick<RedisOptions, 'username' | 'password' | 'tls'>
}

/**
 * Reads REDIS_URL: `redis://[user:password@]host[:port]`, or `rediss://` for TLS. For a Cluster, one or more of its
 * nodes separated by commas, all reachable from here under the addresses they tell each other; name and password are the
 * first one's. Throws a TypeError on anything else.
 */
export function parseRedisUrl(text: string): RedisAddresses {
  const urls = text.split(',').map((part) => new URL(part.trim()))
  for (const { protocol, hostname } of urls) {
    if (!/^rediss?:$/.test(protocol) || hostname === '') throw new TypeError('Not a redis:// URL')
  }
  const [{ username, password, protocol }] = urls as [URL]
  return {
    seeds: urls.map(({ hostname, port }) => ({
      host: hostname.replace(/^\[|\]$/g, ''),
      port: port === '' ? 6379 : Number(port),
    })),
    credentials: {
      ...(username && { username: decodeURIComponent(username) }),
      ...(password && { password: decodeURIComponent(password) }),
      ...(protocol === 'rediss:' && { tls: {} }),
    },
  }
}

export function addressKey({ host, port }: Address): string {
  return `${host}:${port}`
}
