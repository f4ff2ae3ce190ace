import { addressKey, type Address, type RedisAddresses } from './redis-address.ts'
import { openLink, type LinkEvents, type RedisLink, type SlotRange } from './redis-link.ts'
import { slotOf } from './partitions.ts'

/** The servers of a site, one or the masters of a Cluster, and a link to each. */
export interface RedisServers {
  /** Learns who serves what, opens the links that are missing, closes those that are not needed. Rejects when one cannot be opened; the others are. */
  refresh(): Promise<void>
  /** The link that serves a channel; undefined while it is not there. */
  linkOf(channel: string): RedisLink | undefined
  linkAt(key: string): RedisLink | undefined
  links(): RedisLink[]
  /** Whether the Cluster now tells otherwise than at the last refresh. Never for a single server. */
  hasChanged(): Promise<boolean>
  close(): void
}

/** What is known of who serves what: a Cluster's ranges, or the one server that serves everything. */
type Topology = { ranges: SlotRange[] } | { single: Address }

export function createRedisServers({ seeds, credentials }: RedisAddresses, events: LinkEvents): RedisServers {
  const links = new Map<string, RedisLink>()
  // All nodes of the Cluster ever heard of: when every link is lost, any of them may lead back in.
  const known = new Map(seeds.map((seed) => [addressKey(seed), seed]))
  let topology: Topology | undefined
  let closed = false

  const alive = () => [...links.values()].filter((link) => link.alive)

  async function open(address: Address): Promise<RedisLink> {
    const key = addressKey(address)
    const existing = links.get(key)
    if (existing?.alive) return existing
    const link = await openLink(address, credentials, events)
    if (closed) {
      link.close()
      throw new Error('The bus is closed')
    }
    links.set(key, link)
    return link
  }

  /** A link to any node. The one asked first changes, so that one with an outdated view does not lead astray for long. */
  async function openAny(): Promise<RedisLink> {
    let failure: unknown
    for (const address of shuffled([...known.values()])) {
      try {
        return await open(address)
      } catch (error) {
        failure = error
      }
    }
    throw failure
  }

  async function learn(): Promise<Topology> {
    const sources = alive()
    if (sources.length === 0) sources.push(await openAny())
    const single = sources.find((link) => !link.clustered)
    if (single) {
      // Each node would pick one, and not all the same.
      if (seeds.length > 1)
        throw new Error(`${addressKey(single.address)} is not part of a Cluster: name one server`)
      return { single: single.address }
    }
    // Whoever answers first: a node that hangs must not hold up the others.
    return { ranges: await Promise.any(shuffled(sources).map((link) => link.slots())) }
  }

  return {
    async refresh() {
      topology = await learn()
      const needed = 'single' in topology ? [topology.single] : topology.ranges.map(({ master }) => master)
      if ('ranges' in topology) {
        for (const { master, replicas } of topology.ranges) {
          for (const address of [master, ...replicas]) known.set(addressKey(address), address)
        }
      }
      const byKey = new Map(needed.map((address) => [addressKey(address), address]))
      for (const [key, link] of links) {
        if (byKey.has(key) && link.alive) continue
        link.close()
        links.delete(key)
      }
      const opened = await Promise.allSettled([...byKey.values()].map(open))
      const failure = opened.find((result) => result.status === 'rejected')
      if (failure) throw failure.reason
    },
    linkOf(channel) {
      if (topology === undefined) return undefined
      if ('single' in topology) return links.get(addressKey(topology.single))
      const slot = slotOf(channel)
      const range = topology.ranges.find(({ from, to }) => from <= slot && slot <= to)
      return range && links.get(addressKey(range.master))
    },
    linkAt: (key) => links.get(key),
    links: alive,
    async hasChanged() {
      if (topology === undefined || 'single' in topology) return false
      return describe(topology) !== describe(await learn())
    },
    close() {
      closed = true
      for (const link of links.values()) link.close()
    },
  }
}

function describe(topology: Topology): string {
  if ('single' in topology) return addressKey(topology.single)
  const ranges = topology.ranges.toSorted((a, b) => a.from - b.from)
  return ranges.map(({ from, to, master }) => `${from}-${to} ${addressKey(master)}`).join()
}

function shuffled<T>(items: T[]): T[] {
  const first = Math.floor(Math.random() * items.length)
  return [...items.slice(first), ...items.slice(0, first)]
}
