import { afterAll, afterEach, beforeAll, expect, onTestFailed, test, vi } from 'vitest'
import { channelOf } from '../../server/bus/partitions.ts'
import { listen, redisNode, type WatchedBus } from '../helpers/bus.ts'
import { redisCli, startRedis, startRedisCluster, type RedisCluster } from '../helpers/redis.ts'
import type { TestServer } from '../helpers/server-process.ts'
import { describeWith } from '../helpers/services.ts'

/** How soon messages flow again once the server does, and how soon a Cluster has mended itself and the bus with it. */
const recoveryMs = 5_000
const failoverMs = 10_000
const poll = { interval: 20 }

const open: WatchedBus[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((bus) => bus.close()))
})

/** Two nodes with listeners on many topics, and their log where the test fails. */
async function twoNodes(url: string) {
  const a = redisNode(url)
  const b = redisNode(url)
  open.push(a, b)
  onTestFailed(() => console.log('node a:', a.lines, 'node b:', b.lines))
  const topics = Array.from({ length: 60 }, (_, i) => `topic-${i}`)
  const listeners = await Promise.all(topics.map((topic) => listen(b, topic)))
  await vi.waitFor(() => expect(a.up && b.up).toBe(true), { ...poll, timeout: recoveryMs })
  let round = 0
  /** Waits until one message on each topic, sent now, has arrived on all of them. */
  const flows = async (timeout: number) => {
    const deadline = performance.now() + timeout
    const missing = new Set(topics)
    while (missing.size > 0) {
      const marker = `round ${++round}`
      for (const topic of missing) await a.publish(topic, marker)
      await vi
        .waitFor(() => expect(listeners.every(({ messages }) => messages.includes(marker))).toBe(true), {
          ...poll,
          timeout: 300,
        })
        .catch(() => undefined)
      topics.forEach((topic, i) => listeners[i]!.messages.includes(marker) && missing.delete(topic))
      if (performance.now() > deadline && missing.size > 0) {
        throw new Error(`No messages on ${[...missing].join(', ')} after ${timeout} ms`)
      }
    }
  }
  await flows(recoveryMs)
  return { a, b, flows, listeners, topics }
}

/** Publishes all the time, and tells whether any publish ever threw. */
function keepPublishing(bus: WatchedBus) {
  let failed = 0
  const timer = setInterval(() => {
    for (let i = 0; i < 60; i++) bus.publish(`topic-${i}`, 'load').catch(() => void failed++)
  }, 5)
  return {
    stop() {
      clearInterval(timer)
      expect(failed).toBe(0)
    },
  }
}

const recovered = (bus: WatchedBus, before: number, timeout: number) =>
  vi.waitFor(
    () => {
      expect(bus.recoveries).toBeGreaterThan(before)
      expect(bus.up).toBe(true)
    },
    { ...poll, timeout },
  )

const goesDown = (bus: WatchedBus, timeout: number) =>
  vi.waitFor(() => expect(bus.up).toBe(false), { interval: 1, timeout })

