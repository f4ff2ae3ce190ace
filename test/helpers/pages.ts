import type { Locator, Page } from 'playwright-core'
import { expect } from 'vitest'

/** A condition that a page is to fulfil by itself. */
export const soon = { timeout: 10_000, interval: 20 }

/** Opens a thread, or one post of it, and waits until the page is live. */
export async function openThreadPage(
  page: Page,
  url: string,
  thread: string,
  number?: number,
): Promise<void> {
  await page.goto(`${url}/t/${thread}${number === undefined ? '' : `/${number}`}`)
  await waitUntilLive(page)
}

/** The page is live, and what it takes to write is there: that is loaded when the browser has nothing else to do. */
export async function waitUntilLive(page: Page): Promise<void> {
  await page.locator('.bar-live').waitFor()
  await page.waitForFunction(() =>
    performance.getEntriesByType('resource').some(({ name }) => name.includes('/assets/writing-')),
  )
}

export function postOn(page: Page, number: number): Locator {
  return page.locator(`#p${number}`)
}

/** A button beneath a post, by the name of its action. */
export function actionOn(page: Page, number: number, name: string): Locator {
  return postOn(page, number).locator(`> .foot [data-action="${name}"]`)
}

export function composer(page: Page): { text: Locator; name: Locator; send: Locator; preview: Locator } {
  const form = page.locator('form.composer')
  return {
    text: form.locator('textarea'),
    name: form.locator('.composer-name input'),
    send: form.locator('button[type=submit]'),
    preview: form.getByRole('button', { name: 'Preview' }),
  }
}

/** Brings a post into view: what can be done about it is there from then on. */
export async function reach(page: Page, number: number): Promise<void> {
  await postOn(page, number).evaluate((post) => post.scrollIntoView({ block: 'start' }))
  await postOn(page, number).locator('> .foot').locator('button').first().waitFor()
}

/** Writes a reply to a post, and sends it. */
export async function replyOn(page: Page, number: number, text: string): Promise<void> {
  await reach(page, number)
  await actionOn(page, number, 'reply').click()
  await composer(page).text.fill(text)
  await composer(page).send.click()
}

/** Signs in by the sign-in page, as a guest, and comes back to where it was. */
export async function signInAsGuest(page: Page, name: string): Promise<void> {
  const from = page.url()
  await page.getByRole('link', { name: 'Sign in' }).click()
  await page.locator('#guest-form input[name=name]').fill(name)
  await page.locator('#guest-form button').click()
  await page.waitForURL(from)
  await page.locator('#sign-out-form').waitFor()
}

/** Waits until the page's line of counts says `text`. */
export async function expectBar(page: Page, text: string | RegExp): Promise<void> {
  const pattern = typeof text === 'string' ? expect.stringContaining(text) : expect.stringMatching(text)
  await expect.poll(() => page.locator('#bar').innerText(), soon).toEqual(pattern)
}

/** Waits until a post's text says `text`. */
export async function expectText(page: Page, number: number, text: string): Promise<void> {
  await expect.poll(() => postOn(page, number).locator('> .main > .body').textContent(), soon).toContain(text)
}

/** The numbers of the posts on the page, in the order in which they stand there. */
export function shownOrder(page: Page): Promise<number[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll('#posts > .post[id]')].map((post) => Number(post.id.slice(1))),
  )
}
