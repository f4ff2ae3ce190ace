import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { barriers } from '../helpers/barriers.ts'
import { drawn, visit, type Visit } from '../helpers/browser.ts'
import { launchChromium } from '../helpers/chromium.ts'
import { startNode, type TestNode } from '../helpers/node.ts'
import { demoThread, looks, scenes, type Look, type Scene } from '../helpers/pages-looks.ts'
import {
  actionOn,
  composer,
  openThreadPage,
  postOn,
  reach,
  replyOn,
  signInAsGuest,
} from '../helpers/pages.ts'
import { describeWith } from '../helpers/services.ts'

const [front, thread, , composing, signIn, asking, answered] = scenes

/** Pages that have no picture in the documentation. */
const more: readonly Scene[] = [
  { name: 'new thread', open: async (page, url) => void (await page.goto(`${url}/new`)) },
  { name: 'an error', open: async (page, url) => void (await page.goto(`${url}/t/nothereatall`)) },
  {
    name: 'a preview',
    async open(page, url) {
      await openThreadPage(page, url, demoThread)
      await signInAsGuest(page, 'Mira')
      await reach(page, 20)
      await actionOn(page, 20, 'reply').click()
      await composer(page).text.fill(
        '# A\n\n> b\n\n- [ ] c\n\n| d | e |\n|---|---|\n| 1 | 2 |\n\n`f` $x^2$\n\n```js\nlet g = 1\n```',
      )
      await composer(page).preview.click()
      await page.locator('.composer-preview table').waitFor()
    },
  },
  {
    name: 'what is opened beneath a post, and what went wrong',
    async open(page, url) {
      await openThreadPage(page, url, demoThread)
      await signInAsGuest(page, 'Mira')
      await page.route('**/posts', (route) => route.fulfill({ status: 500, body: '{}' }))
      await replyOn(page, 10, 'This one fails')
      await page.locator('.pending .problem').waitFor()
      await page.unroute('**/posts')
      await actionOn(page, 10, 'pick').click()
      // Some of it lies behind More on a phone; what comes of it is the same.
      const press = (number: number, name: string) =>
        actionOn(page, number, name).evaluate((button: HTMLElement) => button.click())
      const body = crypto.randomUUID()
      await replyOn(page, 18, body)
      const mine = page.locator('.post[id]', { hasText: body })
      await mine.waitFor()
      const number = Number((await mine.getAttribute('id'))!.slice(1))
      await reach(page, number)
      await press(number, 'delete')
      await mine.locator('.confirm').waitFor()
      await reach(page, 19)
      await press(19, 'fold')
    },
  },
]

describeWith('chromium', 'the site, as it looks', () => {
  let dataDir: string
  let node: TestNode
  let browser: Browser

  beforeAll(async () => {
    dataDir = fs.mkdtempSync(path.join(os.tmpdir(), 'numinex-looks-'))
    node = await startNode({ DATA_DIR: dataDir, RATE_LIMITS: 'off' })
    browser = await launchChromium()
  })
  afterAll(async () => {
    await browser?.close()
    await node?.kill('SIGKILL')
    fs.rmSync(dataDir, { recursive: true, force: true })
  })

  async function show(look: Look, scene: Scene): Promise<Visit> {
    const visitor = await visit(browser, look.options)
    onTestFinished(() => visitor.close())
    await scene.open(visitor.page, node.url)
    await layOutAll(visitor.page)
    return visitor
  }

  describe.each(looks)('$name', (look) => {
    test.each([front, thread, composing, signIn, asking, answered, ...more])(
      '$name has no barrier that axe finds, and fits',
      async (scene) => {
        const { page, complaints, foreign } = await show(look, scene)
        expect(await barriers(page)).toEqual([])
        const [content, view] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth])
        expect(content).toBeLessThanOrEqual(view!)
        // The browser itself reports a page that was not found and an answer that failed.
        expect(complaints.filter((line) => !line.startsWith('Failed to load resource'))).toEqual([])
        expect(foreign).toEqual([])
      },
    )
  })

  test('nothing is cut off where a page is 320 pixels wide', async () => {
    const narrow = { name: '320', options: { viewport: { width: 320, height: 640 } } }
    for (const scene of [front, thread, composing, signIn, asking, answered]) {
      const { page, close } = await show(narrow, scene)
      expect.soft(await page.evaluate(() => document.documentElement.scrollWidth), scene.name).toBe(320)
      await close()
    }
  })

  test('the reader can choose light or dark, and the choice lasts', async () => {
    const [light] = looks
    const { page } = await show(light!, composing)
    const paper = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor)
    const before = await paper()
    await page.locator('#theme').click()
    const after = await paper()
    expect(after).not.toBe(before)
    await page.reload()
    expect(await paper()).toBe(after)
  })

  test('axe would notice', async () => {
    const { page } = await show(looks[0]!, thread)
    await postOn(page, 2).evaluate((post) => {
      post.querySelector<HTMLElement>('.text p')!.style.color = '#cccccc'
      post.querySelector('[data-action=reply]')!.replaceChildren()
    })
    const found = await barriers(page)
    expect(found.map((line) => line.split(':')[0])).toEqual(['button-name', 'color-contrast'])
    expect(found[1]).toContain('<p style=')
  })
})

/** Brings everything to life and lays it out: a page leaves for later what is out of view. */
async function layOutAll(page: Page): Promise<void> {
  for (const post of await page.locator('.post[id]:not([data-state=deleted], [hidden])').all()) {
    await post.evaluate((element) => element.scrollIntoView({ block: 'center' }))
    await post.locator('> .foot button').first().waitFor()
  }
  await page.evaluate(() => {
    const sheet = new CSSStyleSheet()
    // The lines at the left of a post are a gradient, and axe gives no verdict on text on one.
    sheet.replaceSync('.post { content-visibility: visible !important; background-image: none !important }')
    document.adoptedStyleSheets = [sheet]
  })
  await drawn(page)
  await page.evaluate(() => document.getAnimations().forEach((animation) => animation.finish()))
}