describeWith('redis', 'faults of one Redis', () => {
  let redis: TestServer
  beforeAll(async () => {
    redis = await startRedis()
  })
  afterAll(() => redis.stop())

  test('restart under load', async () => {
    const { a, b, flows } = await twoNodes(redis.url)
    const load = keepPublishing(a)
    await redis.kill('SIGKILL')
    await goesDown(a, recoveryMs)
    await goesDown(b, recoveryMs)
    await vi.waitFor(() => expect(a.lost).toBeGreaterThan(0), { timeout: recoveryMs })
    await redis.restart()
    await recovered(a, 0, recoveryMs)
    await recovered(b, 0, recoveryMs)
    await flows(recoveryMs)
    load.stop()
    expect([a.recoveries, b.recoveries]).toEqual([1, 1])
  })

  test('who subscribes while Redis is away hears once it is back', async () => {
    const { a, b } = await twoNodes(redis.url)
    await redis.kill('SIGKILL')
    await goesDown(b, recoveryMs)
    const subscribing = listen(b, 'new topic')
    await redis.restart()
    const { messages } = await subscribing
    await vi.waitFor(() => expect(a.up).toBe(true), { ...poll, timeout: recoveryMs })
    await a.publish('new topic', 'heard')
    await vi.waitFor(() => expect(messages).toEqual(['heard']), { ...poll, timeout: recoveryMs })
  })

  test('a topic left while Redis is away is not subscribed again', async () => {
    const { b, listeners } = await twoNodes(redis.url)
    await redis.kill('SIGKILL')
    await goesDown(b, recoveryMs)
    await Promise.all(listeners.map(({ unsubscribe }) => unsubscribe()))
    await redis.restart()
    await recovered(b, 0, recoveryMs)
    expect(await redisCli(redis.port, 'PUBSUB', 'CHANNELS')).toBe('')
  })

  test('CLIENT KILL of the subscribers', async () => {
    const { a, b, flows } = await twoNodes(redis.url)
    const load = keepPublishing(a)
    const killed = Number(await redisCli(redis.port, 'CLIENT', 'KILL', 'TYPE', 'pubsub'))
    expect(killed).toBe(1)
    await recovered(b, 0, recoveryMs)
    await flows(recoveryMs)
    load.stop()
    expect([a.recoveries, b.recoveries]).toEqual([0, 1])
  })

  test('CLIENT KILL of everyone, again and again', async () => {
    const { a, b, flows } = await twoNodes(redis.url)
    const load = keepPublishing(a)
    for (let i = 0; i < 10; i++) {
      const before = b.recoveries
      await redisCli(redis.port, 'CLIENT', 'KILL', 'TYPE', 'pubsub')
      await redisCli(redis.port, 'CLIENT', 'KILL', 'TYPE', 'normal')
      await recovered(b, before, recoveryMs)
    }
    await flows(recoveryMs)
    load.stop()
    const clients = await redisCli(redis.port, 'CLIENT', 'LIST')
    expect(clients.match(/name=numinex-bus/g)).toHaveLength(2)
  })

  test('a Redis that hangs is noticed, and left behind publishes do not pile up', async () => {
    const { a, b, flows } = await twoNodes(redis.url)
    const load = keepPublishing(a)
    redis.pause()
    try {
      await goesDown(a, recoveryMs)
      await goesDown(b, recoveryMs)
      // A publish is given up, not kept for later.
      await a.publish('topic-0', 'while it hangs')
      expect(a.lost).toBeGreaterThan(0)
    } finally {
      redis.resume()
    }
    await recovered(a, 0, recoveryMs)
    await recovered(b, 0, recoveryMs)
    await flows(recoveryMs)
    load.stop()
  })

  test('FLUSHALL and SCRIPT FLUSH change nothing', async () => {
    const { a, b, flows } = await twoNodes(redis.url)
    await redisCli(redis.port, 'FLUSHALL')
    await redisCli(redis.port, 'SCRIPT', 'FLUSH')
    await flows(recoveryMs)
    expect([a.up, b.up, a.recoveries, b.recoveries]).toEqual([true, true, 0, 0])
  })

  test('a bus that starts before its Redis waits for it', async () => {
    await redis.kill('SIGKILL')
    const bus = redisNode(redis.url)
    open.push(bus)
    const subscribing = listen(bus, 'topic')
    await bus.publish('topic', 'lost')
    expect([bus.up, bus.lost]).toEqual([false, 1])
    await redis.restart()
    const { messages } = await subscribing
    await bus.publish('topic', 'heard')
    await vi.waitFor(() => expect(messages).toEqual(['heard']), { ...poll, timeout: recoveryMs })
    expect(bus.recoveries).toBe(0)
  })

  test('closing while Redis is away ends all waiting', async () => {
    await redis.kill('SIGKILL')
    const bus = redisNode(redis.url)
    const subscribing = expect(listen(bus, 'topic')).rejects.toThrow('closed')
    await bus.close()
    await subscribing
    await redis.restart()
  })
})

