/**
 * `npx tsx scripts/screenshots.ts`: takes the pictures in docs/screenshots from a new site with the demo thread, after a
 * build; with `widgets`, only those of a widget in another site's page. Needs Chromium.
 */
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { drawn, visit } from '../test/helpers/browser.ts'
import { launchChromium } from '../test/helpers/chromium.ts'
import { addHostSite } from '../test/helpers/host-set-up.ts'
import { startHostSite } from '../test/helpers/host-site.ts'
import { ask, guest, startNode } from '../test/helpers/node.ts'
import { looks, scenes, type Look } from '../test/helpers/pages-looks.ts'
import { findPrograms } from '../test/helpers/programs.ts'

const target = path.join(import.meta.dirname, '../docs/screenshots')
const { chromium } = findPrograms()
if (chromium === undefined) throw new Error('Chromium is not installed')

const browser = await launchChromium({ executablePath: chromium })
try {
  fs.mkdirSync(target, { recursive: true })
  if (process.argv[2] !== 'widgets') for (const look of looks) await takeAll(look)
  await takeWidgets()
} finally {
  await browser.close()
}

/** A site of its own for each look: some scenes write. */
async function takeAll(look: Look): Promise<void> {
  const dataDir = fs.mkdtempSync(path.join(os.tmpdir(), 'numinex-screenshots-'))
  const node = await startNode({ DATA_DIR: dataDir })
  try {
    for (const scene of scenes) {
      const { page, close } = await visit(browser, look.options)
      await scene.open(page, node.url)
      await drawn(page)
      await page.screenshot({ path: path.join(target, `${scene.name}-${look.name}.png`), caret: 'initial' })
      await close()
    }
  } finally {
    await node.kill('SIGTERM')
    fs.rmSync(dataDir, { recursive: true, force: true })
  }
}

/** A widget in a page of the demo's magazine, with a conversation in it. */
async function takeWidgets(): Promise<void> {
  const dataDir = fs.mkdtempSync(path.join(os.tmpdir(), 'numinex-screenshots-'))
  const node = await startNode({ DATA_DIR: dataDir })
  const host = await startHostSite({ numinex: node.url })
  const magazine = `http://margin.localhost:${host.port}`
  try {
    host.site = await addHostSite(node.url, { name: 'The Margin', origins: [magazine] })
    const [ada, grace] = [await guest(node.url, 'Ada'), await guest(node.url, 'Grace')]
    const opened = await ask<{ thread: { id: string } }>(ada, 'POST', `${node.url}/api/embed/threads`, {
      url: `${magazine}/essays/walking`,
      title: 'On walking the long way round',
    })
    const posts = `${node.url}/api/threads/${opened.thread.id}/posts`
    const say = (who: typeof ada, parent: number, body: string) =>
      ask(who, 'POST', posts, { parent, body, clientId: crypto.randomUUID() })
    await say(ada, 1, 'The nine minutes are *shorter* only if nothing in them is worth remembering.')
    await say(grace, 2, 'Then what do you say of a commute? Nobody remembers those, and they are long.')
    await say(ada, 1, 'I tried both roads this week. The bakery wins.')
    await ask(grace, 'POST', `${posts}/2/ask`, { persona: 'explain', clientId: crypto.randomUUID() })
    for (const look of looks) {
      const { page, close } = await visit(browser, look.options)
      await page.goto(`${magazine}/essays/walking?as=Ida`)
      // A widget is live only where it is in view.
      await page.evaluate(() => document.querySelector('h2')!.scrollIntoView())
      const frame = page.frameLocator('numinex-thread iframe')
      await frame.locator('.me').waitFor()
      await frame.locator('.post[data-kind=ai]:not([data-state=streaming])').waitFor()
      await page.evaluate(() => document.querySelector('h2')!.scrollIntoView())
      await drawn(page)
      await page.screenshot({ path: path.join(target, `widget-${look.name}.png`) })
      await close()
    }
  } finally {
    await host.close()
    await node.kill('SIGTERM')
    fs.rmSync(dataDir, { recursive: true, force: true })
  }
}
