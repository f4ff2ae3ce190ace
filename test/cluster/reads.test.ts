import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { ask, guest, startNode, type Guest, type TestNode } from '../helpers/node.ts'
import { startRedis } from '../helpers/redis.ts'
import type { TestServer } from '../helpers/server-process.ts'
import { createDatabase, describeWith } from '../helpers/services.ts'
import type { TestDatabase } from '../helpers/postgres.ts'

/** How soon a post is read on another node: the bus takes milliseconds; a comparison of heads, some seconds. */
const busMs = 1_000
const comparedMs = 8_000

describeWith(['postgres', 'redis'], 'reading on two nodes', () => {
  let database: TestDatabase
  let redis: TestServer
  let nodes: [TestNode, TestNode]
  let ada: Guest
  let thread: string

  beforeAll(async () => {
    ;[database, redis] = await Promise.all([createDatabase(), startRedis()])
    const env = { DATABASE_URL: database.url, REDIS_URL: redis.url, RATE_LIMITS: 'off' }
    nodes = [await startNode(env), await startNode(env)]
    ada = await guest(nodes[0].url)
    const made = await ask<{ thread: { id: string } }>(ada, 'POST', `${nodes[0].url}/api/threads`, {
      title: 'Read',
      body: 'Words. '.repeat(400),
    })
    thread = made.thread.id
    for (const node of nodes) await follow(node)
  })
  afterAll(async () => {
    await Promise.all((nodes ?? []).map((node) => node.kill('SIGKILL')))
    await redis?.stop()
    await database?.drop()
  })

  const read = async (node: TestNode, path = `/api/threads/${thread}`, headers = {}) => {
    const answer = await fetch(node.url + path, { headers })
    return { status: answer.status, text: await answer.text(), etag: answer.headers.get('etag')! }
  }

  /** Reads as readers do who come again, until the node has a room for the thread. */
  async function follow(node: TestNode): Promise<void> {
    for (let i = 0; i < 4; i++) {
      await read(node)
      await sleep(100)
    }
  }

  const write = (node: TestNode, body: string, clientId: string = crypto.randomUUID()) =>
    ask(ada, 'POST', `${node.url}/api/threads/${thread}/posts`, { parent: 1, body, clientId })

  /** Transactions of the database so far; what connections did a moment ago is told a second late. */
  async function transactions(): Promise<number> {
    await sleep(1_500)
    const client = new pg.Client({ connectionString: database.url })
    await client.connect()
    try {
      const { rows } = await client.query<{ n: string }>(
        'select xact_commit + xact_rollback as n from pg_stat_database where datname = current_database()',
      )
      return Number(rows[0]!.n)
    } finally {
      await client.end()
    }
  }

  test('asks the database for nothing while nobody writes', { timeout: 60_000 }, async () => {
    const [node] = nodes
    const { etag } = await read(node)
    await read(node, `/t/${thread}`)
    const before = await transactions()
    for (let i = 0; i < 400; i++) {
      expect((await read(node)).status).toBe(200)
      expect((await read(node, `/t/${thread}`)).status).toBe(200)
      expect((await read(node, `/t/${thread}`, ada.headers)).text).toContain(ada.id)
      expect((await read(node, undefined, { 'if-none-match': etag })).status).toBe(304)
    }
    // The nodes compare their heads and look for what others left behind; 1,600 readers are no part of it.
    expect((await transactions()) - before).toBeLessThan(60)
  })

  test('shows what was written here at once, and soon what was written there', async () => {
    for (let i = 0; i < 30; i++) {
      const [here, there] = i % 2 === 0 ? nodes : [nodes[1], nodes[0]]
      await write(here, `Mark-${i}-end`)
      expect((await read(here)).text).toContain(`Mark-${i}-end`)
      expect((await read(here, `/t/${thread}`)).text).toContain(`Mark-${i}-end`)
      await vi.waitFor(async () => expect((await read(there)).text).toContain(`Mark-${i}-end`), {
        interval: 5,
        timeout: busMs,
      })
    }
  })

  test('shows a post to who sent it again to another node', async () => {
    const [here, there] = nodes
    for (let i = 0; i < 10; i++) {
      const clientId = crypto.randomUUID()
      await write(here, `Twice-${i}-end`, clientId)
      await write(there, `Twice-${i}-end`, clientId)
      expect((await read(there)).text).toContain(`Twice-${i}-end`)
    }
  })

  test('shows everything while Redis is frozen and when it is gone', { timeout: 60_000 }, async () => {
    const [here, there] = nodes
    const shows = async (mark: string) => {
      await write(here, mark)
      expect((await read(here)).text).toContain(mark)
      await vi.waitFor(async () => expect((await read(there)).text).toContain(mark), {
        interval: 20,
        timeout: comparedMs,
      })
    }
    for (const node of nodes) await follow(node)
    redis.pause()
    await shows('While-frozen')
    redis.resume()
    await redis.kill('SIGKILL')
    await shows('While-gone')
    await redis.restart()
    await shows('While-back')
  })
})
