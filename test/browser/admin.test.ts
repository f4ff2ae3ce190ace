import { generateKeyPairSync } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { NewAgentKey } from '../../shared/persona-admin.ts'
import type { Persona } from '../../shared/persona.ts'
import type { NewSiteKey } from '../../shared/site.ts'
import { barriers } from '../helpers/barriers.ts'
import { drawn, visit, type Visit } from '../helpers/browser.ts'
import { launchChromium } from '../helpers/chromium.ts'
import { ask, guest, startNode, type TestNode } from '../helpers/node.ts'
import { demoThread, looks } from '../helpers/pages-looks.ts'
import { soon } from '../helpers/pages.ts'
import { startScriptedModel, type ScriptedModel } from '../helpers/scripted-model.ts'
import { describeWith } from '../helpers/services.ts'

const account = { email: 'root@example.test', password: 'correct horse battery' }

describeWith('chromium', 'the admin page', () => {
  let dataDir: string
  let node: TestNode
  let browser: Browser
  let scripted: ScriptedModel

  beforeAll(async () => {
    dataDir = fs.mkdtempSync(path.join(os.tmpdir(), 'numinex-admin-'))
    scripted = await startScriptedModel({ script: { text: 'ready' } })
    node = await startNode({ DATA_DIR: dataDir })
    browser = await launchChromium()
    const answer = await fetch(`${node.url}/api/auth/sign-up/email`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'Root', ...account }),
    })
    expect(answer.status).toBe(200)
  })
  afterAll(async () => {
    await browser?.close()
    await node?.kill('SIGKILL')
    await scripted?.stop()
    fs.rmSync(dataDir, { recursive: true, force: true })
  })

  async function open(options?: Parameters<typeof visit>[1]): Promise<Visit> {
    const visitor = await visit(browser, options)
    onTestFinished(() => visitor.close())
    return visitor
  }

  /** The page as the admin has it, who came by the link on the front page. */
  async function admin(options?: Parameters<typeof visit>[1]): Promise<Visit> {
    const visitor = await open(options)
    const { page } = visitor
    await page.goto(`${node.url}/sign-in`)
    await page.locator('#sign-in-form [name=email]').fill(account.email)
    await page.locator('#sign-in-form [name=password]').fill(account.password)
    await page.locator('#sign-in-form button').click()
    await page.getByRole('link', { name: 'Admin' }).click()
    await page.getByRole('heading', { name: 'AI participants' }).waitFor()
    return visitor
  }

  /** Those whom readers can ask, asked for anew: an answer may be kept for some seconds. */
  async function readers(): Promise<Persona[]> {
    const answer = await fetch(`${node.url}/api/personas?${Math.random()}`)
    return ((await answer.json()) as { personas: Persona[] }).personas
  }

  const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true })
  const item = (page: Page, name: string) =>
    page.locator('.admin-item', { has: page.locator('h3 bdi', { hasText: new RegExp(`^${name}$`) }) })

  test('an admin adds an AI participant, corrects, edits and disables it', async () => {
    const { page, complaints } = await admin()
    await button(page, 'Add a participant').click()
    const form = page.getByRole('form', { name: 'New AI participant' })
    await form.getByLabel('Name', { exact: true }).fill('Haiku')
    await form.getByLabel('Handle').fill('explain')
    await form.getByLabel('Picture').fill('🍵')
    await form.getByLabel('Description').fill('Says it in seventeen syllables.')
    await form.getByLabel('Instructions').fill('Answer with a haiku.')
    await form.getByLabel('Who may ask').selectOption('People with an account')
    await form.getByRole('button', { name: 'Add' }).click()

    // The problem stands at its field, where the writer is led.
    const handle = form.getByLabel('Handle')
    await expect.poll(() => handle.getAttribute('aria-invalid'), soon).toBe('true')
    expect(await handle.evaluate((field) => field === document.activeElement)).toBe(true)
    expect(
      await form
        .locator('.field', { has: page.locator('[name=handle]') })
        .locator('.problem')
        .textContent(),
    ).toContain('@explain is taken')
    expect(await form.getByLabel('Instructions').inputValue()).toBe('Answer with a haiku.')

    await handle.fill('haiku')
    await form.getByRole('button', { name: 'Add' }).click()
    await item(page, 'Haiku').waitFor()
    expect(await page.getByRole('form').count()).toBe(0)
    expect(await readers()).toContainEqual(
      expect.objectContaining({ handle: 'haiku', name: 'Haiku', picture: '🍵', askers: 'members' }),
    )

    await button(page, 'Edit Haiku').click()
    const edit = page.getByRole('form', { name: 'Edit Haiku' })
    await edit.getByLabel('Name', { exact: true }).fill('Tanka')
    await edit.getByLabel('Writes at most').fill('200')
    await edit.getByRole('button', { name: 'Save' }).click()
    await expect.poll(() => item(page, 'Tanka').innerText(), soon).toContain('version 2')

    await button(page, 'Edit Tanka').click()
    await page.getByRole('form', { name: 'Edit Tanka' }).getByLabel('Enabled').uncheck()
    await page.getByRole('button', { name: 'Save' }).click()
    await expect.poll(() => item(page, 'Tanka').innerText(), soon).toContain('disabled')
    expect((await readers()).map(({ handle }) => handle)).not.toContain('haiku')
    // Refusals are answers too, and the browser reports them.
    expect(complaints.filter((line) => !line.includes('409'))).toEqual([])
  })

  test('instructions can be changed, and be again those that ship', async () => {
    const { page } = await admin()
    await button(page, 'Edit Check').click()
    const field = page.getByLabel('Instructions')
    const shipped = await field.inputValue()
    expect(shipped.length).toBeGreaterThan(100)
    await field.fill('Say yes or no.')
    await button(page, 'Save').click()
    await expect.poll(() => item(page, 'Check').innerText(), soon).toContain('own instructions')
    await page.reload()
    await button(page, 'Edit Check').click()
    expect(await field.inputValue()).toBe('Say yes or no.')
    await button(page, 'Back to the shipped instructions').click()
    expect(await field.inputValue()).toBe(shipped)
    await button(page, 'Save').click()
    await expect.poll(() => item(page, 'Check').innerText(), soon).not.toContain('own instructions')
  })

  test('a form can be left by keyboard, and the focus is where it was', async () => {
    const { page } = await admin()
    const edit = button(page, 'Edit Compare')
    await edit.focus()
    await page.keyboard.press('Enter')
    await page.getByRole('form', { name: 'Edit Compare' }).getByLabel('Name', { exact: true }).focus()
    await page.keyboard.type('Changed')
    await page.keyboard.press('Escape')
    expect(await page.getByRole('form').count()).toBe(0)
    expect(await edit.evaluate((element) => element === document.activeElement)).toBe(true)
    expect((await readers()).map(({ name }) => name)).toContain('Compare')
    // A field sends its form.
    await page.keyboard.press('Enter')
    const name = page.getByRole('form', { name: 'Edit Compare' }).getByLabel('Name', { exact: true })
    await name.fill('Side by side')
    await name.press('Enter')
    await item(page, 'Side by side').waitFor()
    expect((await readers()).map(({ name }) => name)).toContain('Side by side')
  })

  test('an admin adds a model, tests it, gives it to someone, and deletes it', async () => {
    const { page } = await admin()
    await button(page, 'Add a model').click()
    const form = page.getByRole('form', { name: 'New model' })
    await form.getByLabel('Name', { exact: true }).fill('Scripted')
    await form.getByLabel('Address of the server').fill('http://127.0.0.1:1/v1')
    await form.getByLabel('Model', { exact: true }).fill('scripted-1')
    await form.getByLabel('API key').fill('sk-secret')
    await form.getByRole('button', { name: 'Add' }).click()
    await expect.poll(() => item(page, 'Scripted').innerText(), soon).toContain('a key is stored')
    expect(await page.content()).not.toContain('sk-secret')

    await button(page, 'Test Scripted').click()
    await expect
      .poll(() => item(page, 'Scripted').locator('[role=status]').innerText(), soon)
      .toMatch(/reach/i)

    // Elsewhere, the key has to be entered again.
    await button(page, 'Edit Scripted').click()
    const edit = page.getByRole('form', { name: 'Edit Scripted' })
    expect(await edit.getByLabel('API key').inputValue()).toBe('')
    await edit.getByLabel('Address of the server').fill(scripted.url)
    await edit.getByRole('button', { name: 'Save' }).click()
    await expect.poll(() => edit.getByLabel('API key').getAttribute('aria-invalid'), soon).toBe('true')
    await edit.getByLabel('API key').fill('sk-other')
    await edit.getByRole('button', { name: 'Save' }).click()
    await edit.waitFor({ state: 'detached' })
    await button(page, 'Test Scripted').click()
    await expect
      .poll(() => item(page, 'Scripted').locator('[role=status]').innerText(), soon)
      .toMatch(/answered in .* “ready”/)
    expect(scripted.requests().at(-1)?.headers['authorization']).toBe('Bearer sk-other')

    await button(page, 'Edit Challenge').click()
    await page.getByLabel('Model', { exact: true }).selectOption('Scripted')
    await button(page, 'Save').click()
    await expect.poll(() => item(page, 'Challenge').innerText(), soon).toContain('Scripted')

    // What it took is told.
    const who = await guest(node.url, 'Gus')
    await ask(who, 'POST', `${node.url}/api/threads/${demoThread}/posts/1/ask`, { persona: 'challenge' })
    const spent = async () => {
      await button(page, 'Refresh').click()
      return await page.locator('.usage-table', { hasText: 'People' }).locator('tbody').innerText()
    }
    await expect.poll(spent, soon).toMatch(/Gus\s+guest\s+[1-9]\d*\s+0/)
    await page.locator('.usage-table').getByRole('link', { name: 'Should a reader argue' }).waitFor()

    await button(page, 'Delete Scripted').click()
    await button(page, 'Keep').click()
    expect(await item(page, 'Scripted').count()).toBe(1)
    await button(page, 'Delete Scripted').click()
    await button(page, 'Delete').click()
    await item(page, 'Scripted').waitFor({ state: 'detached' })
    await expect.poll(() => item(page, 'Challenge').innerText(), soon).not.toContain('Scripted')
  })

  test('an agent outside gets a key, which is shown once and can be revoked', async () => {
    const { page } = await admin()
    await button(page, 'Add a participant').click()
    await page.getByLabel('Name', { exact: true }).fill('Scout')
    await page.getByLabel('Handle').fill('scout')
    await page.getByLabel('It runs elsewhere').check()
    // It is not told here what to do.
    expect(await page.getByLabel('Instructions').count()).toBe(0)
    await button(page, 'Add').click()
    await button(page, 'Edit Scout').click()
    const made = page.waitForResponse((answer) => answer.url().endsWith('/api/personas/scout/key'))
    await page.getByLabel('Name of the key').fill('laptop')
    await button(page, 'Make a key').click()
    const { key } = (await (await made).json()) as NewAgentKey
    await expect.poll(() => page.locator('.admin-key').innerText(), soon).toContain(key)
    const write = (clientId: string) =>
      fetch(`${node.url}/api/threads/${demoThread}/posts`, {
        method: 'POST',
        headers: { 'x-api-key': key, 'content-type': 'application/json' },
        body: JSON.stringify({ parent: 1, body: 'From elsewhere', clientId }),
      })
    expect((await write('a')).status).toBe(201)

    await page.reload()
    await button(page, 'Edit Scout').click()
    await button(page, 'Revoke laptop').waitFor()
    expect(await page.content()).not.toContain(key)
    await button(page, 'Revoke laptop').click()
    await button(page, 'Revoke').click()
    await page.getByText('None yet.').waitFor()
    expect((await write('b')).status).toBe(401)
  })

  test('an admin adds a site, corrects it, gives it keys, and deletes it', async () => {
    const { page, complaints } = await admin()
    await button(page, 'Add a site').click()
    const form = page.getByRole('form', { name: 'New site' })
    await form.getByLabel('Name', { exact: true }).fill('Blog')
    await form.getByLabel('Origins').fill('https://Blog.example/\nblog.example')
    await form.getByLabel('Parameters that name a page').fill('id, page')
    await form.getByLabel('Other names of hosts').fill('www.blog.example')
    const problemAt = (name: string) =>
      form.locator('.field', { has: page.locator(`[name="${name}"]`) }).locator('.problem')
    const add = form.getByRole('button', { name: 'Add' })
    await add.click()
    await expect.poll(() => problemAt('rules/aliases').textContent(), soon).toContain('is not two hosts')
    await form.getByLabel('Other names of hosts').fill('www.blog.example = blog.example\n')
    await add.click()
    await expect
      .poll(() => problemAt('origins').textContent(), soon)
      .toContain('“blog.example” is not an origin')
    expect(await form.getByLabel('Origins').evaluate((field) => field === document.activeElement)).toBe(true)
    await form.getByLabel('Origins').fill('https://Blog.example/\nhttps://*.blog.example')
    await form.getByLabel('/a/ and /a are one page').uncheck()
    await form.getByLabel('Colours').selectOption('Dark')
    await add.click()
    await item(page, 'Blog').waitFor()
    expect(await item(page, 'Blog').innerText()).toContain('https://blog.example, https://*.blog.example')

    await button(page, 'Embed Blog').click()
    expect(await item(page, 'Blog').locator('pre').innerText()).toBe(
      `<script src="${node.url}/embed.js" async></script>\n<numinex-thread></numinex-thread>`,
    )

    // What was said is what is changed.
    await button(page, 'Edit Blog').click()
    const edit = page.getByRole('form', { name: 'Edit Blog' })
    expect(await edit.getByLabel('Other names of hosts').inputValue()).toBe('www.blog.example = blog.example')
    expect(await edit.getByLabel('Parameters that name a page').inputValue()).toBe('id, page')
    expect(await edit.getByLabel('/a/ and /a are one page').isChecked()).toBe(false)
    expect(await edit.getByLabel('Colours').inputValue()).toBe('dark')
    await edit.getByLabel('Parameters that name a page').fill('')
    await edit.getByLabel('For reading only').check()
    await edit.getByRole('button', { name: 'Save' }).click()
    await expect
      .poll(() => item(page, 'Blog').innerText(), soon)
      .toContain('0 threads · 1 other host name · read only')

    await button(page, 'Keys Blog').click()
    await page.getByLabel('Name of the key').fill('server')
    const made = page.waitForResponse((answer) => answer.url().endsWith('/keys'))
    await button(page, 'Make a key').click()
    const { secret } = (await (await made).json()) as NewSiteKey
    await expect.poll(() => page.locator('.admin-key').innerText(), soon).toContain(secret!)
    await page.getByLabel('Name of the key').fill('other')
    await page.getByLabel('Kind').selectOption({ value: 'EdDSA' })
    await page.getByLabel('Public key').fill('ssh-ed25519 AAAA')
    await button(page, 'Add the key').click()
    await expect
      .poll(() => page.locator('.field', { has: page.locator('[name=publicKey]') }).innerText(), soon)
      .toContain('is not a public key in PEM')
    const { publicKey } = generateKeyPairSync('ed25519')
    await page.getByLabel('Public key').fill(publicKey.export({ type: 'spki', format: 'pem' }).toString())
    await button(page, 'Add the key').click()
    await button(page, 'Revoke other').waitFor()
    await expect.poll(() => item(page, 'Blog').innerText(), soon).toContain('0 threads · 2 keys')

    await page.reload()
    await button(page, 'Keys Blog').click()
    expect(await page.content()).not.toContain(secret)
    await button(page, 'Revoke server').click()
    await button(page, 'Revoke').click()
    await button(page, 'Revoke server').waitFor({ state: 'detached' })
    await drawn(page)
    expect(await barriers(page)).toEqual([])

    await button(page, 'Delete Blog').click()
    await button(page, 'Keep').click()
    expect(await item(page, 'Blog').count()).toBe(1)
    await button(page, 'Delete Blog').click()
    await button(page, 'Delete').click()
    await item(page, 'Blog').waitFor({ state: 'detached' })
    // Refusals are answers too, and the browser reports them.
    expect(complaints.filter((line) => !line.includes('422'))).toEqual([])
  })

  test('nobody else gets there, and readers do not even load its script', async () => {
    const { page } = await open()
    const loaded = scriptsOf(page)
    await page.goto(`${node.url}/sign-in`)
    await page.locator('#guest-form [name=name]').fill('Gus')
    await page.locator('#guest-form button').click()
    await page.locator('#sign-out-form').waitFor()
    expect(await page.getByRole('link', { name: 'Admin' }).count()).toBe(0)
    const answer = await page.goto(`${node.url}/admin`)
    expect(answer?.status()).toBe(403)
    await page.getByText('Only admins see this page.').waitFor()
    await page.goto(`${node.url}/t/${demoThread}`)
    await page.locator('.bar-live').waitFor()
    const words = 'Back to the shipped instructions'
    expect((await loaded()).length).toBeGreaterThan(0)
    expect((await loaded()).filter((script) => script.includes(words))).toEqual([])
    // An admin's browser does load it.
    const other = await admin()
    const needed = scriptsOf(other.page)
    await other.page.reload()
    await other.page.getByRole('heading', { name: 'AI participants' }).waitFor()
    expect((await needed()).filter((script) => script.includes(words))).toHaveLength(1)
  })

  /** The scripts that a page loads from now on. */
  function scriptsOf(page: Page): () => Promise<string[]> {
    const urls = new Set<string>()
    page.on('request', (request) => {
      if (request.resourceType() === 'script') urls.add(request.url())
    })
    return () => Promise.all([...urls].map(async (url) => (await fetch(url)).text()))
  }

  describe.each(looks)('$name', (look) => {
    test('has no barrier that axe finds, and fits', async () => {
      const { page, complaints, foreign } = await admin(look.options)
      const check = async () => {
        await drawn(page)
        expect(await barriers(page)).toEqual([])
        const [content, view] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth])
        expect(content).toBeLessThanOrEqual(view!)
      }
      await check()
      await button(page, 'Edit Explain').click()
      await page.getByLabel('Instructions').fill('Mine.')
      await page.getByLabel('Handle').fill('check')
      await button(page, 'Save').click()
      await page.locator('[aria-invalid]').waitFor()
      await button(page, 'Add a model').click()
      await button(page, 'Add a site').click()
      await check()
      expect(complaints.filter((line) => !line.includes('409'))).toEqual([])
      expect(foreign).toEqual([])
    })
  })

  test('nothing is cut off where the page is 320 pixels wide', async () => {
    const { page } = await admin({ viewport: { width: 320, height: 640 } })
    await button(page, 'Edit Explain').click()
    await button(page, 'Add a model').click()
    await button(page, 'Add a site').click()
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(320)
  })
})
