import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { fromSnapshot, treeRows } from '../../shared/thread-state.ts'
import { bigThread, importFile } from '../helpers/big-thread.ts'
import { visit } from '../helpers/browser.ts'
import { launchChromium } from '../helpers/chromium.ts'
import { guest, startNode, type Guest, type TestNode } from '../helpers/node.ts'
import { shownOrder, soon, waitUntilLive } from '../helpers/pages.ts'
import type { TestDatabase } from '../helpers/postgres.ts'
import { addReply, editPost, readThread } from '../helpers/postings.ts'
import { createRandom } from '../helpers/random.ts'
import { createDatabase, describeWith } from '../helpers/services.ts'

const depth = 60
const livePosts = 50
/**
 * No task of a page may keep its thread busy for longer once it is loaded, in milliseconds. It is the thread's own time that
 * counts: by the clock, a task also takes what other programs took from it meanwhile. On a quiet machine the two are the same.
 */
const longestTaskMs = 200

describeWith(['postgres', 'chromium'], 'a very long thread', () => {
  let database: TestDatabase
  let node: TestNode
  let browser: Browser
  let host: Guest
  let directory: string

  beforeAll(async () => {
    directory = fs.mkdtempSync(path.join(os.tmpdir(), 'numinex-big-'))
    database = await createDatabase()
    node = await startNode({ DATABASE_URL: database.url, RATE_LIMITS: 'off' })
    browser = await launchChromium()
    host = await guest(node.url, 'Hedda Host')
  })
  afterAll(async () => {
    await browser?.close()
    await node?.kill('SIGKILL')
    await database?.drop()
    fs.rmSync(directory, { recursive: true, force: true })
  })

  async function imported(count: number): Promise<string> {
    const file = path.join(directory, `${count}.jsonl`)
    fs.writeFileSync(file, [...bigThread(count, depth)].join(''))
    return importFile(file, { DATABASE_URL: database.url })
  }

  async function open(thread: string): Promise<{ page: Page; complaints: readonly string[] }> {
    const visitor = await visit(browser)
    onTestFinished(() => visitor.close())
    visitor.page.setDefaultTimeout(60_000)
    const began = performance.now()
    await visitor.page.goto(`${node.url}/t/${thread}`, { timeout: 60_000 })
    await waitUntilLive(visitor.page)
    console.log(`open and live after ${Math.round(performance.now() - began)} ms`)
    return visitor
  }

  /** The longest task of the page's thread while `work` goes on, in milliseconds of that thread. */
  async function longestTask(page: Page, work: () => Promise<void>): Promise<number> {
    await browser.startTracing(page, { categories: ['toplevel', '-*'] })
    await work().catch(async (error: unknown) => {
      await browser.stopTracing()
      throw error
    })
    const { traceEvents } = JSON.parse((await browser.stopTracing()).toString()) as {
      traceEvents: TraceEvent[]
    }
    const threads = traceEvents.filter(({ args }) => args?.name === 'CrRendererMain').map(threadOf)
    const tasks = traceEvents.filter((event) => event.tdur !== undefined && threads.includes(threadOf(event)))
    const longest = (time: (task: TraceEvent) => number) =>
      tasks
        .map((task) => Math.round(time(task) / 1_000))
        .toSorted((x, y) => y - x)
        .slice(0, 5)
    const own = longest((task) => task.tdur ?? 0)
    console.log(
      `longest tasks: ${own.join(', ')} ms of the thread, ${longest((task) => task.dur ?? 0).join(', ')} ms by the clock`,
    )
    return own[0]!
  }

  /** Scrolls from the top to the end, now in leaps, now in small steps, while posts arrive and change all over the thread. */
  async function scrollWhilePostsArrive(page: Page, thread: string): Promise<void> {
    const random = createRandom(1)
    const { posts } = await readThread(node.url, thread)
    const scrolling = page.evaluate(async () => {
      const { documentElement: root } = document
      for (let step = 0; step <= 150; step++) {
        window.scrollTo({ top: ((root.scrollHeight - innerHeight) * step) / 150, behavior: 'instant' })
        for (let small = 0; small < 2; small++) {
          await new Promise((resolve) => requestAnimationFrame(resolve))
          window.scrollBy({ top: 90, behavior: 'instant' })
        }
      }
      // Heights are guesses until posts come near, so the end moves while one gets there.
      while (innerHeight + scrollY < root.scrollHeight - 1) {
        window.scrollTo({ top: root.scrollHeight, behavior: 'instant' })
        await new Promise((resolve) => requestAnimationFrame(resolve))
      }
    })
    const own: number[] = []
    for (let i = 0; i < livePosts; i++) {
      if (own.length > 0 && i % 5 === 4)
        await editPost(node.url, host, thread, random.pick(own), `Edited. ${'More of it. '.repeat(40)}`)
      const parent = 1 + random.int(posts.length)
      own.push(
        (
          await addReply(node.url, host, thread, {
            parent,
            body: `Live **${i}**. ${'So it goes. '.repeat(random.int(60))}`,
          })
        ).number,
      )
    }
    await scrolling
    await page.locator(`#p${own.at(-1)}`).waitFor({ state: 'attached' })
  }

  async function expectRightOrder(page: Page, thread: string): Promise<void> {
    const rows = treeRows(fromSnapshot(await readThread(node.url, thread)).posts)
    const inOrder = rows.map(({ post }) => post.number)
    await expect.poll(async () => (await shownOrder(page)).join(), soon).toBe(inOrder.join())
    expect(Math.max(...rows.map((row) => row.depth))).toBeGreaterThanOrEqual(depth)
  }

  test('5,000 posts open, scroll and take live posts without jank', { timeout: 240_000 }, async () => {
    const thread = await imported(5_000)
    const { page, complaints } = await open(thread)
    const longestMs = await longestTask(page, () => scrollWhilePostsArrive(page, thread))
    await expectRightOrder(page, thread)
    expect(longestMs).toBeLessThan(longestTaskMs)
    expect(complaints).toEqual([])
    await expectOthersServed(`${node.url}/t/${thread}`)
  })

  test('10,000 posts open, scroll and take live posts', { timeout: 240_000 }, async () => {
    const thread = await imported(10_000)
    const { page, complaints } = await open(thread)
    await longestTask(page, () => scrollWhilePostsArrive(page, thread))
    await expectRightOrder(page, thread)
    expect(complaints).toEqual([])
    await expectOthersServed(`${node.url}/t/${thread}`)
  })

  test('a page that stops for long would be noticed', async () => {
    const { page, close } = await visit(browser)
    onTestFinished(close)
    await page.goto(`${node.url}/`)
    const busy = () =>
      page.evaluate(() => {
        // A second by the clock, so that it is enough even where other programs take most of it.
        for (const until = performance.now() + 1_000; performance.now() < until;);
      })
    expect(await longestTask(page, busy)).toBeGreaterThan(longestTaskMs)
  })

  /** A long page is made piece by piece: it begins soon, and others are answered meanwhile. */
  async function expectOthersServed(address: string): Promise<void> {
    const began = performance.now()
    const answer = await fetch(address)
    const reader = answer.body!.getReader()
    await reader.read()
    const firstByteMs = performance.now() - began
    let bytes = 0
    let done = false
    const reading = (async () => {
      for (let piece = await reader.read(); !piece.done; piece = await reader.read())
        bytes += piece.value.length
      done = true
    })()
    let slowestMs = 0
    let asked = 0
    do {
      const sent = performance.now()
      await (await fetch(`${node.url}/healthz`)).text()
      slowestMs = Math.max(slowestMs, performance.now() - sent)
      asked++
    } while (!done)
    await reading
    console.log(
      `first byte after ${Math.round(firstByteMs)} ms, whole page after ${Math.round(performance.now() - began)} ms, ` +
        `${(bytes / 1e6).toFixed(1)} MB; ${asked} other requests meanwhile, the slowest ${Math.round(slowestMs)} ms`,
    )
    // Loosely: tests have no machine of their own. It catches a page that is made in one go.
    expect(slowestMs).toBeLessThan(1_000)
  }
})

/** Times are in microseconds. */
interface TraceEvent {
  pid: number
  tid: number
  dur?: number
  /** The part of `dur` in which the thread ran. */
  tdur?: number
  args?: { name?: string }
}

function threadOf({ pid, tid }: TraceEvent): string {
  return `${pid}/${tid}`
}
