import { createClient } from 'redis'
import { afterAll, afterEach, beforeAll, beforeEach, expect, onTestFailed, test, vi } from 'vitest'
import type { Post } from '../../shared/post.ts'
import { openLoadViewer, proseTokens, type LoadViewer } from '../helpers/ai-load.ts'
import { ask, guest, startNode, type Guest, type TestNode } from '../helpers/node.ts'
import { startPostgres } from '../helpers/postgres.ts'
import { newThread, readBody } from '../helpers/postings.ts'
import { createRandom } from '../helpers/random.ts'
import { startRedis } from '../helpers/redis.ts'
import { startScriptedModel, type ScriptedModel } from '../helpers/scripted-model.ts'
import type { TestServer } from '../helpers/server-process.ts'
import { describeWith } from '../helpers/services.ts'

/** How soon after its writer is gone a reply must say so, or be taken over. */
const noticedMs = 15_000
const poll = { interval: 20, timeout: noticedMs }

describeWith(['postgres', 'redis'], 'faults of nodes that write AI replies', () => {
  let postgres: TestServer
  let redis: TestServer
  let model: ScriptedModel
  let nodes: TestNode[]
  let host: Guest
  let thread: string
  let viewers: LoadViewer[]
  let leaving: TestNode | undefined
  const env = () => ({
    DATABASE_URL: postgres.url,
    REDIS_URL: redis.url,
    RATE_LIMITS: 'off',
    AI_BASE_URL: model.url,
    AI_MODEL: 'scripted',
  })

  beforeAll(async () => {
    ;[postgres, redis] = await Promise.all([startPostgres({ fsync: true }), startRedis()])
    model = await startScriptedModel()
    nodes = [await startNode(env()), await startNode(env())]
    host = await guest(nodes[0]!.url, 'Hedda Host')
  })
  afterAll(async () => {
    await Promise.all((nodes ?? []).map((node) => node.kill('SIGKILL')))
    await model?.stop()
    await Promise.all([postgres?.stop(), redis?.stop()])
  })

  beforeEach(async () => {
    onTestFailed(() => nodes.forEach((node, i) => console.log(`node ${i}:\n${node.log().slice(-3_000)}`)))
    const random = createRandom(5)
    // Long enough to still be written whenever the fault comes.
    model.script(() => ({ text: proseTokens(4_000, random), tokensPerSecond: 60 }))
    thread = await newThread(nodes[1]!.url, host)
    viewers = []
    leaving = undefined
    for (const node of nodes) {
      // As a proxy would, past a node that is stopping.
      const choose = () => (node.running && node !== leaving ? node.url : nodes[1]!.url)
      for (let i = 0; i < 3; i++) viewers.push(await openLoadViewer(choose, thread))
    }
  })
  afterEach(async () => {
    for (const viewer of viewers) viewer.close()
    nodes = await Promise.all(nodes.map(async (node) => (node.running ? node : await startNode(env()))))
  })

  async function askOn(node: TestNode): Promise<Post> {
    const address = `${node.url}/api/threads/${thread}/posts/1/ask`
    return (await ask<{ post: Post }>(host, 'POST', address, { persona: 'explain' })).post
  }
  const stopOn = (node: TestNode, { number, run }: Post) =>
    ask(host, 'POST', `${node.url}/api/threads/${thread}/posts/${number}/stop`, { run })
  const seenBy = ({ state }: LoadViewer, { number }: Post) => state.posts[number - 1]
  const textSeen = ({ texts }: LoadViewer, { run }: Post) => texts.get(run!) ?? ''
  const latest = () => model.requests().at(-1)!

  /** Everyone has seen some of it. */
  async function underWay(post: Post): Promise<void> {
    await vi.waitFor(() => {
      for (const viewer of viewers) expect(textSeen(viewer, post).length).toBeGreaterThan(100)
    }, poll)
  }

  async function everyoneSees(post: Post, state: Post['state']): Promise<number> {
    const since = performance.now()
    await vi.waitFor(() => {
      expect(viewers.map((viewer) => seenBy(viewer, post)?.state)).toEqual(viewers.map(() => state))
    }, poll)
    return Math.round(performance.now() - since)
  }

  /** What everyone has seen of it is the beginning of what is kept. */
  async function expectKept(post: Post): Promise<void> {
    const body = await readBody(nodes[1]!.url, thread, post.number)
    expect(body.length).toBeGreaterThan(100)
    for (const viewer of viewers) {
      expect(viewer.faults).toEqual([])
      expect(body.startsWith(textSeen(viewer, post).trimEnd())).toBe(true)
      expect(seenBy(viewer, post)?.html).toBe(seenBy(viewers[0]!, post)?.html)
    }
  }

  test('its writer is killed: interrupted with its text on every screen, and it can be asked again', async () => {
    const post = await askOn(nodes[0]!)
    await underWay(post)
    await nodes[0]!.kill('SIGKILL')
    console.log(`interrupted on every screen after ${await everyoneSees(post, 'interrupted')} ms`)
    await expectKept(post)
    model.script({ text: 'Here it is again.' })
    const again = await askOn(nodes[1]!)
    await everyoneSees(again, 'complete')
    expect(again.number).toBe(post.number + 1)
  })

  test('its writer is killed before the first word: another takes it over', async () => {
    model.script({ text: 'Late, but here.', firstTokenMs: 60_000 })
    const asked = model.requests().length
    const post = await askOn(nodes[0]!)
    await vi.waitFor(() => expect(model.requests()).toHaveLength(asked + 1), poll)
    model.script({ text: 'Late, but here.' })
    await nodes[0]!.kill('SIGKILL')
    console.log(`taken over and written after ${await everyoneSees(post, 'complete')} ms`)
    expect(model.requests()).toHaveLength(asked + 2)
    expect(await readBody(nodes[1]!.url, thread, post.number)).toBe('Late, but here.')
  })

  test(
    'its writer stands still and wakes up late: it says nothing and writes nothing',
    { timeout: 120_000 },
    async () => {
      const observer = createClient({ url: redis.url })
      await observer.connect()
      const heard: string[] = []
      await observer.pSubscribe('*', (message) => void heard.push(message))
      try {
        const post = await askOn(nodes[0]!)
        await underWay(post)
        const since = performance.now()
        await nodes[0]!.kill('SIGSTOP')
        const others = viewers.slice(3)
        await vi.waitFor(
          () => {
            for (const viewer of others) expect(seenBy(viewer, post)?.state).toBe('interrupted')
          },
          { ...poll, timeout: noticedMs },
        )
        // Longer than any lease, where that is asked for.
        const atLeast = Number(process.env['STAND_STILL_MS'] ?? 0)
        await vi.waitFor(() => expect(performance.now() - since).toBeGreaterThanOrEqual(atLeast), {
          interval: 100,
          timeout: atLeast + 1_000,
        })
        const request = latest()
        const before = await readBody(nodes[1]!.url, thread, post.number)
        heard.length = 0
        await nodes[0]!.kill('SIGCONT')
        // It has read on what the model wrote meanwhile, and let go of it.
        await vi.waitFor(() => expect(request.closedAt).toBeDefined(), poll)
        await everyoneSees(post, 'interrupted')
        await expectKept(post)
        expect(await readBody(nodes[1]!.url, thread, post.number)).toBe(before)
        expect(heard.filter((message) => message.includes(post.run!))).toEqual([])
      } finally {
        observer.destroy()
      }
    },
  )

  test('it is stopped on the other node: the connection to the model is closed at once, the text is kept', async () => {
    const post = await askOn(nodes[0]!)
    await underWay(post)
    const request = latest()
    const pressed = performance.now()
    await stopOn(nodes[1]!, post)
    await vi.waitFor(() => expect(request.closedAt).toBeDefined(), { ...poll, interval: 2 })
    console.log(
      `the model's connection was closed ${Math.round(request.closedAt! - pressed)} ms after the button`,
    )
    await everyoneSees(post, 'stopped')
    await expectKept(post)
  })

  test('Redis restarts meanwhile: everyone ends with the whole text', async () => {
    const random = createRandom(7)
    model.script(() => ({ text: proseTokens(400, random), tokensPerSecond: 60 }))
    const post = await askOn(nodes[0]!)
    await underWay(post)
    await redis.restart()
    await everyoneSees(post, 'complete')
    await expectKept(post)
  })

  test('Postgres restarts meanwhile: the end is written when it is back', async () => {
    const random = createRandom(7)
    model.script(() => ({ text: proseTokens(200, random), tokensPerSecond: 60 }))
    const post = await askOn(nodes[0]!)
    await underWay(post)
    await postgres.restart()
    await everyoneSees(post, 'complete')
    await expectKept(post)
  })

  test('its writer is told to stop: what is soon done is finished, what has no word yet is handed over', async () => {
    const random = createRandom(7)
    model.script(() => ({ text: proseTokens(300, random), tokensPerSecond: 60 }))
    const short = await askOn(nodes[0]!)
    await underWay(short)
    const asked = model.requests().length
    model.script({ text: 'By the other one.', firstTokenMs: 60_000 })
    const silent = await askOn(nodes[0]!)
    await vi.waitFor(() => expect(model.requests()).toHaveLength(asked + 1), poll)
    model.script({ text: 'By the other one.' })
    leaving = nodes[0]!
    const gone = leaving.kill('SIGTERM')
    await everyoneSees(short, 'complete')
    expect(await gone).toBe(0)
    await everyoneSees(silent, 'complete')
    expect(await readBody(nodes[1]!.url, thread, silent.number)).toBe('By the other one.')
  })
})
