/**
 * How long it takes from a click on "Reply" in one browser until the post stands on the screen of another: two nodes over
 * one Postgres and one Redis, one browser on each, all on this machine.
 *
 *     npm run build && npx tsx test/bench/click-to-screen.ts [samples]
 *
 * Needs Postgres, Redis and Chromium. The clock starts with the click's own time stamp in the first browser. It stops in
 * the second twice: when the post is in the page, and after the frame that shows it was drawn; a frame begins every 16.7 ms, so
 * half of one lies between the two on average. Both browsers count from the same machine's clock.
 */
import os from 'node:os'
import type { Page } from 'playwright-core'
import { visit } from '../helpers/browser.ts'
import { launchChromium } from '../helpers/chromium.ts'
import { guest, startNode } from '../helpers/node.ts'
import { createDatabaseOn, startPostgres } from '../helpers/postgres.ts'
import { addReply, newThread } from '../helpers/postings.ts'
import { findPrograms } from '../helpers/programs.ts'
import { startRedis } from '../helpers/redis.ts'

const samples = Number(process.argv[2] ?? 100)
const warmUp = 10

/** Milliseconds since 1970 at which a post with this text was in the page, and drawn. */
interface Arrival {
  text: string
  inPage: number
  drawn: number
}

/** What the pages of this measurement keep. */
interface Notes {
  clickedAt: number
  arrivals: Arrival[]
}

async function main(executablePath: string): Promise<void> {
  const [postgres, redis] = await Promise.all([startPostgres({ fsync: true }), startRedis()])
  const database = await createDatabaseOn(postgres.url)
  const env = { DATABASE_URL: database.url, REDIS_URL: redis.url, RATE_LIMITS: 'off' }
  // One after the other: the first makes the tables.
  const first = await startNode(env)
  const second = await startNode(env)
  const browsers = [await launchChromium({ executablePath }), await launchChromium({ executablePath })]
  try {
    const host = await guest(first.url, 'Host')
    const thread = await newThread(first.url, host, { title: 'From click to screen' })
    for (let i = 0; i < 20; i++) await addReply(first.url, host, thread, { body: `Earlier reply ${i}` })
    const [writer, reader] = await Promise.all(browsers.map(async (browser) => (await visit(browser)).page))
    await open(writer!, `${first.url}/t/${thread}`)
    await open(reader!, `${second.url}/t/${thread}`)
    await watchClicks(writer!)
    await watchPosts(reader!)
    const arrivals: { inPage: number; drawn: number }[] = []
    for (let i = 0; i < warmUp + samples; i++) {
      const arrival = await measure(writer!, reader!, `Sample ${i}.`)
      if (i >= warmUp) arrivals.push(arrival)
    }
    report(
      'in the page',
      arrivals.map(({ inPage }) => inPage),
    )
    report(
      'on the screen',
      arrivals.map(({ drawn }) => drawn),
    )
    const [minute] = os.loadavg()
    console.log(`${samples} samples, ${os.cpus().length} cores, load average ${minute!.toFixed(1)}`)
  } finally {
    await Promise.all(browsers.map((browser) => browser.close()))
    await Promise.all([first.kill('SIGTERM'), second.kill('SIGTERM')])
    await Promise.all([postgres.stop(), redis.stop()])
  }
}

async function open(page: Page, address: string): Promise<void> {
  await page.goto(address)
  await page.locator('.bar-live').waitFor()
}

async function watchClicks(page: Page): Promise<void> {
  await page.evaluate(() => {
    const notes = window as unknown as Notes
    addEventListener('click', (event) => (notes.clickedAt = performance.timeOrigin + event.timeStamp), true)
  })
}

async function watchPosts(page: Page): Promise<void> {
  await page.evaluate(() => {
    const notes = window as unknown as Notes
    notes.arrivals = []
    new MutationObserver((changes) => {
      const inPage = performance.timeOrigin + performance.now()
      for (const { addedNodes } of changes)
        for (const node of addedNodes) {
          if (!(node instanceof HTMLElement) || !node.matches('.post[id]')) continue
          const text = node.querySelector('.text')?.textContent.trim() ?? ''
          requestAnimationFrame(() => {
            const { top, bottom } = node.getBoundingClientRect()
            if (top > innerHeight || bottom < 0) return
            // What is posted now is heard once the frame is handed over.
            const { port1, port2 } = new MessageChannel()
            port1.onmessage = () =>
              notes.arrivals.push({ text, inPage, drawn: performance.timeOrigin + performance.now() })
            port2.postMessage(null)
          })
        }
    }).observe(document.getElementById('posts')!, { childList: true })
  })
}

/** Milliseconds from the click. */
async function measure(writer: Page, reader: Page, text: string): Promise<{ inPage: number; drawn: number }> {
  // The reader has read everything, and is at the end.
  await reader.evaluate(() =>
    window.scrollTo({ top: document.documentElement.scrollHeight, behavior: 'instant' }),
  )
  await writer.locator('#reply-root').click()
  await writer.locator('form.composer textarea').fill(text)
  const name = writer.locator('.composer-name input')
  if (await name.isVisible()) await name.fill('Writer')
  await writer.locator('form.composer button[type=submit]').click()
  const handle = await reader.waitForFunction(
    (wanted) => (window as unknown as Notes).arrivals.find((arrival) => arrival.text === wanted),
    text,
  )
  const { inPage, drawn } = (await handle.jsonValue()) as Arrival
  const clickedAt = await writer.evaluate(() => (window as unknown as Notes).clickedAt)
  return { inPage: inPage - clickedAt, drawn: drawn - clickedAt }
}

function report(what: string, times: number[]): void {
  const sorted = times.toSorted((a, b) => a - b)
  const at = (part: number) =>
    `${sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))]!.toFixed(1)} ms`
  console.log(
    `${what.padEnd(14)} median ${at(0.5).padStart(9)}   p95 ${at(0.95).padStart(9)}   least ${at(0).padStart(9)}   most ${at(1).padStart(9)}`,
  )
}

const { chromium } = findPrograms()
if (chromium === undefined) throw new Error('Chromium is not installed')
await main(chromium)
