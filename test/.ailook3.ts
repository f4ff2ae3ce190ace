import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { startNode } from './helpers/node.ts'
import { startScriptedModel } from './helpers/scripted-model.ts'
import { visit } from './helpers/browser.ts'
import { launchChromium } from './helpers/chromium.ts'
import { findPrograms } from './helpers/programs.ts'
import { looks } from './helpers/pages-looks.ts'
const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'numinex-ailook-'))
const model = await startScriptedModel({ script: { text: 'Slowly it goes on and on and on. '.repeat(20), tokensPerSecond: 8, firstTokenMs: 2500 } })
const node = await startNode({ DATA_DIR: dir, RATE_LIMITS: 'off', AI_BASE_URL: model.url, AI_MODEL: 'm' })
const browser = await launchChromium({ executablePath: findPrograms().chromium! })
try {
  for (const look of [looks[3]!, looks[1]!]) {
    const { page, close } = await visit(browser, look.options)
    await page.goto(`${node.url}/t/readAuthor`)
    await page.locator('.bar-live').waitFor()
    await page.locator('#p10').evaluate((p) => p.scrollIntoView({ block: 'start' }))
    await page.locator('#p10 [data-action=ask]').click()
    await page.locator('.persona').first().waitFor()
    await page.locator('.composer-name input').fill('Mira')
    await page.evaluate('window.__name = (f) => f')
    await page.evaluate(() => {
      const log: string[] = ((window as any).log = [])
      const old = Element.prototype.scrollIntoView
      Element.prototype.scrollIntoView = function (a: any) { log.push('siv ' + this.id + this.className + ' ' + scrollY); old.call(this, a); log.push('  -> ' + scrollY + ' ' + Math.round(this.getBoundingClientRect().bottom)) }
      const by = window.scrollBy; window.scrollBy = function (...a: any[]) { log.push('by ' + JSON.stringify(a)); (by as any).apply(window, a) } as any
      let n = 0
      const tick = () => { const p = document.querySelector('.post[data-state=streaming]'); if (p) { const r = p.getBoundingClientRect(); log.push(`f ${Math.round(scrollY)} ${Math.round(r.top)}-${Math.round(r.bottom)}`); n++ } if (n < 40) requestAnimationFrame(tick) }
      requestAnimationFrame(tick)
    })
    await page.locator('.persona[data-handle=explain]').click()
    await page.waitForFunction(() => (window as any).log.filter((s: string) => s[0] === 'f').length >= 40)
    console.log(look.name, await page.evaluate(() => (window as any).log))
    await page.waitForTimeout(300)
    console.log(await page.locator('.post[data-state=streaming]').first().evaluate((p) => [scrollY, p.getBoundingClientRect().top, p.getBoundingClientRect().bottom]))
    await close()
  }
} finally {
  await browser.close(); await node.kill('SIGKILL'); await model.stop()
  fs.rmSync(dir, { recursive: true, force: true })
}
