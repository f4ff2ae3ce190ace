import { execFile } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { findPrograms } from './programs.ts'
import { freePort, startServer, temporaryDirectory, type TestServer } from './server-process.ts'

export interface RedisOptions {
  /** More settings, as in redis.conf. */
  settings?: Record<string, string | number>
}

/** Starts a Redis of its own. It keeps nothing on disk, so a restart empties it. */
export async function startRedis(options: RedisOptions = {}): Promise<TestServer> {
  const command = findPrograms().redis
  if (command === undefined) throw new Error('Redis is not installed')
  const directory = temporaryDirectory('redis')
  const port = await freePort()
  const settings = {
    port,
    bind: '127.0.0.1',
    dir: directory,
    save: '',
    appendonly: 'no',
    ...options.settings,
  }
  return startServer({
    name: 'redis',
    url: (port) => `redis://127.0.0.1:${port}`,
    port,
    directory,
    command,
    args: Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]),
    stopSignal: 'SIGTERM',
    answers: async (port) => (await redisCli(port, 'PING').catch(() => '')) === 'PONG',
  })
}

/** Runs one command on the Redis at `port` and gives its answer as `redis-cli` prints it. Throws when nobody answers. */
export async function redisCli(port: number, ...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(
    'redis-cli',
    ['-h', '127.0.0.1', '-p', String(port), ...args],
    {
      timeout: 10_000,
    },
  )
  return stdout.trim()
}

export interface RedisCluster {
  /** The nodes' URLs, separated by commas. */
  readonly url: string
  readonly nodes: readonly TestServer[]
  /** The nodes that are masters now, as the node at `nodes[seenBy]` sees it. */
  masters(seenBy?: number): Promise<TestServer[]>
  /** The node that serves the slot of `key` now, as the node at `nodes[seenBy]` sees it. */
  masterOf(key: string, seenBy?: number): Promise<TestServer>
  stop(): Promise<void>
}

/** Starts a Redis Cluster of its own: half of the nodes are masters, each with one replica. */
export async function startRedisCluster(
  { nodes: count }: { nodes: number } = { nodes: 6 },
): Promise<RedisCluster> {
  const nodes = await Promise.all(Array.from({ length: count }, startClusterNode))
  const stop = async () => {
    await Promise.all(nodes.map((node) => node.stop()))
  }
  const masters = async (seenBy = 0) => {
    const rows = await clusterNodes(nodes[seenBy]!.port)
    return nodes.filter((node) => rows.some((row) => row.port === node.port && row.master))
  }
  const masterOf = async (key: string, seenBy = 0) => {
    const slot = Number(await redisCli(nodes[seenBy]!.port, 'CLUSTER', 'KEYSLOT', key))
    const rows = await clusterNodes(nodes[seenBy]!.port)
    const row = rows.find(
      ({ master, slots }) => master && slots.some(([from, to]) => from <= slot && slot <= to),
    )
    return nodes.find((node) => node.port === row?.port)!
  }
  try {
    const addresses = nodes.map((node) => `127.0.0.1:${node.port}`)
    const create = ['--cluster', 'create', ...addresses, '--cluster-replicas', '1', '--cluster-yes']
    await promisify(execFile)('redis-cli', create)
    await Promise.all(nodes.map((node) => clusterStands(node.port, count)))
  } catch (error) {
    await stop()
    throw error
  }
  return { url: nodes.map((node) => node.url).join(','), nodes, masters, masterOf, stop }
}

async function startClusterNode(): Promise<TestServer> {
  const settings = {
    'cluster-enabled': 'yes',
    'cluster-config-file': 'nodes.conf',
    'cluster-node-timeout': 2_000,
    'cluster-port': await freePort(),
    // Masters and replicas stay as the test made them, and any replica may take over.
    'cluster-allow-replica-migration': 'no',
    'cluster-replica-validity-factor': 0,
  }
  return startRedis({ settings })
}

interface ClusterNode {
  port: number
  master: boolean
  slots: [from: number, to: number][]
}

async function clusterNodes(port: number): Promise<ClusterNode[]> {
  const lines = (await redisCli(port, 'CLUSTER', 'NODES')).split('\n')
  return lines.map((line) => {
    const [, address = '', flags = '', , , , , , ...ranges] = line.split(' ')
    const slots = ranges
      .filter((range) => !range.startsWith('['))
      .map((range) => range.split('-').map(Number))
    return {
      port: Number(/:(\d+)@/.exec(address)?.[1]),
      master: flags.includes('master') && !flags.includes('fail'),
      slots: slots.map(([from, to]) => [from!, to ?? from!] as [number, number]),
    }
  })
}

/** Waits until the node knows all others, serves, and its replication stands. */
async function clusterStands(port: number, count: number): Promise<void> {
  for (;;) {
    const info = await redisCli(port, 'CLUSTER', 'INFO')
    const replication = await redisCli(port, 'INFO', 'replication')
    const linked = /role:slave/.test(replication)
      ? /master_link_status:up/.test(replication)
      : /connected_slaves:[1-9]/.test(replication)
    if (/cluster_state:ok/.test(info) && info.includes(`cluster_known_nodes:${count}`) && linked) return
    await sleep(50)
  }
}
