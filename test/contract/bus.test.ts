import { createClient, createCluster } from 'redis'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Bus } from '../../server/bus/bus.ts'
import { createMemoryBus } from '../../server/bus/memory.ts'
import { channelOf, encodeEnvelope } from '../../server/bus/partitions.ts'
import { listen, redisNode } from '../helpers/bus.ts'
import { redisCli, startRedisCluster, type RedisCluster } from '../helpers/redis.ts'
import { describeWith, services } from '../helpers/services.ts'

interface Transport {
  /** The buses of `count` nodes that are connected to each other, and up. */
  nodes(count: number): Promise<Bus[]>
  /** Publishes and subscribes on the transport itself, by another client library; only over a network. */
  observer?: () => Promise<Observer>
}

interface Observer {
  publish(channel: string, payload: string): Promise<unknown>
  subscribe(channel: string, listener: (payload: string) => void): Promise<unknown>
  close(): void
}

const wait = { timeout: 10_000, interval: 5 }

describe('bus in memory', () => {
  busContract({
    async nodes(count) {
      const bus = createMemoryBus(() => undefined)
      return Array.from({ length: count }, () => bus)
    },
  })
})

describeWith('redis', 'bus over one Redis', () => {
  const url = () => services().redisUrl!
  busContract({
    nodes: (count) => redisNodes(url(), count),
    observer: async () => {
      const client = createClient({ url: url() })
      const subscriber = client.duplicate()
      await Promise.all([client.connect(), subscriber.connect()])
      return {
        publish: (channel, payload) => client.publish(channel, payload),
        subscribe: (channel, listener) => subscriber.subscribe(channel, listener),
        close: () => [client, subscriber].forEach((one) => one.destroy()),
      }
    },
  })
})

describeWith('redis', 'bus over a Redis Cluster of six nodes', () => {
  let cluster: RedisCluster
  beforeAll(async () => {
    cluster = await startRedisCluster({ nodes: 6 })
  })
  afterAll(() => cluster.stop())
  busContract({
    nodes: (count) => redisNodes(cluster.url, count),
    observer: async () => {
      const rootNodes = cluster.nodes.map(({ url }) => ({ url }))
      const client = createCluster({ rootNodes })
      await client.connect()
      return {
        publish: (channel, payload) => client.sPublish(channel, payload),
        subscribe: (channel, listener) => client.sSubscribe(channel, listener),
        close: () => client.destroy(),
      }
    },
  })
  test('channels spread over all masters', async () => {
    const [bus] = await redisNodes(cluster.url, 1)
    await Promise.all(topicNames(500).map((topic) => listen(bus!, topic)))
    const masters = await cluster.masters()
    const shards = masters.map((node) => redisCli(node.port, 'PUBSUB', 'SHARDCHANNELS', 'numinex:*'))
    const counts = (await Promise.all(shards)).map((channels) => channels.split('\n').length)
    expect(counts).toHaveLength(3)
    expect(Math.min(...counts)).toBeGreaterThan(40)
    await bus!.close()
  })
})

async function redisNodes(url: string, count: number): Promise<Bus[]> {
  const nodes = Array.from({ length: count }, () => redisNode(url))
  await vi.waitFor(() => expect(nodes.every(({ up }) => up)).toBe(true), wait)
  return nodes
}

