import pg from 'pg'
import { afterAll, afterEach, beforeAll, expect, onTestFailed, test, vi } from 'vitest'
import type { Post } from '../../shared/post.ts'
import {
  openViewer,
  snapshotOf,
  startWriters,
  visible,
  type Viewer,
  type Writers,
} from '../helpers/live-client.ts'
import { ask, guest, startNode, type TestNode } from '../helpers/node.ts'
import { startPostgres } from '../helpers/postgres.ts'
import { redisCli, startRedis } from '../helpers/redis.ts'
import type { TestServer } from '../helpers/server-process.ts'
import { describeWith } from '../helpers/services.ts'

/** How soon after a fault is over every viewer must show everything. */
const recoveryMs = 5_000
const testMs = 90_000
const poll = { interval: 20 }

describeWith(['postgres', 'redis'], 'faults of two nodes under load', () => {
  let postgres: TestServer
  let redis: TestServer
  let nodes: TestNode[]
  const env = () => ({ DATABASE_URL: postgres.url, REDIS_URL: redis.url, RATE_LIMITS: 'off' })

  beforeAll(async () => {
    // Durable, for what was acknowledged must outlive the power.
    ;[postgres, redis] = await Promise.all([startPostgres({ fsync: true }), startRedis()])
    nodes = [await startNode(env()), await startNode(env())]
  })
  afterAll(async () => {
    await Promise.all((nodes ?? []).map((node) => node.kill('SIGKILL')))
    await Promise.all([postgres?.stop(), redis?.stop()])
  })

  const open: { close(): void }[] = []
  const writing: Writers[] = []
  afterEach(async () => {
    await Promise.all(writing.splice(0).map((writers) => writers.stop().catch(() => undefined)))
    for (const each of open.splice(0)) each.close()
    nodes = await Promise.all(nodes.map(async (node) => (node.running ? node : await startNode(env()))))
  })

  /** Any node that runs, in turn. */
  let turn = 0
  function anyNode(): string {
    const running = nodes.filter((node) => node.running)
    return running[turn++ % running.length]!.url
  }

  /** A thread, three viewers on each node, and writers that use both. */
  async function scene() {
    onTestFailed(() => nodes.forEach((node, i) => console.log(`node ${i}:\n${node.log().slice(-4_000)}`)))
    const thread = await newThread(anyNode())
    const viewers: Viewer[] = []
    for (const node of nodes) {
      // To its own node as long as that runs, and then to any.
      const choose = () => (node.running ? node.url : anyNode())
      for (let i = 0; i < 3; i++) viewers.push(await openViewer(choose, thread))
    }
    open.push(...viewers)
    const writers = await startWriters(anyNode, thread, 6, 5)
    writing.push(writers)
    await progress(writers)
    await vi.waitFor(() => expect(viewers.every(({ state }) => state.seq > 10)).toBe(true), {
      ...poll,
      timeout: recoveryMs,
    })
    return { thread, viewers, writers }
  }

  /** Waits until writers get answers, so that what comes next happens under load. */
  async function progress({ acknowledged }: Writers): Promise<void> {
    const before = acknowledged.size
    await vi.waitFor(() => expect(acknowledged.size).toBeGreaterThan(before + 40), {
      ...poll,
      timeout: 20_000,
    })
  }

  /** The fault is over since `recoveredAt`: everyone catches up in time while the load goes on, and ends where the thread stands. */
  async function converge(
    { thread, viewers, writers }: Awaited<ReturnType<typeof scene>>,
    recoveredAt: number,
    killed?: TestNode,
  ) {
    const first = await vi.waitFor(() => snapshotOf(anyNode(), thread), { ...poll, timeout: recoveryMs })
    const left = () => Math.max(1, recoveredAt + recoveryMs - performance.now())
    await vi.waitFor(() => expect(viewers.every(({ state }) => state.seq >= first.seq)).toBe(true), {
      ...poll,
      timeout: left(),
    })
    const caughtUpMs = performance.now() - recoveredAt
    await progress(writers)
    await writers.stop()
    const last = visible(await snapshotOf(anyNode(), thread))
    await vi.waitFor(
      () => expect(viewers.map(({ state }) => state.seq)).toEqual(viewers.map(() => last.seq)),
      {
        ...poll,
        timeout: recoveryMs,
      },
    )
    for (const { state, status } of viewers) {
      expect(visible(state)).toEqual(last)
      expect(status.kind).toBe('live')
    }
    await expectKept(thread, writers, last.posts)
    for (const node of nodes) if (node !== killed) expectHealthy(node)
    console.log(
      `caught up ${Math.round(caughtUpMs)} ms after recovery; ${writers.acknowledged.size} posts, ${writers.retries()} sent again`,
    )
  }

  /** Every acknowledged post is in the database once, under the number that was told; seqs have no hole. */
  async function expectKept(thread: string, writers: Writers, shown: readonly Post[]) {
    const rows = await query<{ client_id: string; number: number; seq: string }>(
      'SELECT client_id, number, seq FROM posts WHERE thread_id = $1 AND client_id IS NOT NULL ORDER BY seq',
      [thread],
    )
    expect(new Map(rows.map((row) => [row.client_id, row.number]))).toEqual(new Map(writers.acknowledged))
    expect(rows).toHaveLength(writers.acknowledged.size)
    expect(rows.map((row) => Number(row.seq))).toEqual(rows.map((_, i) => i + 2))
    const clientIds = shown.flatMap((post) => post.clientId ?? [])
    expect(clientIds).toHaveLength(new Set(clientIds).size)
    expect(clientIds).toHaveLength(writers.acknowledged.size)
  }

  async function query<T extends object>(sql: string, values: unknown[] = []): Promise<T[]> {
    const client = new pg.Client({ connectionString: postgres.url })
    await client.connect()
    try {
      return (await client.query<T>(sql, values)).rows
    } finally {
      await client.end()
    }
  }

  test('Redis is restarted', { timeout: testMs }, async () => {
    const all = await scene()
    await redis.restart()
    await converge(all, performance.now())
  })

  test('all connections of Redis are killed', { timeout: testMs }, async () => {
    const all = await scene()
    await redisCli(redis.port, 'CLIENT', 'KILL', 'TYPE', 'normal')
    await redisCli(redis.port, 'CLIENT', 'KILL', 'TYPE', 'pubsub')
    await converge(all, performance.now())
  })

  test('Redis is flushed', { timeout: testMs }, async () => {
    const all = await scene()
    await redisCli(redis.port, 'FLUSHALL')
    await converge(all, performance.now())
  })

  test('Redis hangs for three seconds', { timeout: testMs }, async () => {
    const all = await scene()
    const before = all.writers.acknowledged.size
    redis.pause()
    const until = performance.now() + 3_000
    // The bus carries hints only: writing goes on without it.
    await vi.waitFor(() => expect(all.writers.acknowledged.size).toBeGreaterThan(before + 20), {
      ...poll,
      timeout: 3_000,
    })
    await vi.waitUntil(() => performance.now() >= until, { ...poll, timeout: 5_000 })
    redis.resume()
    await converge(all, performance.now())
  })

  test('Postgres is restarted', { timeout: testMs }, async () => {
    const all = await scene()
    await postgres.restart()
    await converge(all, performance.now())
    expect(all.writers.retries()).toBeGreaterThan(0)
  })

  test('Postgres is killed', { timeout: testMs }, async () => {
    const all = await scene()
    await postgres.kill('SIGKILL')
    await postgres.restart()
    await converge(all, performance.now())
    expect(all.writers.retries()).toBeGreaterThan(0)
  })

  test('a node dies between commit and publish', { timeout: testMs }, async () => {
    const all = await scene()
    await all.writers.stop()
    await vi.waitFor(async () => {
      const { seq } = await snapshotOf(anyNode(), all.thread)
      expect(all.viewers.every(({ state }) => state.seq === seq)).toBe(true)
    })
    // What is left of a node that died there: a change that is committed, and that nobody was told of.
    const [row] = await query<{ number: number }>(
      `WITH head AS (
         UPDATE threads SET seq = seq + 1, last_number = last_number + 1, post_count = post_count + 1
         WHERE id = $1 RETURNING seq, last_number
       )
       INSERT INTO posts (thread_id, number, parent, author_id, body, html, excerpt, state, seq, body_seq)
       SELECT $1, last_number, 1, (SELECT author_id FROM posts WHERE thread_id = $1 AND number = 1),
              'Unheard', '<p>Unheard</p>', 'Unheard', 'complete', seq, seq FROM head RETURNING number`,
      [all.thread],
    )
    const committedAt = performance.now()
    const last = visible(await snapshotOf(anyNode(), all.thread))
    expect(last.posts.at(-1)).toMatchObject({ number: row!.number, html: '<p>Unheard</p>' })
    await vi.waitFor(
      () => expect(all.viewers.map(({ state }) => visible(state))).toEqual(all.viewers.map(() => last)),
      {
        ...poll,
        timeout: recoveryMs,
      },
    )
    console.log(`a change nobody published was found after ${Math.round(performance.now() - committedAt)} ms`)
  })

  test('a node is killed', { timeout: testMs }, async () => {
    const all = await scene()
    const victim = nodes[0]!
    const orphans = all.viewers.filter(({ node }) => node === victim.url)
    expect(orphans).toHaveLength(3)
    await victim.kill('SIGKILL')
    const killedAt = performance.now()
    await vi.waitFor(
      () =>
        expect(orphans.every(({ status, node }) => status.kind !== 'live' || node !== victim.url)).toBe(true),
      {
        ...poll,
        timeout: 1_000,
      },
    )
    await converge(all, killedAt, victim)
    for (const { history } of orphans) {
      // Said to be cut off before it was live again, and then only elsewhere.
      const kinds = history.map(({ status }) => status)
      expect(kinds.filter((kind, i) => kind !== kinds[i - 1])).toEqual([
        'connecting',
        'live',
        'waiting',
        'connecting',
        'live',
      ])
      expect(history.at(-1)!.node).not.toBe(victim.url)
    }
  })

  test('a thread opened while Redis is down is followed all the same', { timeout: testMs }, async () => {
    const [a, b] = nodes as [TestNode, TestNode]
    const thread = await newThread(a.url)
    await redis.kill('SIGKILL')
    const viewer = await openViewer(() => b.url, thread)
    open.push(viewer)
    await vi.waitFor(() => expect(viewer.state.viewers).toBe(1), { ...poll, timeout: recoveryMs })
    const who = await guest(a.url)
    const reply = { parent: 1, body: 'Without a bus', clientId: 'busless' }
    await ask(who, 'POST', `${a.url}/api/threads/${thread}/posts`, reply)
    await vi.waitFor(() => expect(viewer.state.posts).toHaveLength(2), { ...poll, timeout: recoveryMs })
    await redis.restart()
    const isUp = async (node: TestNode) => (await fetch(`${node.url}/readyz`)).json()
    await vi.waitFor(async () => expect(await isUp(b)).toMatchObject({ bus: true }), {
      ...poll,
      timeout: recoveryMs,
    })
    for (const node of nodes) expectHealthy(node)
  })

  test(
    'a reader who comes while Postgres is down sees everything once it is back',
    { timeout: testMs },
    async () => {
      const [a, b] = nodes as [TestNode, TestNode]
      const thread = await newThread(a.url)
      let target = a.url
      const viewer = await openViewer(() => target, thread)
      open.push(viewer)
      await vi.waitFor(() => expect(viewer.status.kind).toBe('live'), poll)
      await postgres.kill('SIGKILL')
      // The other node has never heard of the thread, and nobody to ask.
      target = b.url
      viewer.live.reconnect()
      await vi.waitFor(() => expect(viewer.history.at(-1)).toEqual({ status: 'live', node: b.url }), poll)
      await vi.waitFor(() => expect(b.log()).toContain('live session failed'), { ...poll, timeout: 10_000 })
      await postgres.restart()
      const recoveredAt = performance.now()
      const who = await vi.waitFor(() => guest(a.url), { ...poll, timeout: recoveryMs })
      await ask(who, 'POST', `${a.url}/api/threads/${thread}/posts`, {
        parent: 1,
        body: 'Back again',
        clientId: 'back',
      })
      const left = Math.max(1, recoveredAt + recoveryMs - performance.now())
      await vi.waitFor(() => expect(viewer.state.posts).toHaveLength(2), { ...poll, timeout: left })
    },
  )
})

/** Nothing escaped that was not expected. */
function expectHealthy(node: TestNode): void {
  expect(node.running).toBe(true)
  expect(node.log()).not.toMatch(/unhandled|uncaught/i)
}

async function newThread(url: string): Promise<string> {
  const who = await guest(url)
  const { thread } = await ask<{ thread: { id: string } }>(who, 'POST', `${url}/api/threads`, {
    title: 'Faults',
    body: 'Root',
  })
  return thread.id
}
