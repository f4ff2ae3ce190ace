import pg from 'pg'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { linkId } from '../../server/links/link-id.ts'
import type { Post } from '../../shared/post.ts'
import { visit, type Visit } from '../helpers/browser.ts'
import { launchChromium } from '../helpers/chromium.ts'
import { ask, guest, startNode, type Guest, type TestNode } from '../helpers/node.ts'
import { actionOn, composer, openThreadPage, reach, soon, waitUntilLive } from '../helpers/pages.ts'
import type { TestDatabase } from '../helpers/postgres.ts'
import { addReply, newThread, readThread } from '../helpers/postings.ts'
import { createDatabase, describeWith } from '../helpers/services.ts'
import { nameVectors, vectors, type Vector } from '../security/xss-corpus.ts'

/** What a page's console says when a vector has run. */
const fired = 'A VECTOR HAS RUN'
const lanes = 6
const embedsPerPost = 10
/** Vectors that are names, titles and link texts too: all of those that are short and of one line. */
const shortVectors = [...nameVectors, ...vectors].filter(
  ({ body }) => body.length <= 60 && !/[\r\n]/.test(body),
)

describeWith(['postgres', 'chromium'], 'hostile texts in a real browser', () => {
  let database: TestDatabase
  let node: TestNode
  let browser: Browser
  let host: Guest
  /** A thread whose posts were made from all vectors, and edited to others. */
  let thread: string
  const open: Visit[] = []

  beforeAll(async () => {
    database = await createDatabase()
    node = await startNode({ DATABASE_URL: database.url, RATE_LIMITS: 'off' })
    browser = await launchChromium()
    host = await guest(node.url, 'Hedda Host')
  })
  afterAll(async () => {
    await browser?.close()
    await node?.kill('SIGKILL')
    await database?.drop()
  })
  afterEach(async () => {
    await Promise.all(open.splice(0).map((each) => each.close()))
  })

  /** A window that would notice. Without the content policy, which would hide what only it keeps from running. */
  async function witness(bypassCSP = true): Promise<Visit & { pages: Page[] }> {
    const visitor = await visit(browser, { bypassCSP })
    open.push(visitor)
    const pages: Page[] = [visitor.page]
    visitor.context.on('page', (page) => pages.push(page))
    await visitor.context.addInitScript((words) => {
      Object.defineProperty(window, '__xss', {
        get: () => undefined,
        set() {
          console.error(words)
        },
      })
    }, fired)
    return { ...visitor, pages }
  }

  async function expectInert(visitor: Visit & { pages: Page[] }): Promise<void> {
    const { page } = visitor
    await provoke(page)
    expect(await suspects(page)).toEqual([])
    expect(visitor.complaints).toEqual([])
    expect(visitor.foreign).toEqual([])
    expect(visitor.pages).toHaveLength(1)
    expect(page.frames()).toHaveLength(1)
  }

  async function query(sql: string, values: unknown[]): Promise<void> {
    const client = new pg.Client({ connectionString: database.url })
    await client.connect()
    try {
      await client.query(sql, values)
    } finally {
      await client.end()
    }
  }

  test('would be noticed: put in as they are, they run, and the content policy stops them', async () => {
    const raw = '<p><img src="/none" onerror="window.__xss=1"></p>'
    const other = await newThread(node.url, host)
    await query('UPDATE posts SET html = $1 WHERE thread_id = $2', [raw, other])
    const without = await witness()
    await without.page.goto(`${node.url}/t/${other}`)
    await expect.poll(() => without.complaints, soon).toContain(fired)
    expect(await suspects(without.page)).toEqual(['<img>', 'onerror= on <img>'])
    const withPolicy = await witness(false)
    await withPolicy.page.goto(`${node.url}/t/${other}`)
    await expect.poll(() => withPolicy.complaints.join(), soon).toMatch(/Content Security Policy/)
    await waitUntilLive(withPolicy.page)
    expect(withPolicy.complaints).not.toContain(fired)
  })

  test('all of them, created and edited and quoted, as they come live', { timeout: 180_000 }, async () => {
    expect(vectors.length).toBeGreaterThanOrEqual(200)
    thread = await newThread(node.url, host, { title: 'All vectors' })
    const reader = await witness()
    await openThreadPage(reader.page, node.url, thread)

    const posts: Post[] = []
    let quoted = 0
    await inLanes<Vector, { post: Post; body: string }>(vectors, async ({ body }, previous) => {
      const parent = previous?.post.number ?? 1
      const quote = previous && { number: previous.post.number, text: previous.body.slice(0, 2_000) }
      const post = await addReply(node.url, host, thread, { parent, body, ...(quote && { quote }) }).catch(
        () => addReply(node.url, host, thread, { parent, body }),
      )
      if (post.quote) quoted++
      posts.push(post)
      return { post, body }
    })
    expect(posts).toHaveLength(vectors.length)
    expect(quoted).toBeGreaterThan(200)
    await untilCaughtUp(reader.page, thread)
    await expectInert(reader)

    // Every text once more, now as an edit of another.
    await inLanes(posts, async (post) => {
      const { body } = vectors[(post.number * 7) % vectors.length]!
      await ask(host, 'PATCH', `${node.url}/api/threads/${thread}/posts/${post.number}`, {
        body,
        seq: post.seq,
      })
    })
    await untilCaughtUp(reader.page, thread)
    await expectInert(reader)
  })

  test(
    'all of them on pages that the server renders, with the content policy and without',
    { timeout: 120_000 },
    async () => {
      for (const bypass of [true, false]) {
        const reader = await witness(bypass)
        for (const address of [`/t/${thread}`, `/t/${thread}/100`, '/']) {
          await reader.page.goto(node.url + address)
          await reader.page.locator('.alive').waitFor()
          await expectInert(reader)
        }
      }
    },
  )

  test(
    'names, titles and quoted names: threads, permalinks, the front page, feeds',
    { timeout: 180_000 },
    async () => {
      const taken: { thread: string; name: string }[] = []
      await inLanes(nameVectors, async ({ body }) => {
        const who = await guest(node.url, body)
        const { thread: made, posts } = await ask<{ thread: { id: string }; posts: Post[] }>(
          who,
          'POST',
          `${node.url}/api/threads`,
          { title: body, body },
        )
        const { name } = posts[0]!.author
        const quote = { number: 1, text: body }
        const reply = await addReply(node.url, who, made.id, { body, quote }).catch(() =>
          addReply(node.url, who, made.id, { body }),
        )
        await addReply(node.url, who, made.id, {
          parent: reply.number,
          body: `/t/${made.id}/1\n\n/t/${made.id}/2`,
        })
        taken.push({ thread: made.id, name })
      })
      expect(taken).toHaveLength(nameVectors.length)

      const reader = await witness()
      for (const address of ['/', `/t/${taken[0]!.thread}`]) {
        await reader.page.goto(node.url + address)
        await reader.page.locator('.alive').waitFor()
        await expectInert(reader)
      }
      for (const { thread: id, name } of taken) {
        await reader.page.goto(`${node.url}/t/${id}/2`)
        await waitUntilLive(reader.page)
        expect(await reader.page.locator('#p2 .name').textContent()).toBe(name)
        // What is folded or removed on the way to a title is told by the thread's own heading.
        const title = await reader.page.locator('h1').textContent()
        expect(await reader.page.title()).toBe(`${name} on “${title}”`.replace(/\s+/g, ' ').trim())
        await expectInert(reader)
      }
      for (const address of [
        '/feed.xml',
        `/t/${thread}/feed.xml`,
        ...taken.map((at) => `/t/${at.thread}/feed.xml`),
      ]) {
        const feed = await reader.page.evaluate(async (from) => {
          const xml = new DOMParser().parseFromString(await (await fetch(from)).text(), 'application/xml')
          return {
            root: xml.documentElement.localName,
            names: [...new Set([...xml.querySelectorAll('*')].map((e) => e.localName))],
          }
        }, address)
        expect(feed.root).toBe('feed')
        for (const name of feed.names)
          expect([
            'feed',
            'id',
            'title',
            'updated',
            'link',
            'entry',
            'author',
            'name',
            'published',
            'content',
            'summary',
          ]).toContain(name)
      }
      await reader.page.goto(`${node.url}/feed.xml`).catch(() => undefined)
      expect(reader.complaints).toEqual([])
    },
  )

  test('what a linked page says of itself, and where a link leads', { timeout: 120_000 }, async () => {
    // As if those pages had been found: titles, sites, descriptions and images in the words of the corpus.
    const urls = shortVectors.map((_, i) => `https://links.example/${i}`)
    for (const [i, { body }] of shortVectors.entries()) {
      const hostile = /^[a-z]+:/i.test(body) ? body.replaceAll('\0', '') : urls[i]!
      const text = body.replaceAll('\0', '').toWellFormed()
      await query(
        `INSERT INTO links (id, url, state, title, site, description, image_url, checked_at)
         VALUES ($1, $2, 'found', $3, $3, $3, $4, now())`,
        [linkId(urls[i]!), hostile.toWellFormed(), text, i % 2 === 0 ? null : text],
      )
    }
    const other = await newThread(node.url, host, { title: 'Links' })
    const reader = await witness()
    await openThreadPage(reader.page, node.url, other)
    for (let i = 0; i < urls.length; i += embedsPerPost) {
      const body = urls.slice(i, i + embedsPerPost).join('\n\n')
      await addReply(node.url, host, other, { body })
    }
    // And posts that show vectors as live quotes.
    for (let number = 2; number <= 200; number += embedsPerPost) {
      const paths = Array.from({ length: embedsPerPost }, (_, i) => `/t/${thread}/${number + i}`)
      await addReply(node.url, host, other, { body: paths.join('\n\n') })
    }
    await untilCaughtUp(reader.page, other)
    expect(await reader.page.locator('a.card').count()).toBe(urls.length)
    expect(await reader.page.locator('.card-post').count()).toBeGreaterThan(150)
    // Images come from this server only, and it has none of these.
    const complaints = reader.complaints as string[]
    const settle = () => complaints.splice(0).filter((line) => !/Failed to load resource/.test(line))
    expect(settle()).toEqual([])
    await expectInert({ ...reader, complaints: [] })
    await reader.page.reload()
    await waitUntilLive(reader.page)
    await expectInert({ ...reader, complaints: [] })
    expect(settle()).toEqual([])
  })

  test('in the preview and in the text field', { timeout: 180_000 }, async () => {
    const writer = await witness()
    const { page } = writer
    const other = await newThread(node.url, host)
    await openThreadPage(page, node.url, other)
    await page.locator('#reply-root').click()
    await composer(page).text.fill('First')
    await composer(page).name.fill('<img src=x onerror=window.__xss=1>')
    await composer(page).send.click()
    await page.locator('#p2').waitFor()
    await actionOn(page, 2, 'reply').click()
    // Most stay within their paragraphs and need not come one by one.
    const greedy = /^\s*(```|~~~|\$\$|---)/m
    const [modest, others] = [false, true].map((is) => vectors.filter(({ body }) => greedy.test(body) === is))
    const texts = others!.map(({ body }) => body)
    for (let i = 0; i < modest!.length; i += 20)
      texts.push(
        modest!
          .slice(i, i + 20)
          .map(({ body }) => body)
          .join('\n\n'),
      )
    for (const text of texts) {
      await composer(page).text.fill(text)
      await composer(page).preview.click()
      await page.locator('.composer-preview').waitFor()
      expect(await suspects(page)).toEqual([])
      await page.getByRole('button', { name: 'Write', exact: true }).click()
    }
    await expectInert(writer)

    const cookie = (await writer.context.cookies()).map(({ name, value }) => `${name}=${value}`).join('; ')
    for (const body of [
      '</textarea><img src=x onerror=window.__xss=1>',
      '"><script>window.__xss=1</script>',
    ]) {
      const answer = await fetch(`${node.url}/api/threads/${other}/posts`, {
        method: 'POST',
        headers: { cookie, 'content-type': 'application/json' },
        body: JSON.stringify({ parent: 1, body, clientId: crypto.randomUUID() }),
      })
      const { post } = (await answer.json()) as { post: Post }
      await page.locator(`#p${post.number}`).waitFor()
      await reach(page, post.number)
      await actionOn(page, post.number, 'edit').click()
      await expect.poll(() => composer(page).text.inputValue(), soon).toBe(body)
      await page.getByRole('button', { name: 'Close' }).click()
    }
    await expectInert(writer)
  })

  /** Waits until a page shows the thread as it stands. */
  async function untilCaughtUp(page: Page, id: string): Promise<void> {
    const { posts } = await readThread(node.url, id)
    const last = await addReply(node.url, host, id, { body: 'That was all' })
    await page.locator(`#p${last.number}`).waitFor({ timeout: 30_000 })
    await expect.poll(() => page.locator('#posts > .post[id]').count(), soon).toBe(posts.length + 1)
  }
})