describeWith('redis', 'faults of a Redis Cluster', () => {
  let cluster: RedisCluster
  beforeAll(async () => {
    cluster = await startRedisCluster({ nodes: 6 })
  })
  afterAll(() => cluster.stop())

  const masterOfTopic = (topic: string, seenBy?: number) =>
    cluster.masterOf(channelOf(topic, 'numinex'), seenBy)

  test('CLIENT KILL of the subscribers of one master, then of all', async () => {
    const { a, b, flows } = await twoNodes(cluster.url)
    const load = keepPublishing(a)
    const masters = await cluster.masters()
    for (const some of [masters.slice(0, 1), masters]) {
      const before = b.recoveries
      for (const { port } of some) await redisCli(port, 'CLIENT', 'KILL', 'TYPE', 'pubsub')
      await recovered(b, before, recoveryMs)
      await flows(recoveryMs)
    }
    load.stop()
  })

  test('slots that move to another master, there and back', async () => {
    const { a, b, flows } = await twoNodes(cluster.url)
    const load = keepPublishing(a)
    const from = await masterOfTopic('topic-0')
    const to = (await cluster.masters()).find((node) => node !== from)!
    for (const [source, target] of [
      [from, to],
      [to, from],
    ] as const) {
      const before = b.recoveries
      await moveSlot(channelOf('topic-0', 'numinex'), source, target)
      await recovered(b, before, recoveryMs)
      await flows(recoveryMs)
      expect(await masterOfTopic('topic-0')).toBe(target)
    }
    load.stop()
  })

  test('a planned failover', async () => {
    const { a, b, flows } = await twoNodes(cluster.url)
    const load = keepPublishing(a)
    const master = await masterOfTopic('topic-0')
    await redisCli((await replicaOf(master)).port, 'CLUSTER', 'FAILOVER')
    await vi.waitFor(async () => expect(await masterOfTopic('topic-0')).not.toBe(master), {
      ...poll,
      timeout: failoverMs,
    })
    await recovered(b, 0, recoveryMs)
    await flows(recoveryMs)
    load.stop()
  })

  test('a master killed with -9', async () => {
    const { a, b, flows } = await twoNodes(cluster.url)
    const load = keepPublishing(a)
    const master = await masterOfTopic('topic-0')
    await master.kill('SIGKILL')
    await goesDown(a, recoveryMs)
    await goesDown(b, recoveryMs)
    await recovered(b, 0, failoverMs)
    await recovered(a, 0, failoverMs)
    await flows(recoveryMs)
    load.stop()
    await master.restart()
    await standing()
    await flows(recoveryMs)
  })

  test('a master that hangs until its replica has taken over, and then wakes up', async () => {
    const { a, b, flows } = await twoNodes(cluster.url)
    const load = keepPublishing(a)
    const master = await masterOfTopic('topic-0')
    master.pause()
    try {
      await goesDown(a, recoveryMs)
      await recovered(a, 0, failoverMs)
      await recovered(b, 0, failoverMs)
      await flows(recoveryMs)
    } finally {
      master.resume()
    }
    await standing()
    await flows(recoveryMs)
    load.stop()
  })

  /** Moves the slot of a channel between two masters, as `redis-cli --cluster reshard` does. */
  async function moveSlot(channel: string, source: TestServer, target: TestServer): Promise<void> {
    const slot = await redisCli(source.port, 'CLUSTER', 'KEYSLOT', channel)
    const sourceId = await redisCli(source.port, 'CLUSTER', 'MYID')
    const targetId = await redisCli(target.port, 'CLUSTER', 'MYID')
    await redisCli(target.port, 'CLUSTER', 'SETSLOT', slot, 'IMPORTING', sourceId)
    await redisCli(source.port, 'CLUSTER', 'SETSLOT', slot, 'MIGRATING', targetId)
    for (const { port } of [target, source, ...(await cluster.masters())]) {
      await redisCli(port, 'CLUSTER', 'SETSLOT', slot, 'NODE', targetId)
    }
  }

  async function replicaOf(master: TestServer): Promise<TestServer> {
    const id = await redisCli(master.port, 'CLUSTER', 'MYID')
    const replicas = await redisCli(master.port, 'CLUSTER', 'REPLICAS', id)
    return cluster.nodes.find(({ port }) => replicas.includes(`:${port}@`))!
  }

  /** Waits until all six nodes are there again, each master with its replica. */
  async function standing(): Promise<void> {
    const healthy = async ({ port }: TestServer) => {
      expect(await redisCli(port, 'CLUSTER', 'INFO')).toContain('cluster_state:ok')
      expect(await redisCli(port, 'CLUSTER', 'NODES')).not.toMatch(/fail|disconnected/)
      expect(await redisCli(port, 'INFO', 'replication')).toMatch(/master_link_status:up|connected_slaves:1/)
    }
    await vi.waitFor(() => Promise.all(cluster.nodes.map(healthy)), { interval: 100, timeout: 15_000 })
  }
})
