import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core'

/** A window of one reader, with storage and cookies of its own. */
export interface Visit {
  readonly context: BrowserContext
  readonly page: Page
  /** What the browser complained of: errors on the console, exceptions, refusals of the content policy. */
  readonly complaints: readonly string[]
  /** Every request that went to another host than that of a page, in full. */
  readonly foreign: readonly string[]
  /** Text frames that the page's sockets received. */
  readonly frames: readonly string[]
  close(): Promise<void>
}

/** Opens a window, and listens from its beginning to everything that should not happen in it. */
export async function visit(browser: Browser, options: BrowserContextOptions = {}): Promise<Visit> {
  const context = await browser.newContext(options)
  context.setDefaultTimeout(10_000)
  const complaints: string[] = []
  const foreign: string[] = []
  const frames: string[] = []
  context.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text())
  })
  context.on('weberror', (error) => complaints.push(error.error().message))
  context.on('request', (request) => {
    const { protocol, hostname } = new URL(request.url())
    if (hostname !== '127.0.0.1' && protocol !== 'data:' && protocol !== 'about:') foreign.push(request.url())
  })
  context.on('page', (page) => {
    page.on('websocket', (socket) => {
      socket.on('framereceived', ({ payload }) => frames.push(String(payload)))
    })
  })
  const page = await context.newPage()
  return { context, page, complaints, foreign, frames, close: () => context.close() }
}

/** Resolves once the page has drawn what it knows by now. */
export async function drawn(page: Page): Promise<void> {
  await page.evaluate(
    () => new Promise<void>((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve()))),
  )
}