/** Works through the items, several at a time; each gets what the one before it in its lane gave. */
async function inLanes<T, R>(
  items: readonly T[],
  work: (item: T, previous: R | undefined) => Promise<R>,
): Promise<void> {
  await Promise.all(
    Array.from({ length: lanes }, async (_, lane) => {
      let previous: R | undefined
      for (let i = lane; i < items.length; i += lanes) previous = await work(items[i]!, previous)
    }),
  )
}

/** Lays out every post and does to each element what readers do, so that nothing waits for them unseen. */
async function provoke(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const sheet = new CSSStyleSheet()
    sheet.replaceSync('.post { content-visibility: visible !important }')
    document.adoptedStyleSheets = [sheet]
    const kinds = [
      'mouseover',
      'mousemove',
      'pointerover',
      'focus',
      'toggle',
      'scroll',
      'animationstart',
      'load',
      'error',
    ]
    for (const element of document.querySelectorAll('.main *, .listed *, #head *, .composer-preview *'))
      for (const kind of kinds) element.dispatchEvent(new Event(kind))
    await new Promise<void>((resolve) => requestAnimationFrame(() => setTimeout(resolve)))
  })
}

/** Everything among what people wrote that could run or lead elsewhere than it says; empty where all is well. */
function suspects(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const found: string[] = []
    const active =
      'script, iframe, frame, object, embed, applet, base, meta, link, form, style, svg, template, noscript'
    for (const element of document.querySelectorAll('.main *, .listed *, #head *, .composer-preview *')) {
      const tag = `<${element.localName}>`
      if (element.matches(active)) found.push(tag)
      if (element.localName === 'img' && !element.matches('.card-image[src^="/api/links/"]')) found.push(tag)
      for (const { name, value } of element.attributes) {
        if (/^on/i.test(name)) found.push(`${name}= on ${tag}`)
        if (['id', 'name', 'style', 'srcdoc', 'srcset', 'action', 'formaction'].includes(name))
          found.push(`${name}= on ${tag}`)
        if (/^(xlink:)?href$|^src$|^data$|^ping$/.test(name)) {
          const { protocol } = new URL(value, document.baseURI)
          if (!['http:', 'https:', 'mailto:'].includes(protocol)) found.push(`${name}=${value} on ${tag}`)
        }
      }
    }
    // Or take the place of something that the page's scripts look up.
    const ids = [...document.querySelectorAll('[id]')].map((element) => element.id)
    for (const id of new Set(ids))
      if (ids.filter((other) => other === id).length > 1) found.push(`${id} twice`)
    return found
  })
}
