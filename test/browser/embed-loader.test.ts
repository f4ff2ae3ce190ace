import type { Browser, Frame, Page } from 'playwright-core'
import { extractText, getDocumentProxy } from 'unpdf'
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test } from 'vitest'
import { liveWidgets } from '../../shared/widget.ts'
import { drawn, visit, type Visit } from '../helpers/browser.ts'
import { launchChromium } from '../helpers/chromium.ts'
import { startEmbedHosts, type EmbedHosts, type FakeFrame } from '../helpers/embed-host.ts'
import { soon } from '../helpers/pages.ts'
import { describeWith } from '../helpers/services.ts'

declare global {
  interface Window {
    /** Events of the page's widgets, as type and detail. */
    told: [type: string, detail: unknown][]
    /** All shifts of the layout, as browsers score them. */
    shifted: number
  }
}

/** A widget that tells its events, in a page that notes shifts of its layout. */
const thread = '<numinex-thread></numinex-thread>'
const far = '<div style="height:3000px"></div>'

describeWith('chromium', 'the loader in a host page', () => {
  let browser: Browser
  let hosts: EmbedHosts

  beforeAll(async () => {
    hosts = await startEmbedHosts()
    browser = await launchChromium()
  })
  afterAll(async () => {
    await browser?.close()
    hosts?.close()
  })
  afterEach(() => hosts.clear())

  async function open(address: string, before?: (page: Page) => Promise<void>): Promise<Visit> {
    const visitor = await visit(browser, { viewport: { width: 800, height: 600 } })
    onTestFinished(() => visitor.close())
    await visitor.page.addInitScript(() => {
      window.told = []
      window.shifted = 0
      for (const type of ['ready', 'count', 'post', 'error', 'signin'])
        addEventListener(
          type,
          (event) => {
            if (event.target instanceof Element && event.target.localName === 'numinex-thread')
              window.told.push([type, (event as CustomEvent).detail])
          },
          true,
        )
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries() as (PerformanceEntry & { value: number })[])
          window.shifted += entry.value
      }).observe({ type: 'layout-shift', buffered: true })
    })
    await before?.(visitor.page)
    await visitor.page.goto(address)
    return visitor
  }

  const framesOf = (page: Page) =>
    page.frames().filter((frame) => frame.url().startsWith(`${hosts.numinex}/embed/frame`))
  const askedFrames = () => hosts.asked.filter((path) => path.startsWith('/embed/frame?'))
  const query = (path: string) => Object.fromEntries(new URL(path, hosts.numinex).searchParams)

  /** The one frame of the page, when its widget listens and has been told everything. */
  async function onlyFrame(page: Page): Promise<Frame> {
    await expect.poll(() => framesOf(page).length, soon).toBe(1)
    const [frame] = framesOf(page)
    await frame!.waitForFunction(() => (window as unknown as FakeFrame).heard?.length > 0)
    return frame!
  }
  const say = (frame: Frame, message: object) =>
    frame.evaluate((message) => (window as unknown as FakeFrame).say(message), message)
  const lastHeard = (frame: Frame) =>
    frame.evaluate(() =>
      (window as unknown as FakeFrame).heard?.findLast(({ numinex }) => numinex === 'page'),
    )
  const heightOf = (page: Page) =>
    page
      .locator('numinex-thread')
      .first()
      .evaluate((element) => element.getBoundingClientRect().height)

  test('opens nothing until it is near the view, and then one frame that knows the page', async () => {
    const { page, complaints } = await open(hosts.put('/a', far + thread))
    await page.waitForFunction(() => customElements.get('numinex-thread') !== undefined)
    await drawn(page)
    expect(hosts.asked).toEqual([])
    await page.evaluate(() => scrollTo(0, 2500))
    const frame = await onlyFrame(page)
    expect(askedFrames()).toHaveLength(1)
    expect(query(askedFrames()[0]!)).toMatchObject({
      host: hosts.blog,
      url: `${hosts.blog}/a`,
      title: 'A page',
    })
    await expect.poll(() => heightOf(page), soon).toBe(3000)
    expect(await lastHeard(frame)).toMatchObject({ live: true, token: '', scheme: 'light' })
    expect(complaints).toEqual([])
  })

  test('what the attributes say is in the frame’s address', async () => {
    const attributes = `url="/b?x=1" title="Mine" post="7" sort="newest" locale="de" collapsed read-only="false"`
    const { page } = await open(hosts.put('/a', `<numinex-thread ${attributes}></numinex-thread>`))
    await onlyFrame(page)
    expect(query(askedFrames()[0]!)).toMatchObject({
      url: `${hosts.blog}/b?x=1`,
      title: 'Mine',
      post: '7',
      sort: 'newest',
      locale: 'de',
      collapsed: '',
      'read-only': 'false',
    })
  })

  test('its events and its height are those of the frame', async () => {
    const { page, complaints } = await open(hosts.put('/a', thread))
    const frame = await onlyFrame(page)
    await say(frame, { numinex: 'count', posts: 4 })
    await say(frame, { numinex: 'post', thread: 'k3v9x2q7ab', number: 5 })
    await say(frame, { numinex: 'signin', reason: 'wanted' })
    await say(frame, { numinex: 'size', height: 432 })
    await expect.poll(() => heightOf(page), soon).toBe(432)
    expect(await page.evaluate(() => window.told)).toEqual([
      ['ready', { posts: 30 }],
      ['count', { posts: 4 }],
      ['post', { thread: 'k3v9x2q7ab', number: 5 }],
      ['signin', { reason: 'wanted' }],
    ])
    expect(complaints).toEqual([])
  })

  test('an error of the frame is an event, and stands in the console', async () => {
    const { page, complaints } = await open(hosts.put('/a', thread))
    await say(await onlyFrame(page), {
      numinex: 'error',
      code: 'page-not-allowed',
      message: 'Not from here.',
    })
    const error = ['error', { code: 'page-not-allowed', message: 'Not from here.' }]
    await expect.poll(() => page.evaluate(() => window.told), soon).toContainEqual(error)
    expect(complaints.join()).toContain('Not from here.')
  })

  test('nobody else is taken for the frame', async () => {
    hosts.put('/evil', '', {
      head: `<script>
        const tell = () => parent.postMessage({ numinex: 'size', height: 9999 }, '*')
        addEventListener('message', tell)
        tell()
      </script>`,
    })
    const strangers = [hosts.stranger, hosts.numinex, hosts.blog].map(
      (at) => `<iframe src="${at}/evil"></iframe>`,
    )
    const { page, complaints } = await open(hosts.put('/a', thread + strangers.join('')))
    const frame = await onlyFrame(page)
    await page.evaluate(async () => {
      const heard = (from: number) =>
        new Promise<void>((resolve) => {
          addEventListener('message', () => (from-- > 1 ? undefined : resolve()))
        })
      const answers = heard(4)
      for (const frame of document.querySelectorAll('iframe')) frame.contentWindow!.postMessage('go', '*')
      window.postMessage({ numinex: 'size', height: 9999 }, '*')
      await answers
    })
    await expect.poll(() => heightOf(page), soon).toBe(3000)
    // Nor is it believed everything.
    for (const wrong of [
      { numinex: 'size', height: 'auto' },
      { numinex: 'size' },
      { numinex: 'toString' },
      { numinex: 'post', thread: 'k3v9x2q7ab' },
      null,
    ])
      await say(frame, wrong as object)
    await say(frame, { numinex: 'size', height: 200 })
    await expect.poll(() => heightOf(page), soon).toBe(200)
    expect(await page.evaluate(() => window.told)).toEqual([['ready', { posts: 30 }]])
    expect(complaints).toEqual([])
    // A stranger whom the frame was led to sits in the same window.
    const led = page.evaluate(
      () =>
        new Promise<string>((resolve) => {
          addEventListener('message', ({ origin }) => resolve(origin))
        }),
    )
    await frame.evaluate((address) => (location.href = address), `${hosts.stranger}/evil`)
    expect(await led).toBe(hosts.stranger)
    expect(await heightOf(page)).toBe(200)
  })

  test('the look of the page is followed live', async () => {
    const head = `<script src="${hosts.numinex}/embed.js" async></script><style>
      :root { color-scheme: light dark } body.night { background: #111; color: #eee; --numinex-accent: #fc0 }
    </style>`
    const { page } = await open(hosts.put('/a', `<main>${thread}</main>`, { head }))
    const frame = await onlyFrame(page)
    const now = async () => {
      const { theme, scheme, styles } = (await lastHeard(frame))!
      return { theme, scheme, accent: (styles as string[])[0]!.trim() }
    }
    expect(await now()).toEqual({ theme: '', scheme: 'light', accent: '' })
    await page.evaluate(() => document.body.classList.add('night'))
    await expect.poll(now, soon).toEqual({ theme: '', scheme: 'dark', accent: '#fc0' })
    await page.evaluate(() => document.body.style.setProperty('--numinex-accent', 'teal'))
    await expect.poll(now, soon).toEqual({ theme: '', scheme: 'dark', accent: 'teal' })
    await page.evaluate(() => {
      document.body.removeAttribute('style')
      document.body.classList.remove('night')
      document.querySelector('main')!.style.color = 'white'
    })
    await expect.poll(now, soon).toEqual({ theme: '', scheme: 'dark', accent: '' })
    await page.evaluate(() => document.querySelector('main')!.removeAttribute('style'))
    await expect.poll(now, soon).toEqual({ theme: '', scheme: 'light', accent: '' })
    await page.emulateMedia({ colorScheme: 'dark' })
    await expect.poll(now, soon).toEqual({ theme: '', scheme: 'dark', accent: '' })
    await page.locator('numinex-thread').evaluate((element) => element.setAttribute('theme', 'light'))
    await expect.poll(now, soon).toEqual({ theme: 'light', scheme: 'dark', accent: '' })
  })

  test('the reader’s token goes to the frame, from the attribute or the property', async () => {
    const { page } = await open(hosts.put('/a', '<numinex-thread user-token="one"></numinex-thread>'))
    const frame = await onlyFrame(page)
    const token = async () => (await lastHeard(frame))!['token']
    expect(await token()).toBe('one')
    const set = (token: string | null) =>
      page
        .locator('numinex-thread')
        .evaluate((element, token) => Object.assign(element, { userToken: token }), token)
    await set('two')
    await expect.poll(token, soon).toBe('two')
    await set(null)
    await expect.poll(token, soon).toBe('')
    expect(askedFrames()).toHaveLength(1)
  })

  test('a token that was set before the script was there is not lost', async () => {
    const { page } = await open(hosts.put('/a', thread, { head: '' }))
    await page.locator('numinex-thread').evaluate((element) => Object.assign(element, { userToken: 'early' }))
    await page.addScriptTag({ url: `${hosts.numinex}/embed.js` })
    const frame = await onlyFrame(page)
    const token = async () => (await lastHeard(frame))!['token']
    expect(await token()).toBe('early')
    await page.locator('numinex-thread').evaluate((element) => Object.assign(element, { userToken: 'late' }))
    await expect.poll(token, soon).toBe('late')
  })

  test('a widget with an address that is none harms no other', async () => {
    const { page } = await open(hosts.put('/a', `<numinex-thread url="http://"></numinex-thread>${thread}`))
    await expect
      .poll(() => framesOf(page).map((frame) => query(frame.url())['url']), soon)
      .toContain(`${hosts.blog}/a`)
  })

  test('of fifty widgets only so many are live, and others when the reader goes on', async () => {
    const widgets = Array.from(
      { length: 50 },
      (_, i) => `<div style="height:100px"><numinex-thread url="/many/${i}?tall=1"></numinex-thread></div>`,
    )
    const { page } = await open(hosts.put('/a', widgets.join('')))
    const live = async () => {
      const heard = await Promise.all(
        framesOf(page).map(async (frame) => [frame.url(), await lastHeard(frame)] as const),
      )
      return heard.flatMap(([url, last]) => (last?.['live'] === true ? [query(url)['url']!] : []))
    }
    for (let y = 0; y <= 5000; y += 500) {
      await page.evaluate((y) => scrollTo(0, y), y)
      await drawn(page)
    }
    await expect.poll(() => askedFrames().length, soon).toBe(50)
    await expect.poll(async () => (await live()).length, soon).toBe(liveWidgets)
    const before = await live()
    await page.evaluate(() => scrollTo(0, 0))
    await expect.poll(async () => (await live()).some((url) => !before.includes(url)), soon).toBe(true)
    expect((await live()).length).toBeLessThanOrEqual(liveWidgets)
  })

  test('included twice, and from two servers, it is there once', async () => {
    const scripts = [hosts.numinex, hosts.numinex, hosts.stranger].map(
      (at) => `<script src="${at}/embed.js"></script>`,
    )
    const { page, complaints } = await open(hosts.put('/a', thread, { head: scripts.join('') }))
    await onlyFrame(page)
    expect(page.frames().filter((frame) => frame.url().includes('/embed/frame'))).toHaveLength(1)
    expect(complaints).toEqual([])
  })

  test('it leaves nothing in the page but its element: no names, no cookies, no storage', async () => {
    const { page } = await open(hosts.put('/a', thread, { head: '' }))
    const names = () => page.evaluate(() => Object.getOwnPropertyNames(window).sort())
    const before = await names()
    await page.addScriptTag({ url: `${hosts.numinex}/embed.js` })
    await onlyFrame(page)
    // Browsers give frames numbers; nothing else has come.
    expect((await names()).filter((name) => !before.includes(name) && !/^\d+$/.test(name))).toEqual([])
    expect(await page.evaluate(() => [document.cookie, localStorage.length, sessionStorage.length])).toEqual([
      '',
      0,
      0,
    ])
  })

  test('an application that changes the page gets another frame, and no step of the way back for it', async () => {
    const { page } = await open(hosts.put('/a', thread))
    await onlyFrame(page)
    const steps = await page.evaluate(() => history.length)
    await page.evaluate(() => history.pushState(null, '', '/b'))
    const shown = () => framesOf(page).map((frame) => query(frame.url())['url'])
    await expect.poll(shown, soon).toEqual([`${hosts.blog}/b`])
    await onlyFrame(page)
    expect(await page.evaluate(() => history.length)).toBe(steps + 1)
    await page.goBack()
    await expect.poll(shown, soon).toEqual([`${hosts.blog}/a`])
    await page.evaluate(() => (location.hash = '#numinex-17'))
    const frame = await onlyFrame(page)
    await expect.poll(async () => (await lastHeard(frame))!['hash'], soon).toBe('#numinex-17')
    await page.locator('numinex-thread').evaluate((element) => element.setAttribute('thread', 'k3v9x2q7ab'))
    await expect
      .poll(() => framesOf(page).map((frame) => query(frame.url())['thread']), soon)
      .toEqual(['k3v9x2q7ab'])
  })

  test('an application may say its title and its canonical address after it has changed the page', async () => {
    const head = `<script src="${hosts.numinex}/embed.js" async></script><link rel="canonical" href="/a">`
    const { page } = await open(hosts.put('/a', thread, { head }))
    await onlyFrame(page)
    await page.evaluate(() => {
      history.pushState(null, '', '/b')
      requestAnimationFrame(() => {
        document.querySelector('link')!.href = '/b'
        requestAnimationFrame(() => (document.title = 'Another page'))
      })
    })
    const shown = () => framesOf(page).map((frame) => query(frame.url()))
    await expect.poll(shown, soon).toMatchObject([{ url: `${hosts.blog}/b`, title: 'Another page' }])
    await page.evaluate(() => (document.querySelector('link')!.href = '/c'))
    await expect.poll(shown, soon).toMatchObject([{ url: `${hosts.blog}/c` }])
  })

  test('two heights that make each other do not alternate for ever', async () => {
    const { page } = await open(hosts.put('/a', `<main style="width:700px">${thread}</main>`))
    const frame = await onlyFrame(page)
    // As with a scroll bar: it comes with a high page and takes some width, in which the page gets lower.
    await page.evaluate(() => {
      const main = document.querySelector('main')!
      new ResizeObserver(() => {
        main.style.width = main.offsetHeight > 600 ? '685px' : '700px'
      }).observe(main)
    })
    await frame.evaluate(() => {
      const fake = window as unknown as FakeFrame
      fake.height = () => (innerWidth < 700 ? 595 : 605)
      fake.say({ numinex: 'size', height: 605 })
    })
    await expect.poll(() => heightOf(page), soon).toBe(605)
    const sizes = () => frame.evaluate(() => (window as unknown as FakeFrame).sizes)
    const before = await sizes()
    for (let frames = 0; frames < 30; frames++) await drawn(page)
    expect(await sizes()).toBeLessThan(before + 5)
    expect(await heightOf(page)).toBe(605)
  })

  test('moved by moveBefore it keeps its frame', async () => {
    const { page } = await open(hosts.put('/a', `<main>${thread}</main><aside></aside>`))
    const frame = await onlyFrame(page)
    await page.evaluate(() => {
      document.querySelector('aside')!.moveBefore(document.querySelector('numinex-thread')!, null)
    })
    await say(frame, { numinex: 'size', height: 300 })
    await expect.poll(() => heightOf(page), soon).toBe(300)
    expect(askedFrames()).toHaveLength(1)
  })

  test('printed, the page holds the whole thread', async () => {
    const { page } = await open(hosts.put('/a', thread))
    await onlyFrame(page)
    await expect.poll(() => heightOf(page), soon).toBe(3000)
    const pdf = await getDocumentProxy(new Uint8Array(await page.pdf()))
    const { text } = await extractText(pdf, { mergePages: true })
    for (const number of [2, 16, 31]) expect(text).toContain(`Post ${number}`)
  })

  test('moved in the page it goes on; removed, nothing of it stays', async () => {
    const { page, complaints } = await open(hosts.put('/a', `<main>${thread}</main><aside></aside>`))
    const first = await onlyFrame(page)
    await page.evaluate(() =>
      document.querySelector('aside')!.append(document.querySelector('numinex-thread')!),
    )
    await expect.poll(() => first.isDetached(), soon).toBe(true)
    const frame = await onlyFrame(page)
    await say(frame, { numinex: 'size', height: 300 })
    await expect.poll(() => heightOf(page), soon).toBe(300)

    const removed = await page.evaluateHandle(() => {
      const element = document.querySelector('numinex-thread')!
      element.remove()
      return new WeakRef(element)
    })
    await expect.poll(() => framesOf(page).length, soon).toBe(0)
    const devtools = await page.context().newCDPSession(page)
    const gone = async () => {
      await devtools.send('HeapProfiler.collectGarbage')
      return removed.evaluate((ref) => ref.deref() === undefined)
    }
    await expect.poll(gone, soon).toBe(true)
    expect(complaints).toEqual([])
  })

  test('a frame that does not answer is an error, and is tried again', async () => {
    hosts.broken = 'frames'
    const { page } = await open(hosts.put('/a', thread), (page) => page.clock.install())
    await expect.poll(() => askedFrames().length, soon).toBe(1)
    await page.clock.fastForward(12_000)
    const told = () => page.evaluate(() => window.told.map(([type]) => type))
    await expect.poll(told, soon).toEqual(['error'])
    expect(await page.evaluate(() => window.told[0]![1])).toMatchObject({ code: 'unavailable' })
    hosts.broken = undefined
    await page.context().setOffline(true)
    await page.context().setOffline(false)
    await page.clock.fastForward(1_000)
    await expect.poll(told, soon).toEqual(['error', 'ready'])
  })

  test('a page with a strict content policy has to allow the server, and nothing else', async () => {
    const { numinex } = hosts
    const policy = `default-src 'none'; script-src ${numinex}; frame-src ${numinex}; connect-src ${numinex}; require-trusted-types-for 'script'`
    const head = ['embed', 'embed-count'].map((name) => `<script src="${numinex}/${name}.js" async></script>`)
    const body = `<numinex-count url="/n/12">?</numinex-count>${thread}`
    const { page, complaints } = await open(
      hosts.put('/a', body, { head: head.join(''), headers: { 'content-security-policy': policy } }),
    )
    await onlyFrame(page)
    await expect.poll(() => page.locator('numinex-count').textContent(), soon).toBe('12')
    await expect.poll(() => heightOf(page), soon).toBe(3000)
    expect(complaints).toEqual([])
  })

  /** Comments as the host's own server has put them into the element, each of them `tall` pixels high. */
  const included = (tall: number) =>
    Array.from({ length: 30 }, (_, i) => {
      const post = `<article data-post="${i + 2}" style="height:${tall - 4}px">Post ${i + 2}</article>`
      return `<div style="height:${tall}px">${post}</div>`
    }).join('')
  const topOf = (within: Page | Frame, selector: string) =>
    within
      .locator(selector)
      .last()
      .evaluate((element) => element.getBoundingClientRect().top)
  const takenOver = (page: Page) =>
    expect
      .poll(
        () =>
          page
            .locator('[data-post]')
            .first()
            .evaluate((element) => element.checkVisibility()),
        soon,
      )
      .toBe(false)

  test.each([
    ['of the same height', 10, 10],
    ['lower', 10, 5],
  ])('takes over what the page held, %s, without moving what is below it', async (_, before, after) => {
    const body = `<numinex-thread url="/a?tall=${after}">${included(before)}</numinex-thread><p id="below">Below</p>`
    const { page } = await open(hosts.put('/a', body))
    await onlyFrame(page)
    await takenOver(page)
    await drawn(page)
    expect(await page.evaluate(() => window.shifted)).toBe(0)
    expect(
      await page.locator('#below').evaluate((element) => element.getBoundingClientRect().top),
    ).toBeCloseTo(8 + 30 * before + 16, 0)
  })

  test.each([
    ['a comment is read', '', 14, 1606],
    [
      'the long last one is read',
      '<article data-post="31" style="height:2000px">The last</article>',
      31,
      3900,
    ],
  ])('takes over while %s, which stays where it is', async (_, last, number, scrolled) => {
    const body = `<div style="height:400px"></div><numinex-thread url="/a?tall=130">${included(100)}${last}</numinex-thread>${far}`
    const { page } = await open(hosts.put('/a', body, { head: '' }))
    await page.evaluate((y) => scrollTo(0, y), scrolled)
    const before = await topOf(page, `[data-post="${number}"]`)
    await page.addScriptTag({ url: `${hosts.numinex}/embed.js` })
    const frame = await onlyFrame(page)
    await takenOver(page)
    await drawn(page)
    const after = (await topOf(page, 'numinex-thread')) + (await topOf(frame, `#p${number}`))
    expect(after).toBeCloseTo(before, 0)
  })

  test('takes over without leaving room for what only the page’s own comments filled', async () => {
    const body = `<p>Above</p><numinex-thread url="/a?tall=5">${included(60)}</numinex-thread>`
    const { page } = await open(hosts.put('/a', body))
    await onlyFrame(page)
    await takenOver(page)
    expect(await heightOf(page)).toBeLessThan(600)
  })

  test('what grows above the view scrolls the page by as much', async () => {
    const { page } = await open(hosts.put('/a', thread))
    const frame = await onlyFrame(page)
    await expect.poll(() => heightOf(page), soon).toBe(3000)
    // Many pages scroll smoothly; this must not.
    await page.evaluate(() => {
      scrollTo(0, 1000)
      document.documentElement.style.scrollBehavior = 'smooth'
    })
    await drawn(page)
    const scrolled = page.evaluate(
      () =>
        new Promise<number>((resolve) => {
          addEventListener('message', ({ data }: MessageEvent<{ numinex: string }>) => {
            if (data.numinex === 'shift') resolve(scrollY)
          })
        }),
    )
    await say(frame, { numinex: 'size', height: 3070 })
    await say(frame, { numinex: 'shift', by: 70 })
    expect(await scrolled).toBe(1070)
    await say(frame, { numinex: 'reveal', top: 500, to: 96 })
    await expect
      .poll(
        () => page.locator('numinex-thread').evaluate((element) => element.getBoundingClientRect().top),
        soon,
      )
      .toBe(-404)
  })

  test('counts are asked for together, and are what the page said where they are not known', async () => {
    const counts = Array.from({ length: 60 }, (_, i) => `<numinex-count url="/n/${i}">?</numinex-count>`)
    const body = `${counts.join('')}<numinex-count url="/nothing">none</numinex-count><numinex-count thread="k3v9x2q7a7">?</numinex-count>`
    const { page, complaints } = await open(hosts.put('/a', body, { head: '' }))
    await page.addScriptTag({ url: `${hosts.numinex}/embed-count.js` })
    const shown = () => page.locator('numinex-count').allTextContents()
    const expected = [...counts.map((_, i) => String(i)), 'none', '7']
    await expect.poll(shown, soon).toEqual(expected)
    expect(hosts.asked).toHaveLength(2)
    await page.evaluate(() => {
      const element = document.querySelector('[url="/n/3"]')!
      element.setAttribute('url', '/n/99')
    })
    await expect.poll(shown, soon).toEqual(expected.with(3, '99'))
    hosts.broken = 'counts'
    await page.evaluate(() =>
      document.body.insertAdjacentHTML('beforeend', '<numinex-count url="/n/5">mine</numinex-count>'),
    )
    await expect.poll(() => hosts.asked.length, soon).toBe(4)
    await drawn(page)
    expect(await shown()).toEqual([...expected.with(3, '99'), 'mine'])
    expect(complaints.filter((line) => !line.includes('503'))).toEqual([])
  })

  test('a widget knows the count of its page better', async () => {
    const scripts = ['embed', 'embed-count'].map(
      (name) => `<script src="${hosts.numinex}/${name}.js"></script>`,
    )
    const body = `<numinex-count>?</numinex-count><numinex-count url="/n/1">?</numinex-count>${thread}`
    const { page } = await open(hosts.put('/a', body, { head: scripts.join('') }))
    await say(await onlyFrame(page), { numinex: 'count', posts: 42 })
    await expect.poll(() => page.locator('numinex-count').allTextContents(), soon).toEqual(['42', '1'])
  })
})
