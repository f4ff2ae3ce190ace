/**
 * `npx tsx scripts/screenshots.ts`: takes the pictures in docs/screenshots from a new site with the demo thread, after a
 * build. Needs Chromium.
 */
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { drawn, visit } from '../test/helpers/browser.ts'
import { launchChromium } from '../test/helpers/chromium.ts'
import { startNode } from '../test/helpers/node.ts'
import { looks, scenes, type Look } from '../test/helpers/pages-looks.ts'
import { findPrograms } from '../test/helpers/programs.ts'

const target = path.join(import.meta.dirname, '../docs/screenshots')
const { chromium } = findPrograms()
if (chromium === undefined) throw new Error('Chromium is not installed')

const browser = await launchChromium({ executablePath: chromium })
try {
  fs.mkdirSync(target, { recursive: true })
  for (const look of looks) await takeAll(look)
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
