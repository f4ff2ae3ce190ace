import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import type { Browser, BrowserContextOptions, Frame, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startHostSite, type HostSite } from '../helpers/host-site.ts'
import { addHostSite, demoAdmin } from '../helpers/host-set-up.ts'
import { liveWidgets } from '../../shared/widget.ts'
import { drawn, visit, type Visit } from '../helpers/browser.ts'
import { launchChromium } from '../helpers/chromium.ts'
import { ask, guest, startNode, type TestNode } from '../helpers/node.ts'
import { describeWith } from '../helpers/services.ts'

// Widgets in pages of another site, whose cookies the browser does not send: host names below .localhost are loopback, and
// each of them is a site of its own.

let browser: Browser
let node: TestNode
let host: HostSite
let dataDir: string
/** The server and the host as browsers see them. */
let numinex: string
let blog: string
let evil: string

async function openHost(address: string, options: BrowserContextOptions = {}): Promise<Visit> {
  const opened = await visit(browser, options)
  await opened.page.goto(address)
  return opened
}

/** The widget's frame, once its script runs. */
async function widget(page: Page): Promise<Frame> {
  await page.locator('numinex-thread').first().scrollIntoViewIfNeeded()
  let found: Frame | undefined
  await expect
    .poll(async () => {
      found = page.frames().find((frame) => frame.url().startsWith(`${numinex}/embed/frame`))
      return await found?.locator('html.alive').count()
    })
    .toBe(1)
  return found!
}

/** By keys: a click may come before the browser has drawn the frame as high as the composer has just made it. */
async function write(frame: Frame, text: string, name?: string): Promise<void> {
  await frame.locator('#reply-root').click()
  if (name !== undefined) await frame.getByLabel('Your name').fill(name)
  await frame.locator('textarea').fill(text)
  await frame.locator('textarea').press('Control+Enter')
  await frame.locator('.post:not(.pending) .text', { hasText: text }).waitFor()
}

/** A first comment on a page, over HTTP. */
async function comment(url: string, text: string, name = 'Grace'): Promise<{ thread: string }> {
  const who = await guest(node.url, name)
  const opened = await ask<{ thread: { id: string } }>(who, 'POST', `${node.url}/api/embed/threads`, {
    url,
    title: 'A page',
  })
  await ask(who, 'POST', `${node.url}/api/threads/${opened.thread.id}/posts`, {
    parent: 1,
    body: text,
    clientId: crypto.randomUUID(),
  })
  return { thread: opened.thread.id }
}

/** Layout shifts so far that nobody caused by a hand, in all. */
function shifts(of: Page | Frame): Promise<number> {
  return of.evaluate(
    () =>
      new Promise<number>((resolve) => {
        let sum = 0
        new PerformanceObserver((list) => {
          for (const entry of list.getEntries() as (PerformanceEntry & { value: number })[])
            sum += entry.value
        }).observe({ type: 'layout-shift', buffered: true })
        requestAnimationFrame(() => requestAnimationFrame(() => resolve(sum)))
      }),
  )
}

