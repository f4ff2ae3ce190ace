import type { BrowserContextOptions, Page } from 'playwright-core'

/** A window as people have them. */
export interface Look {
  readonly name: string
  readonly options: BrowserContextOptions
}

const sizes = {
  1280: { viewport: { width: 1280, height: 860 } },
  390: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true },
}

/** Desktop and phone, light and dark. */
export const looks: readonly Look[] = Object.entries(sizes).flatMap(([width, size]) =>
  (['light', 'dark'] as const).map((colorScheme) => ({
    name: `${width}-${colorScheme}`,
    options: { ...size, colorScheme, reducedMotion: 'reduce' as const, timezoneId: 'UTC', locale: 'en-GB' },
  })),
)

/** A page of the demo site in the state in which it is looked at. */
export interface Scene {
  readonly name: string
  open(page: Page, url: string): Promise<void>
}

export const demoThread = 'readAuthor'

async function openThread(page: Page, url: string): Promise<void> {
  await page.goto(`${url}/t/${demoThread}`)
  await page.locator('.bar-live').waitFor()
  await page.getByText('1 reading').waitFor()
}

/** The scenes of which there are pictures in docs/screenshots. */
export const scenes = [
  {
    name: 'front',
    async open(page, url) {
      await page.goto(`${url}/`)
      await page.locator('.listed-facts').first().waitFor()
    },
  },
  { name: 'thread', open: openThread },
  {
    name: 'discussion',
    async open(page, url) {
      await openThread(page, url)
      await page.locator('#p7').evaluate((post) => post.scrollIntoView({ block: 'start' }))
      await page.locator('#p7 [data-action=reply]').waitFor()
    },
  },
  {
    name: 'composer',
    async open(page, url) {
      await openThread(page, url)
      await page.locator('#p10').evaluate((post) => post.scrollIntoView({ block: 'start' }))
      await page.locator('#p10 [data-action=quote]').click()
      await page
        .locator('form.composer textarea')
        .fill('Then who keeps the books?\n\n- The reader?\n- Or the *text*?')
      await page.locator('.composer-name input').fill('Mira')
    },
  },
  {
    name: 'sign-in',
    async open(page, url) {
      await page.goto(`${url}/sign-in`)
      await page.locator('#guest-form').waitFor()
    },
  },
  {
    name: 'ask',
    async open(page, url) {
      await openThread(page, url)
      await page.locator('#p7').evaluate((post) => post.scrollIntoView({ block: 'start' }))
      await page.locator('#p7 [data-action=ask]').click()
      await page.locator('.ask-panel .persona').first().waitFor()
      await page.locator('.ask-panel .composer-name input').fill('Mira')
    },
  },
  {
    name: 'ai-reply',
    async open(page, url) {
      await openThread(page, url)
      const before = await page.locator('.post[data-kind=ai]').count()
      await page.locator('#p7').evaluate((post) => post.scrollIntoView({ block: 'start' }))
      await page.locator('#p7 [data-action=ask]').click()
      await page.locator('.ask-panel .composer-name input').fill('Mira')
      await page.locator('.ask-panel .ask-request input').fill('Where does this go wrong?')
      await page.locator('.ask-panel .persona[data-handle=challenge]').click()
      const reply = page.locator('.post[data-kind=ai]', { hasText: 'asked by Mira' }).last()
      await reply.waitFor()
      await page.waitForFunction(
        (n) => document.querySelectorAll('.post[data-kind=ai]:not([data-state])').length > n,
        before,
      )
      await reply.locator('[data-action=run-report]').click()
      await reply.locator('.run-report').waitFor()
      await reply.evaluate((post) => post.scrollIntoView({ block: 'start' }))
    },
  },
] as const satisfies readonly Scene[]
