import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, onTestFailed, test } from 'vitest'
import { drawn, visit, type Visit } from '../helpers/browser.ts'
import { launchChromium } from '../helpers/chromium.ts'
import { guest, startNode, type Guest, type TestNode } from '../helpers/node.ts'
import {
  actionOn,
  expectText,
  openThreadPage,
  postOn,
  reach,
  replyOn,
  signInAsGuest,
  soon,
  waitUntilLive,
} from '../helpers/pages.ts'
import type { TestDatabase } from '../helpers/postgres.ts'
import { addReply, newThread } from '../helpers/postings.ts'
import { directed, problems, startScriptedModel, type ScriptedModel } from '../helpers/scripted-model.ts'
import { createDatabase, describeWith, services } from '../helpers/services.ts'

const bodyOf = (page: Page, number: number) => postOn(page, number).locator('> .main > .body')
const stateOf = (page: Page, number: number) =>
  postOn(page, number).evaluate((post) => post.getAttribute('data-state') ?? 'complete')
const becomes = (page: Page, number: number, state: string) =>
  expect.poll(() => stateOf(page, number), { timeout: 30_000, interval: 20 }).toBe(state)
const writtenOn = async (page: Page, number: number) => (await bodyOf(page, number).innerText()).length

/** Asks from a post's menu, and gives the number of the reply. */
async function askOn(
  page: Page,
  number: number,
  handle: string,
  more: { name?: string; request?: string } = {},
) {
  await reach(page, number)
  await actionOn(page, number, 'ask').click()
  const panel = page.locator('.ask-panel')
  await panel.locator('.persona').first().waitFor()
  if (more.request !== undefined) await panel.getByLabel(/What you want to know/).fill(more.request)
  if (more.name !== undefined) await panel.getByLabel(/Your name/).fill(more.name)
  await panel.locator(`.persona[data-handle="${handle}"]`).click()
  await panel.waitFor({ state: 'detached' })
}

describeWith('chromium', 'a new site without a model', () => {
  let node: TestNode
  let dataDir: string
  let browsers: Browser[]
  beforeAll(async () => {
    dataDir = fs.mkdtempSync(path.join(os.tmpdir(), 'numinex-ai-'))
    node = await startNode({ DATA_DIR: dataDir })
    browsers = [await launchChromium(), await launchChromium()]
  })
  afterAll(async () => {
    await Promise.all((browsers ?? []).map((browser) => browser.close()))
    await node?.kill('SIGTERM')
    fs.rmSync(dataDir, { recursive: true, force: true })
  })

  test('two readers watch the offline persona pick what matters, and see what it read', async () => {
    const [ada, ben] = await Promise.all(browsers.map((browser) => visit(browser)))
    for (const { page } of [ada!, ben!]) await openThreadPage(page, node.url, 'readAuthor')
    await askOn(ada!.page, 1, 'explain', { name: 'Ada', request: 'the main point' })
    const number = 23
    for (const { page } of [ada!, ben!]) {
      await postOn(page, number).waitFor()
      await postOn(page, number).scrollIntoViewIfNeeded()
      await expect.poll(() => writtenOn(page, number), soon).toBeGreaterThan(60)
    }
    expect(await stateOf(ben!.page, number)).toBe('streaming')
    for (const { page } of [ada!, ben!]) {
      await becomes(page, number, 'complete')
      await expectText(page, number, 'I am no language model')
      // What it quotes stands in the thread, and leads there.
      expect(await bodyOf(page, number).locator('a.citation').count()).toBeGreaterThan(2)
      expect(await bodyOf(page, number).locator('.unverified').count()).toBe(0)
      await expect.poll(() => postOn(page, number).innerText(), soon).toContain('asked by Ada')
    }
    await actionOn(ben!.page, number, 'run-report').click()
    const report = postOn(ben!.page, number).locator('.run-report')
    await expect.poll(() => report.innerText(), soon).toContain('No language model')
    expect(await report.innerText()).toContain('the post that it was asked about')
    expect([...ada!.complaints, ...ben!.complaints, ...ada!.foreign, ...ben!.foreign]).toEqual([])
    await Promise.all([ada!.close(), ben!.close()])
  })
})

