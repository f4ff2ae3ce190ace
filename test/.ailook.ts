import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { startNode } from './helpers/node.ts'
import { startScriptedModel } from './helpers/scripted-model.ts'
import { visit, drawn } from './helpers/browser.ts'
import { launchChromium } from './helpers/chromium.ts'
import { findPrograms } from './helpers/programs.ts'
import { looks } from './helpers/pages-looks.ts'
const axe = fs.readFileSync('node_modules/axe-core/axe.min.js', 'utf8')
const dataDir = fs.mkdtempSync(path.join(os.tmpdir(), 'numinex-ailook-'))
const text = 'The argument in [#1] turns on **three** claims:\n\n1. Someone *sits* in the chair,\n2. and someone `reads`.\n\n```js\nconst chair = 1\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\nSo [#6] is right that “the reader” matters.\n'
const model = await startScriptedModel({ script: { text, reasoning: ['First I look at the chair. ', 'Then at the reader.'], tokensPerSecond: 12, firstTokenMs: 1500 } })
const node = await startNode({ DATA_DIR: dataDir, RATE_LIMITS: 'off', AI_BASE_URL: model.url, AI_MODEL: 'scripted-model', AI_PRICE_INPUT: '3', AI_PRICE_OUTPUT: '15' })
const browser = await launchChromium({ executablePath: findPrograms().chromium! })
const only = process.argv[2]
try {
  for (const look of looks) {
    if (only && !look.name.includes(only)) continue
    const { page, close, complaints } = await visit(browser, look.options)
    const shot = async (name: string) => { await page.addScriptTag({ content: '' }).catch(() => {}); const v = await page.evaluate(axe + `;axe.run({ runOnly: ['wcag2a','wcag2aa','wcag21a','wcag21aa','wcag22a','wcag22aa','best-practice'] }).then(r => JSON.stringify(r.violations.map(v => [v.id, v.nodes.slice(0,3).map(n => n.html.slice(0,160) + ' ' + n.failureSummary.slice(0,200))]), null, 1))`); if (v !== '[]') console.log(name, look.name, v); const w = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth); if (w > 0) console.log('too wide', name, w); await drawn(page); await page.screenshot({ path: `/tmp/shots/${name}-${look.name}.png` }) }
    await page.goto(`${node.url}/t/readAuthor`)
    await page.locator('.bar-live').waitFor()
    const says: string[] = []
    await page.exposeFunction('said', (s: string) => void says.push(s))
    await page.evaluate(() => {
      new MutationObserver(() => (window as any).said(document.getElementById('replies')!.textContent)).observe(document.getElementById('replies')!, { childList: true, characterData: true, subtree: true })
    })
    await page.locator('#p10').evaluate((p) => p.scrollIntoView({ block: 'start' }))
    await page.locator('#p10 [data-action=ask]').click()
    await page.locator('.persona').first().waitFor()
    await shot('panel')
    await page.locator('.composer-name input').fill('Mira')
    await page.locator('.ask-request input').fill('explain section 2')
    const before = await page.locator('.post').count()
    await page.locator('.persona[data-handle=explain]').click()
    const reply = page.locator('.post[data-state=streaming]').first()
    await reply.waitFor()
    const id = await reply.getAttribute('id')
    await page.getByText('is thinking…').waitFor(); await drawn(page)
    await shot('thinking')
    await page.getByText('is writing…').first().waitFor()
    await page.locator(`#${id} .body strong`).waitFor()
    await page.locator(`#${id}`).evaluate((p) => p.scrollIntoView({ block: 'center' }))
    await shot('writing')
    await page.locator(`#${id}:not([data-state])`).waitFor({ timeout: 30000 })
    await page.locator(`#${id}`).evaluate((p) => p.scrollIntoView({ block: 'start' }))
    await shot('whole')
    await page.locator(`#${id} [data-action=run-report]`).click()
    await page.locator(`#${id} .facts`).waitFor()
    await page.locator(`#${id} .reasoning summary`).click()
    await shot('report')
    await page.locator(`#${id} .run-report`).evaluate((p) => p.scrollIntoView({ block: 'start' }))
    await shot('report2')
    // again, and stop
    await page.locator(`#${id} [data-action=ask-again]`).click()
    const second = page.locator('.post[data-state=streaming]').first()
    await second.locator('.body em').waitFor()
    await shot('again')
    const sid = await second.getAttribute('id')
    await page.locator(`#${sid} [data-action=stop]`).click()
    await page.locator(`#${sid}[data-state=stopped]`).waitFor()
    await page.locator(`#${sid}`).evaluate((p) => p.scrollIntoView({ block: 'center' }))
    await shot('stopped')
    // composer
    await page.locator('#p1 [data-action=reply]').first().evaluate((b: HTMLElement) => b.click())
    await page.locator('textarea').first().pressSequentially('Please @c')
    await page.locator('.mention').first().waitFor()
    await shot('mention')
    await page.keyboard.press('Enter')
    await page.locator('textarea').first().pressSequentially('what do you say?')
    await page.locator('.composer button[type=submit]').click()
    await page.waitForTimeout(1500)
    console.log(look.name, { id, sid, before, after: await page.locator('.post').count() }, says, complaints)
    await page.locator('.post[data-state=streaming] [data-action=stop]').first().evaluate((b: HTMLElement) => b.click())
    await close()
  }
} finally {
  await browser.close()
  await node.kill('SIGTERM')
  await model.stop()
  fs.rmSync(dataDir, { recursive: true, force: true })
  if (process.env.LOG) console.log(node.log())
}