function busContract(transport: Transport): void {
  const open: Bus[] = []
  const nodes = async (count: number) => {
    const made = await transport.nodes(count)
    open.push(...made)
    return made as [Bus, Bus, Bus]
  }
  afterEach(async () => {
    await Promise.all(open.splice(0).map((bus) => bus.close()))
  })

  test('a message reaches every subscriber on every node, the own one included', async () => {
    const [a, b, c] = await nodes(3)
    const listeners = await Promise.all([a, a, b, c].map((bus) => listen(bus, 'topic')))
    await a.publish('topic', 'one')
    await vi.waitFor(() => listeners.forEach(({ messages }) => expect(messages).toEqual(['one'])), wait)
  })

  test('messages of one publisher keep their order', async () => {
    const [a, b] = await nodes(2)
    const { messages } = await listen(b, 'topic')
    const sent = Array.from({ length: 1_000 }, (_, i) => String(i))
    await Promise.all(sent.map((message) => a.publish('topic', message)))
    await vi.waitFor(() => expect(messages).toHaveLength(1_000), wait)
    expect(messages).toEqual(sent)
  })

  test('topics do not mix, even where they share a channel', async () => {
    const [a, b] = await nodes(2)
    const [first, second] = twinTopics()
    const one = await listen(b, first)
    const two = await listen(b, second)
    await a.publish(first, 'for the first')
    await a.publish(second, 'for the second')
    await a.publish('another', 'for nobody')
    await vi.waitFor(() => expect(two.messages).toEqual(['for the second']), wait)
    expect(one.messages).toEqual(['for the first'])
    // The channel stays for the one when the other goes.
    await one.unsubscribe()
    await a.publish(first, 'unheard')
    await a.publish(second, 'heard')
    await vi.waitFor(() => expect(two.messages).toEqual(['for the second', 'heard']), wait)
    expect(one.messages).toEqual(['for the first'])
  })

  test('who unsubscribed hears nothing more, and hears again after subscribing again', async () => {
    const [a, b] = await nodes(2)
    const gone = await listen(b, 'topic')
    const stays = await listen(b, 'topic')
    await gone.unsubscribe()
    await gone.unsubscribe()
    await a.publish('topic', 'one')
    await vi.waitFor(() => expect(stays.messages).toEqual(['one']), wait)
    expect(gone.messages).toEqual([])
    await stays.unsubscribe()
    const again = await listen(b, 'topic')
    await a.publish('topic', 'two')
    await vi.waitFor(() => expect(again.messages).toEqual(['two']), wait)
    expect(stays.messages).toEqual(['one'])
  })

  test('subscribing and unsubscribing at the same time ends in the state asked for last', async () => {
    const [a, b] = await nodes(2)
    for (let round = 0; round < 30; round++) {
      const first = await listen(b, 'topic')
      const [second] = await Promise.all([listen(b, 'topic'), first.unsubscribe()])
      const leaving = second.unsubscribe()
      const third = await listen(b, 'topic')
      await leaving
      await a.publish('topic', `${round}`)
      await vi.waitFor(() => expect(third.messages).toEqual([`${round}`]), wait)
      expect(first.messages).toEqual([])
      await third.unsubscribe()
    }
  })

  test('500 topics at once', async () => {
    const [a, b] = await nodes(2)
    const names = topicNames(500)
    const listeners = await Promise.all(names.map((topic) => listen(b, topic)))
    await Promise.all(names.map((topic) => a.publish(topic, topic)))
    await vi.waitFor(
      () => expect(listeners.map(({ messages }) => messages)).toEqual(names.map((topic) => [topic])),
      wait,
    )
    await Promise.all(listeners.map(({ unsubscribe }) => unsubscribe()))
  })

  test('messages come as they were sent: large, empty, with line breaks and any characters', async () => {
    const [a, b] = await nodes(2)
    const { messages } = await listen(b, 'topic')
    const sent = [
      'x'.repeat(1024 * 1024),
      '',
      '\n\r\n"\\',
      'topic\nnested',
      'žluťoučký 🐎 \u0000 \u2028 漢字',
    ]
    for (const message of sent) await a.publish('topic', message)
    await vi.waitFor(() => expect(messages).toHaveLength(sent.length), wait)
    expect(messages).toEqual(sent)
  })

  test('a handler that throws hinders no other', async () => {
    const [a, b] = await nodes(2)
    await b.subscribe('topic', () => {
      throw new Error('a bug')
    })
    const { messages } = await listen(b, 'topic')
    await a.publish('topic', 'one')
    await a.publish('topic', 'two')
    await vi.waitFor(() => expect(messages).toEqual(['one', 'two']), wait)
  })

  test('a closed bus is down, hears nothing and takes no subscriber', async () => {
    const [a] = await nodes(1)
    const { messages } = await listen(a, 'topic')
    await vi.waitFor(() => expect(a.up).toBe(true), wait)
    await a.close()
    expect(a.up).toBe(false)
    await a.publish('topic', 'one')
    await expect(a.subscribe('topic', () => undefined)).rejects.toThrow('closed')
    expect(messages).toEqual([])
  })

  const { observer } = transport
  if (!observer) return
  test('another client sees what the bus sends, and is heard by it', async () => {
    const [a, b] = await nodes(2)
    const other = await observer()
    const seen: string[] = []
    const channel = channelOf('topic', 'numinex')
    await other.subscribe(channel, (payload) => void seen.push(payload))
    const { messages } = await listen(b, 'topic')
    await a.publish('topic', 'from the bus')
    await vi.waitFor(() => expect(seen).toEqual([encodeEnvelope('topic', 'from the bus')]), wait)
    await other.publish(channel, encodeEnvelope('topic', 'from outside'))
    await vi.waitFor(() => expect(messages).toEqual(['from the bus', 'from outside']), wait)
    other.close()
  })
}

function topicNames(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `topic-${i}`)
}

/** Two topics that travel on one channel. */
function twinTopics(): [string, string] {
  const seen = new Map<string, string>()
  for (const topic of topicNames(1_000)) {
    const channel = channelOf(topic, 'numinex')
    const twin = seen.get(channel)
    if (twin !== undefined) return [twin, topic]
    seen.set(channel, topic)
  }
  throw new Error('no two topics share a channel')
}