describeWith(['postgres', 'redis', 'chromium'], 'AI replies in two browsers on two nodes', () => {
  let database: TestDatabase
  let model: ScriptedModel
  let nodes: TestNode[]
  let browsers: Browser[]
  let host: Guest
  const open: Visit[] = []

  beforeAll(async () => {
    database = await createDatabase()
    model = await startScriptedModel()
    const env = {
      DATABASE_URL: database.url,
      REDIS_URL: services().redisUrl!,
      RATE_LIMITS: 'off',
      AI_BASE_URL: model.url,
      AI_MODEL: 'scripted',
    }
    const first = await startNode(env)
    nodes = [first, await startNode(env)]
    browsers = [await launchChromium(), await launchChromium()]
    host = await guest(first.url, 'Hedda Host')
  })
  afterAll(async () => {
    await Promise.all((browsers ?? []).map((browser) => browser.close()))
    await Promise.all((nodes ?? []).map((node) => node.kill('SIGKILL')))
    await model?.stop()
    await database?.drop()
  })
  afterEach(async () => {
    await Promise.all(open.splice(0).map((each) => each.close()))
  })

  async function enter(which: 0 | 1, thread: string): Promise<Visit> {
    const visitor = await visit(browsers[which]!)
    open.push(visitor)
    onTestFailed(() => console.log(`browser ${which}:`, visitor.complaints))
    await openThreadPage(visitor.page, nodes[which]!.url, thread)
    return visitor
  }

  /** Ada, signed in on one node, and Ben, who only reads, on the other. */
  async function both(): Promise<{ thread: string; ada: Visit; ben: Visit }> {
    const thread = await newThread(nodes[0]!.url, host, {
      body: 'What does the author mean by the chair of the reader?',
    })
    const ada = await enter(0, thread)
    await signInAsGuest(ada.page, 'Ada')
    await waitUntilLive(ada.page)
    return { thread, ada, ben: await enter(1, thread) }
  }

  test('a mention asks; everyone watches, who comes in the midst too; screen readers hear of it twice', async () => {
    model.script((request) => ({ ...directed(request), tokensPerSecond: 60, firstTokenMs: 300 }))
    const { thread, ada, ben } = await both()
    for (const { page } of [ada, ben]) {
      await page.evaluate(() => {
        const heard: string[] = ((window as never as { heard: string[] }).heard = [])
        const status = document.getElementById('replies')!
        new MutationObserver(() => heard.push(status.textContent)).observe(status, {
          childList: true,
          characterData: true,
          subtree: true,
        })
      })
    }
    await replyOn(ada.page, 1, '@explain what is the chair?')
    for (const { page } of [ada, ben]) {
      await postOn(page, 3).waitFor()
      expect(await postOn(page, 3).getAttribute('aria-busy')).toBe('true')
      expect(await postOn(page, 3).locator('[aria-live]').count()).toBe(0)
      await postOn(page, 3).scrollIntoViewIfNeeded()
      await expect.poll(() => writtenOn(page, 3), soon).toBeGreaterThan(150)
    }
    const late = await enter(1, thread)
    await postOn(late.page, 3).scrollIntoViewIfNeeded()
    await expect.poll(() => writtenOn(late.page, 3), soon).toBeGreaterThan(150)
    expect(await stateOf(late.page, 3)).toBe('streaming')
    for (const { page } of [ada, ben, late]) {
      await becomes(page, 3, 'complete')
      await bodyOf(page, 3).locator('table').waitFor()
      await bodyOf(page, 3).locator('math').first().waitFor()
      expect(await postOn(page, 3).getAttribute('aria-busy')).toBeNull()
    }
    const shown = await Promise.all([ada, ben, late].map(({ page }) => bodyOf(page, 3).innerText()))
    expect(new Set(shown).size).toBe(1)
    for (const { page } of [ada, ben]) {
      const heard = await page.evaluate(() => (window as never as { heard: string[] }).heard)
      expect(heard).toEqual(['Explain is replying', 'Explain has replied'])
    }
    // Whoever loads the page now gets it from the server, without a script too.
    const html = await (await fetch(`${nodes[1]!.url}/t/${thread}`)).text()
    expect(html).toContain('How such questions compare')
    expect([...ada.complaints, ...ben.complaints, ...late.complaints]).toEqual([])
  })

  test('the asker stops it; anyone can ask again, which makes another reply', async () => {
    model.script((request) => ({ ...directed(request), tokensPerSecond: 40, firstTokenMs: 0 }))
    const { ada, ben } = await both()
    await askOn(ada.page, 1, 'challenge')
    for (const { page } of [ada, ben]) {
      await postOn(page, 2).scrollIntoViewIfNeeded()
      await expect.poll(() => writtenOn(page, 2), soon).toBeGreaterThan(80)
    }
    expect(await actionOn(ben.page, 2, 'stop').count()).toBe(0)
    await actionOn(ada.page, 2, 'stop').click()
    for (const { page } of [ada, ben]) {
      await becomes(page, 2, 'stopped')
      expect(await writtenOn(page, 2)).toBeGreaterThan(80)
    }
    model.script({ text: 'A short answer.' })
    await actionOn(ada.page, 2, 'retry-ask').click()
    for (const { page } of [ada, ben]) await expectText(page, 3, 'A short answer.')
    expect(await stateOf(ben.page, 2)).toBe('stopped')
    expect([...ada.complaints, ...ben.complaints]).toEqual([])
  })

  test('a failure says what helps', async () => {
    model.script({ answer: problems[401]! })
    const { ada, ben } = await both()
    await askOn(ada.page, 1, 'check')
    for (const { page } of [ada, ben]) {
      await becomes(page, 2, 'failed')
      await expect.poll(() => postOn(page, 2).innerText(), soon).toMatch(/refused the key/)
    }
  })

  test('nobody is moved by it who reads elsewhere, and the final text takes over without a jump', async () => {
    model.script((request) => ({ ...directed(request), tokensPerSecond: 120, firstTokenMs: 300 }))
    const { thread, ada, ben } = await both()
    for (let i = 0; i < 30; i++) {
      await addReply(nodes[0]!.url, host, thread, {
        body: `Reply ${i}. ${'Some words to read. '.repeat(20)}`,
      })
    }
    await expect.poll(() => postOn(ben.page, 31).count(), soon).toBe(1)
    // Ada asks about an early post and follows; Ben reads further down, below the reply that grows.
    await ben.page.evaluate(() => document.getElementById('p20')!.scrollIntoView({ block: 'start' }))
    await askOn(ada.page, 3, 'explain')
    await postOn(ada.page, 32).waitFor()
    // Whoever reads along has its end in the lower part of the window.
    await postOn(ada.page, 32).evaluate((post) => post.scrollIntoView({ block: 'end' }))
    await drawn(ada.page)
    for (const { page } of [ada, ben]) {
      await page.evaluate(() => {
        const kept = ((window as never as { shifts: number[] }).shifts = [])
        new PerformanceObserver((list) => {
          for (const entry of list.getEntries() as (PerformanceEntry & {
            value: number
            hadRecentInput: boolean
          })[])
            if (!entry.hadRecentInput) (kept as number[]).push(entry.value)
        }).observe({ type: 'layout-shift' })
      })
    }
    const place = () => ben.page.evaluate(() => document.getElementById('p20')!.getBoundingClientRect().top)
    await drawn(ben.page)
    const before = await place()
    await expect.poll(() => writtenOn(ada.page, 32), soon).toBeGreaterThan(500)
    await becomes(ada.page, 32, 'complete')
    await becomes(ben.page, 32, 'complete')
    await drawn(ben.page)
    expect(Math.abs((await place()) - before)).toBeLessThan(1)
    const shifts = await Promise.all(
      [ada, ben].map(({ page }) =>
        page.evaluate(() =>
          (window as never as { shifts: number[] }).shifts.reduce((sum, each) => sum + each, 0),
        ),
      ),
    )
    console.log(
      `layout shift: ${shifts.map((each) => each.toFixed(4)).join(' for who follows, ')} for who reads below`,
    )
    for (const shift of shifts) expect(shift).toBeLessThan(0.02)
  })
})
