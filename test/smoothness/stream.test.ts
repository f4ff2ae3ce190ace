import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { createRenderer } from '../../server/threads/render.ts'
import { drawn, visit } from '../helpers/browser.ts'
import { launchChromium } from '../helpers/chromium.ts'
import { longestTasks } from '../helpers/long-tasks.ts'
import { soon } from '../helpers/pages.ts'
import { describeWith } from '../helpers/services.ts'
import { startStreamServer, type StreamServer } from '../helpers/stream-server.ts'
import { longReply, streamTexts } from '../helpers/stream-texts.ts'

/** Characters, about a token. */
const token = 4
/**
 * No task of the page may keep its thread busy for longer, in milliseconds. It is the thread's own time that counts: by the
 * clock, a task also takes what other programs took from it meanwhile.
 */
const longestTaskMs = 50
/** All layout shifts together, as browsers score them. */
const mostShift = 0.02

describeWith('chromium', 'a reply that is being written', () => {
  let browser: Browser
  let server: StreamServer

  beforeAll(async () => {
    server = await startStreamServer()
    browser = await launchChromium()
  })
  afterAll(async () => {
    await browser?.close()
    server?.stop()
  })

  const html = (text: string) =>
    createRenderer({ publicUrl: server.url })(text, { thread: 'k3v9x2q7ab' }).html

  /** Opens the page and puts a post's end at the window's lower end, or its beginning at the upper. */
  async function open(
    post: number,
    block: 'start' | 'end',
  ): Promise<{ page: Page; complaints: readonly string[] }> {
    const visitor = await visit(browser)
    onTestFinished(() => visitor.close())
    await visitor.page.goto(server.url)
    await visitor.page
      .locator(`#p${post}`)
      .evaluate((element, block) => element.scrollIntoView({ block, behavior: 'instant' }), block)
    await drawn(visitor.page)
    await visitor.page.evaluate(() => window.streamPage.open())
    return visitor
  }

  function write(page: Page, text: string, pieceLength: number, watched = '#p3') {
    return page.evaluate(
      ([text, pieceLength, watched]) => window.streamPage.write(text, pieceLength, watched),
      [text, pieceLength, watched] as const,
    )
  }

  test('grows without jank under the eyes of who reads its end', { timeout: 180_000 }, async () => {
    const reply = longReply(2_000)
    const { page, complaints } = await open(3, 'end')
    let bottoms: number[] = []
    const tasks = await longestTasks(browser, page, async () => {
      bottoms = (await write(page, reply, token)).map(({ bottom }) => bottom)
    })
    const before = await page.evaluateHandle(() => window.streamPage.blocks())
    await page.evaluate((final) => window.streamPage.settle(final), html(reply))
    await drawn(page)

    const { measured, height, kept, count, shown } = await page.evaluate(async (before) => {
      const after = window.streamPage.blocks()
      return {
        measured: window.streamPage.measured,
        height: window.innerHeight,
        kept: before.filter((block, index) => after[index] === block).length,
        count: after.length,
        shown: document.querySelector('#p3 .text')!.innerHTML,
      }
    }, before)
    console.log(
      `layout shift ${measured.shift.toFixed(4)} in ${measured.shifts.length}; longest tasks ${tasks.thread.map(Math.round).join(', ')} ms of ` +
        `the thread, ${tasks.clock.map(Math.round).join(', ')} ms by the clock; ${count} blocks, ${measured.watched} watched`,
    )
    expect(complaints).toEqual([])
    expect(await page.evaluate(asWritten, shown)).toBe(await page.evaluate(asWritten, html(reply)))
    expect(measured.watched).toBeGreaterThan(50)
    expect(measured.touched).toEqual([])
    expect(kept).toBe(count)
    expect(measured.shift, measured.shifts.toSorted().reverse().join('\n')).toBeLessThanOrEqual(mostShift)
    expect(tasks.thread[0]).toBeLessThan(longestTaskMs)
    expect(Math.max(...bottoms)).toBeLessThanOrEqual(height)
    expect(Math.min(...bottoms)).toBeGreaterThan(height / 2)
  })

  test.each([
    ['above', 2, 'start'],
    ['below', 4, 'start'],
  ] as const)('leaves who reads the post %s where they are', async (_, post, block) => {
    const { page } = await open(post, block)
    const reply = longReply(1_000)
    const [first, ...tops] = (await write(page, reply, 16, `#p${post}`)).map(({ top }) => top)
    await page.evaluate((final) => window.streamPage.settle(final), html(reply))
    await drawn(page)
    const { top } = await page
      .locator(`#p${post}`)
      .evaluate((element) => element.getBoundingClientRect().toJSON() as DOMRect)
    expect(await page.locator('#p3 .text > *').count()).toBeGreaterThan(20)
    // Browsers scroll by whole pixels, and lines have parts of one.
    expect([...tops, top].filter((one) => Math.abs(one - first!) >= 1)).toEqual([])
  })

  test('lets go of who scrolls up, and takes who comes back', async () => {
    const { page } = await open(3, 'end')
    const reply = longReply(1_000)
    const third = Math.floor(reply.length / 3)
    await write(page, reply.slice(0, third), 16)
    const end = () =>
      page.locator('#p3').evaluate((post) => post.getBoundingClientRect().bottom - window.innerHeight)
    const scrolled = () => page.evaluate(() => window.scrollY)
    expect(await end()).toBeLessThanOrEqual(0)

    const atEnd = await scrolled()
    await page.mouse.move(640, 300)
    await page.mouse.wheel(0, -40)
    await expect.poll(scrolled, soon).toBe(atEnd - 40)
    await write(page, reply.slice(0, 2 * third), 16)
    expect(await scrolled()).toBe(atEnd - 40)
    expect(await end()).toBeGreaterThan(100)

    await page.mouse.wheel(0, Math.ceil(await end()) + 10)
    await expect.poll(end, soon).toBeLessThanOrEqual(0)
    await write(page, reply, 16)
    expect(await end()).toBeLessThanOrEqual(0)
  })

  test('stays where it is for who is writing', async () => {
    const { page } = await open(3, 'end')
    await page
      .locator('#p4')
      .evaluate((post) => post.insertAdjacentHTML('beforebegin', '<textarea></textarea>'))
    await page.locator('textarea').focus()
    await page.evaluate(() => window.scrollBy({ top: 400, behavior: 'instant' }))
    const [first, ...tops] = (await write(page, longReply(500), 16, 'textarea')).map(({ top }) => top)
    expect(tops.filter((top) => Math.abs(top - first!) >= 1)).toEqual([])
  })

  test('loads what it needs when it needs it', async () => {
    const { page } = await open(3, 'end')
    const dialect = /blockquote_open/
    const highlighter = /registerLanguage/
    const temml = /displaystyle/
    const isIn = (files: readonly string[], code: RegExp) =>
      files.some((file) => code.test(server.read(file)))
    const isLoaded = async (code: RegExp) => {
      const addresses = await page.evaluate(() =>
        performance.getEntriesByType('resource').map(({ name }) => name),
      )
      const files = addresses.map((address) => new URL(address).pathname.slice(1))
      return isIn(
        files.filter((file) => file.endsWith('.js')),
        code,
      )
    }
    expect([dialect, highlighter, temml].filter((code) => isIn(server.atOnce, code))).toEqual([])

    const text = '**Text** and `code`.\n\n```ts\nconst one = 1\n'
    await write(page, text, token)
    await expect.poll(() => page.locator('#p3 pre code').textContent(), soon).toContain('const')
    expect(await isLoaded(dialect)).toBe(true)
    expect(await isLoaded(highlighter)).toBe(false)

    await write(page, `${text}\`\`\`\n\nThen $x^2`, token)
    await expect.poll(() => page.locator('#p3 .hljs-keyword').count(), soon).toBe(1)
    expect(await isLoaded(highlighter)).toBe(true)
    expect(await isLoaded(temml)).toBe(false)

    await write(page, `${text}\`\`\`\n\nThen $x^2$ and more `, token)
    await expect.poll(() => page.locator('#p3 math msup').count(), soon).toBe(1)
    expect(await isLoaded(temml)).toBe(true)
  })

  test('shows what has not come to its end as if it had', async () => {
    const { page } = await open(3, 'end')
    const { lists } = streamTexts
    await write(page, lists.slice(0, lists.indexOf('bold')), token)
    await expect.poll(() => page.locator('#p3 ol ul').first().innerText(), soon).toContain('with')
    expect(await page.locator('#p3 .text').innerText()).not.toContain('*')
    const caret = page.locator('#p3 [data-caret]')
    expect(await caret.count()).toBe(1)
    const heights = await caret.evaluate((element) => {
      const height = () => document.querySelector('#p3')!.getBoundingClientRect().height
      const marked = height()
      element.removeAttribute('data-caret')
      return [marked, height()]
    })
    expect(heights[0]).toBe(heights[1])
  })
})

/** HTML as browsers write it, with the attributes of each element in one order. */
function asWritten(html: string): string {
  const template = document.createElement('template')
  template.innerHTML = html
  for (const element of template.content.querySelectorAll('*')) {
    const attributes = [...element.attributes].sort((a, b) => (a.name < b.name ? -1 : 1))
    for (const { name } of attributes) element.removeAttribute(name)
    for (const attribute of attributes) element.setAttributeNode(attribute)
  }
  return template.innerHTML
}