describeWith('chromium', 'a widget in a page of another site', () => {
  beforeAll(async () => {
    dataDir = fs.mkdtempSync(path.join(os.tmpdir(), 'numinex-embed-'))
    browser = await launchChromium({ args: ['--test-third-party-cookie-phaseout'] })
    node = await startNode({ DATA_DIR: dataDir, RATE_LIMITS: 'off' })
    numinex = node.url.replace('127.0.0.1', 'numinex.localhost')
    host = await startHostSite({ numinex, inside: node.url })
    blog = `http://blog.localhost:${host.port}`
    evil = `http://evil.localhost:${host.port}`
    const site = await addHostSite(node.url, { name: 'The Margin', origins: [blog] })

    host.site = site
  }, 60_000)

  afterAll(async () => {
    await browser?.close()
    await host?.close()
    await node?.kill('SIGTERM')
    fs.rmSync(dataDir, { recursive: true, force: true })
  })

  test('its first comment is there after two requests, before any script, and nothing moves after that', async () => {
    await comment(`${blog}/essays/first`, 'I walk both ways.')
    const opened = await visit(browser, { viewport: { width: 900, height: 1200 } })
    const { page } = opened
    const asked: string[] = []
    let release = () => {}
    const held = new Promise<void>((resolve) => (release = resolve))
    page.on('request', (request) => {
      if (request.url().startsWith(numinex) && !request.url().includes('/assets/thread-'))
        asked.push(request.url())
    })
    await page.route('**/assets/*.js', async (route) => {
      await held
      await route.continue()
    })
    // Not until all of it is loaded, which the frame's scripts may be part of.
    await page.goto(`${blog}/essays/first`, { waitUntil: 'domcontentloaded' })
    const frame = page.frameLocator('numinex-thread iframe')
    await frame.getByText('I walk both ways.').waitFor()
    await drawn(page)
    const box = await page.locator('numinex-thread').boundingBox()
    expect(box!.height).toBeGreaterThan(150)
    const needed = asked
      .map((url) => new URL(url).pathname)
      .filter((name) => !name.endsWith('.js') || name === '/embed.js')
    expect(needed).toEqual(['/embed.js', '/embed/frame'])

    const before = await shifts(page)
    const inside = await shifts(page.frames().find((one) => one.url().startsWith(numinex))!)
    release()
    const alive = await widget(page)
    await alive.locator('.bar-live').waitFor()
    await drawn(page)
    expect(await shifts(page)).toBe(before)
    expect([inside, await shifts(alive)]).toEqual([0, 0])
    expect((await page.locator('numinex-thread').boundingBox())!.height).toBe(box!.height)
    expect(opened.complaints).toEqual([])
    await opened.close()
  })

  test.each(['/essays/guests', '/strict', '/isolated'])(
    'guests post at %s, others see it at once, and an AI replies before their eyes',
    async (place) => {
      const first = await openHost(blog + place)
      const second = await openHost(blog + place)
      const [mine, theirs] = [await widget(first.page), await widget(second.page)]
      // The thread is not there yet, and both wait for it.
      await Promise.all([mine, theirs].map((frame) => frame.locator('.bar-live').waitFor()))
      expect(
        await mine.evaluate(() =>
          fetch('/api/auth/get-session', { credentials: 'include' }).then((a) => a.text()),
        ),
      ).toBe('null')
      await write(mine, `Hello from ${place}. The canal is longer. The wall is shorter.`, 'Ada')
      await theirs.locator('.text', { hasText: `Hello from ${place}` }).waitFor()
      expect(await theirs.locator('.bar-count').textContent()).toBe('1 comment')
      await write(theirs, 'A second thought.', 'Bea')
      await mine.locator('.text', { hasText: 'A second thought.' }).waitFor()

      await mine.locator('.post').first().getByRole('button', { name: 'Ask AI' }).click()
      await mine.locator('.persona').first().click()
      for (const frame of [mine, theirs]) {
        await frame.locator('.post[data-kind=ai] .text', { hasText: /\w/ }).waitFor()
        await frame.locator('.post[data-kind=ai]:not([data-state])').waitFor()
      }
      const events = await first.page.evaluate(() => (window as { events?: [string, object][] }).events ?? [])
      expect(events.find(([type]) => type === 'post')?.[1]).toMatchObject({ number: 2 })
      expect(events.filter(([type]) => type === 'error')).toEqual([])
      expect([...first.complaints, ...second.complaints]).toEqual([])

      await first.close()
      await second.close()
    },
  )

  test('the host’s server vouches for its reader, who posts under their own name', async () => {
    const { page, close } = await openHost(`${blog}/strict?as=Ida`)
    const frame = await widget(page)
    await frame.locator('.me', { hasText: 'Ida' }).waitFor()
    await write(frame, 'Vouched for.')
    const author = frame.locator('.post', { hasText: 'Vouched for.' }).locator('.who')
    expect(await author.textContent()).toBe('Ida')
    // Who signs out at the host is signed out here.
    await page.evaluate(() => document.querySelector('numinex-thread')!.removeAttribute('user-token'))
    await frame.getByRole('link', { name: 'Sign in' }).waitFor()
    await close()
  })

  test.each([
    ['/essays/popup', 'hands its code over by itself'],
    ['/isolated', 'shows a code where the page keeps windows apart'],
  ])('who has an account signs in in a window, which at %s %s', async (place) => {
    const { page, context, close } = await openHost(blog + place)
    const frame = await widget(page)
    await frame.getByRole('link', { name: 'Sign in' }).click()
    const session = page
      .waitForResponse((answer) => answer.url().endsWith('/api/embed/sign-in/code') && answer.ok())
      .then((answer) => answer.json() as Promise<{ token: string }>)
    const opening = context.waitForEvent('page')
    await frame.getByRole('link', { name: 'Sign in in a new window' }).click()
    const popup = await opening
    expect(await popup.locator('main').textContent()).toContain(new URL(blog).host)
    await popup
      .getByRole('link', { name: /sign in/i })
      .first()
      .click()
    await popup.getByLabel('Email').first().fill(demoAdmin.email)
    await popup.getByLabel('Password').first().fill(demoAdmin.password)
    await popup.locator('#sign-in-form button[type=submit]').click()
    await popup.getByRole('button', { name: `Continue as ${demoAdmin.name}` }).click()
    if (place === '/isolated') {
      const shown = popup.locator('#embed-code-text', { hasText: /\w/ })
      await shown.waitFor()
      const code = await shown.textContent()
      await frame.getByLabel('Code from that window').fill(code!)
      await frame.getByRole('button', { name: 'Go on' }).click()
    }
    await frame.locator('.me', { hasText: demoAdmin.name }).waitFor()
    await write(frame, `Signed in at ${place}.`)
    // The host page cannot make an admin of it: a widget's session is worth less.
    const may = await frame.evaluate(
      async (bearer) =>
        (await fetch('/api/sites', { headers: { authorization: `Bearer ${bearer}` } })).status,
      (await session).token,
    )
    expect(may).toBe(403)
    await close()
  })

  test('the host page can neither read the frame nor write in its reader’s name', async () => {
    const { page, close } = await openHost(`${blog}/essays/walls`)
    const frame = await widget(page)
    await write(frame, 'Mine alone.', 'Ada')
    const tried = await page.evaluate(async (server) => {
      const outcome: Record<string, string> = {}
      const attempt = async (name: string, action: () => unknown) => {
        try {
          outcome[name] = String(await action())
        } catch (error) {
          outcome[name] = (error as Error).name
        }
      }
      const inner = document
        .querySelector('numinex-thread')!
        .shadowRoot!.querySelector('iframe')!.contentWindow!
      await attempt('document', () => inner.document.body.textContent)
      await attempt('storage', () => inner.localStorage.length)
      await attempt('session', () =>
        fetch(`${server}/api/auth/get-session`, { credentials: 'include' }).then((a) => a.text()),
      )
      await attempt('post', () =>
        fetch(`${server}/api/embed/threads`, {
          method: 'POST',
          credentials: 'include',
          headers: { 'content-type': 'text/plain' },
          body: JSON.stringify({ url: location.href }),
        }).then((a) => a.status),
      )
      await attempt('blind', () =>
        fetch(`${server}/api/auth/sign-in/anonymous`, {
          method: 'POST',
          mode: 'no-cors',
          credentials: 'include',
        }).then((a) => a.type),
      )
      return outcome
    }, numinex)
    expect(tried).toEqual({
      document: 'SecurityError',
      storage: 'SecurityError',
      session: 'TypeError',
      post: 'TypeError',
      blind: 'TypeError',
    })
    // What it says in the host's name changes looks, and nothing else.
    const posts = await frame.locator('.post').count()
    await page.evaluate((server) => {
      for (const data of [
        { numinex: 'post', thread: 'x', number: 9 },
        {
          numinex: 'page',
          theme: 'dark',
          scheme: 'dark',
          styles: ['red;}body{display:none'],
          live: true,
          token: 'forged',
          hash: '#numinex-x',
        },
        { numinex: 'code', code: 'AAAA-AAAA' },
      ])
        document
          .querySelector('numinex-thread')!
          .shadowRoot!.querySelector('iframe')!
          .contentWindow!.postMessage(data, server)
    }, numinex)
    await expect.poll(() => frame.evaluate(() => document.documentElement.dataset['theme'])).toBe('dark')
    expect(await frame.locator('body').isVisible()).toBe(true)
    expect(await frame.locator('.post').count()).toBe(posts)
    await frame.locator('.me', { hasText: 'Ada' }).waitFor()
    await close()
  })

  test('a page of another origin cannot embed, pass itself off, or make threads', async () => {
    const opened = await openHost(`${evil}/essays/walking`)
    const { page } = opened
    await page.locator('numinex-thread').scrollIntoViewIfNeeded()
    const notice = page.frameLocator('numinex-thread iframe')
    await notice.getByText('The comments cannot be shown').waitFor()
    expect(await notice.locator('main').textContent()).toContain(evil)
    await expect.poll(() => opened.complaints.join()).toContain('page-not-allowed')

    // With an allowed origin's name in the address, the browser itself refuses.
    await page.evaluate(
      ([server, name]) => {
        const frame = document.createElement('iframe')
        frame.id = 'forged'
        frame.src = `${server}/embed/frame?host=${encodeURIComponent(name!)}&url=${encodeURIComponent(`${name}/essays/walls`)}`
        document.body.append(frame)
      },
      [numinex, blog],
    )
    await expect.poll(() => opened.complaints.join()).toContain('frame-ancestors')
    expect(await page.frameLocator('#forged').locator('.post').count()).toBe(0)

    // What it says to a widget in an allowed page is not heard.
    const who = await guest(node.url, 'Mallory')
    for (const url of [
      `${evil}/essays/walking`,
      'https://blog.localhost.evil.example/',
      'http://blog.localhost.evil.example/',
      'http://localhost/',
    ]) {
      const answer = await fetch(`${node.url}/api/embed/threads`, {
        method: 'POST',
        headers: who.headers,
        body: JSON.stringify({ url }),
      })
      expect([url, answer.status]).toEqual([url, 403])
    }
    await opened.close()
  })

  test('messages of other windows are not heard, neither by the page nor by the frame', async () => {
    const { page, close } = await openHost(`${blog}/essays/voices`)
    const frame = await widget(page)
    await frame.locator('.bar-live').waitFor()
    const height = (await page.locator('numinex-thread').boundingBox())!.height
    // A frame of a third site, in the same page.
    await page.evaluate((address) => {
      const other = document.createElement('iframe')
      other.src = address
      other.name = 'other'
      document.body.append(other)
    }, `${evil}/many-voices`)
    await expect.poll(() => page.frames().some((each) => each.url().startsWith(evil))).toBe(true)
    const other = page.frames().find((each) => each.url().startsWith(evil))!
    await other.evaluate(() => {
      for (const data of [
        { numinex: 'size', height: 5_000 },
        { numinex: 'shift', by: 900 },
        { numinex: 'error', code: 'x', message: 'x' },
      ])
        parent.postMessage(data, '*')
      const look = {
        numinex: 'page',
        theme: 'dark',
        scheme: 'dark',
        styles: [],
        live: false,
        token: 'forged',
        hash: '',
      }
      // It cannot get at the widget's frame by itself: a page would have to hand it over.
      for (let i = 0; i < parent.frames.length; i++) parent.frames[i]!.postMessage(look, '*')
    })
    // What the page itself says is heard after those.
    await page.evaluate(() => document.querySelector('numinex-thread')!.setAttribute('theme', 'light'))
    await expect.poll(() => frame.evaluate(() => document.documentElement.dataset['theme'])).toBe('light')
    expect((await page.locator('numinex-thread').boundingBox())!.height).toBe(height)
    await close()
  })

  test('fifty widgets in one page hold a few connections, and none once the page was hidden for an hour', async () => {
    const opened = await visit(browser, { viewport: { width: 900, height: 1200 } })
    const { page, context } = opened
    await context.clock.install()
    let open = 0
    let most = 0
    page.on('websocket', (socket) => {
      most = Math.max(most, ++open)
      socket.on('close', () => open--)
    })
    await page.goto(`${blog}/many`)
    for (let y = 0; y < 50; y += 4) {
      await page.locator('numinex-thread').nth(y).scrollIntoViewIfNeeded()
      await drawn(page)
    }
    await expect
      .poll(() => page.frames().filter((frame) => frame.url().includes('/embed/frame')).length)
      .toBe(50)
    await expect.poll(() => open, { timeout: 20_000 }).toBeGreaterThan(0)
    // One that makes room closes its connection while another opens its own.
    expect(most).toBeLessThanOrEqual(liveWidgets + 2)
    for (const frame of page.frames())
      await frame.evaluate(() => {
        Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => 'hidden' })
        document.dispatchEvent(new Event('visibilitychange'))
      })
    await context.clock.fastForward(3_600_000)
    await expect.poll(() => open, { timeout: 20_000 }).toBe(0)
    for (const frame of page.frames())
      await frame.evaluate(() => {
        Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => 'visible' })
        document.dispatchEvent(new Event('visibilitychange'))
      })
    await expect.poll(() => open, { timeout: 20_000 }).toBeGreaterThan(0)
    expect(open).toBeLessThanOrEqual(liveWidgets)
    console.log(`sockets: at most ${most} at a time while scrolling past 50 widgets, ${open} in view`)
    await opened.close()
  })

  test('what the host has included is read until the widget takes over in its place', async () => {
    const { thread } = await comment(`${blog}/included`, 'Readable by anything.')
    const who = await guest(node.url, 'Grace')
    for (let i = 0; i < 30; i++)
      await ask(who, 'POST', `${node.url}/api/threads/${thread}/posts`, {
        parent: 1,
        body: `Thought ${i}. `.repeat(20),
        clientId: crypto.randomUUID(),
      })
    const still = await visit(browser, { javaScriptEnabled: false })
    await still.page.goto(`${blog}/included`)
    expect(await still.page.locator('numinex-thread').textContent()).toContain('Readable by anything.')
    expect(await still.page.locator('numinex-thread script').count()).toBe(0)
    await still.close()

    const { page, close } = await openHost(`${blog}/included`)
    // The reader is in the middle of it when the widget comes.
    let release = () => {}
    const held = new Promise<void>((resolve) => (release = resolve))
    await page.route('**/embed/frame*', async (route) => {
      await held
      await route.continue()
    })
    // Not until all of it is loaded: the frame may be part of that by then.
    await page.reload({ waitUntil: 'domcontentloaded' })
    const reading = page.locator('[data-post="20"]')
    await reading.evaluate((element) => element.scrollIntoView({ block: 'start' }))
    const read = await page.evaluate(() => {
      const posts = [...document.querySelectorAll<HTMLElement>('[data-post]')]
      const first = posts.find((post) => post.getBoundingClientRect().top > 0)!
      return { number: first.dataset['post']!, top: first.getBoundingClientRect().top }
    })
    release()
    const frame = await widget(page)
    await expect
      .poll(async () => {
        const outer = (await page.locator('numinex-thread').boundingBox())!
        const inner = await frame.evaluate(
          (number) => document.getElementById(`p${number}`)!.getBoundingClientRect().top,
          read.number,
        )
        return Math.abs(outer.y + inner - read.top) < 1
      })
      .toBe(true)
    await close()
  })

  test('a guest is the same on the next visit, though the browser refuses the frame its storage', async () => {
    const { page, close } = await visit(browser)
    await page.goto(`${blog}/essays/again`)
    await write(await widget(page), 'I will be back.', 'Ada')
    await page.reload()
    const frame = await widget(page)
    await expect(frame.evaluate(() => localStorage.length)).rejects.toThrow('denied')
    await frame.locator('.me', { hasText: 'Ada' }).waitFor()
    await write(frame, 'And here I am.')
    await frame.getByRole('button', { name: 'Sign out' }).click()
    await frame.getByRole('link', { name: 'Sign in' }).waitFor()
    await close()
  })

  test('lists show how many comments their pages have', async () => {
    await comment(`${blog}/essays/maps`, 'One.')
    const { page, close } = await openHost(blog)
    await expect.poll(() => page.locator('numinex-count').allTextContents()).toEqual(['0', '1', '0'])
    const counted = host.requests.length
    expect(counted).toBeGreaterThan(0)
    await close()
  })

  test('the look follows the page', async () => {
    const { page, close } = await openHost(`${blog}/essays/look`, { colorScheme: 'light' })
    const frame = await widget(page)
    const theme = () => frame.evaluate(() => document.documentElement.dataset['theme'])
    const accent = () =>
      frame.evaluate(() => getComputedStyle(document.querySelector('#reply-root')!).backgroundColor)
    await expect.poll(theme).toBe('light')
    expect(await accent()).toBe('rgb(165, 67, 42)')
    await page.locator('#scheme').click()
    await expect.poll(theme).toBe('dark')
    await expect.poll(accent).toBe('rgb(232, 164, 143)')
    await page.locator('#scheme').click()
    await expect.poll(theme).toBe('light')
    await close()
  })
})
