import { pino } from 'pino'
import type { Browser } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, onTestFailed, test } from 'vitest'
import { createRedisBus } from '../../server/bus/redis.ts'
import { linkId } from '../../server/links/link-id.ts'
import { settleLink } from '../../server/links/link-rows.ts'
import { openDatabase } from '../../server/store/database.ts'
import { linkSettled } from '../../server/threads/link-settled.ts'
import { drawn, visit, type Visit } from '../helpers/browser.ts'
import { launchChromium } from '../helpers/chromium.ts'
import { ask, guest, startNode, type Guest, type TestNode } from '../helpers/node.ts'
import {
  actionOn,
  composer,
  expectBar,
  expectText,
  openThreadPage,
  postOn,
  replyOn,
  shownOrder,
  signInAsGuest,
  soon,
  waitUntilLive,
} from '../helpers/pages.ts'
import type { TestDatabase } from '../helpers/postgres.ts'
import { addReply, editPost, newThread, readThread } from '../helpers/postings.ts'
import { createDatabase, describeWith, services } from '../helpers/services.ts'

describeWith(['postgres', 'redis', 'chromium'], 'two browsers on two nodes', () => {
  let database: TestDatabase
  let nodes: [TestNode, TestNode]
  let browsers: [Browser, Browser]
  /** Who writes what the tests find there. */
  let host: Guest
  const env = () => ({ DATABASE_URL: database.url, REDIS_URL: services().redisUrl!, RATE_LIMITS: 'off' })

  beforeAll(async () => {
    database = await createDatabase()
    // One after the other: the first makes the tables.
    const first = await startNode(env())
    nodes = [first, await startNode(env())]
    browsers = [await launchChromium(), await launchChromium()]
    host = await guest(nodes[0].url, 'Hedda Host')
  })
  afterAll(async () => {
    await Promise.all((browsers ?? []).map((browser) => browser.close()))
    await Promise.all((nodes ?? []).map((node) => node.kill('SIGKILL')))
    await database?.drop()
  })

  const open: Visit[] = []
  afterEach(async () => {
    await Promise.all(open.splice(0).map((each) => each.close()))
  })

  /** A new window in one browser; each browser uses the node of its own number. */
  async function enter(which: 0 | 1, thread: string, number?: number): Promise<Visit> {
    const visitor = await visit(browsers[which])
    open.push(visitor)
    onTestFailed(() => console.log(`browser ${which}:`, visitor.complaints))
    await openThreadPage(visitor.page, nodes[which].url, thread, number)
    return visitor
  }

  /** Both browsers in one thread. */
  async function both(thread: string): Promise<[Visit, Visit]> {
    return [await enter(0, thread), await enter(1, thread)]
  }

  test('each shows what the other does: presence, typing, replies, edits, reactions, deletion', async () => {
    const thread = await newThread(nodes[0].url, host)
    const [ada, ben] = await both(thread)
    await expectBar(ada.page, '2 reading')
    await expectBar(ben.page, '2 reading')
    await expectBar(ben.page, 'Thread (1 post)')

    await signInAsGuest(ada.page, 'Ada')
    await waitUntilLive(ada.page)
    await ada.page.locator('#reply-root').click()
    await composer(ada.page).text.pressSequentially('Hello *there*')
    await expectBar(ben.page, 'Ada is writing…')
    await composer(ada.page).send.click()
    for (const { page } of [ada, ben]) {
      await expectText(page, 2, 'Hello there')
      await expectBar(page, 'Thread (2 posts)')
    }
    expect(await postOn(ben.page, 2).locator('em').textContent()).toBe('there')
    await expect.poll(() => postOn(ben.page, 2).locator('.who').innerText(), soon).toMatch(/Ada.*guest/)
    await expect.poll(() => ben.page.locator('.bar-typing').count(), soon).toBe(0)

    // The other one takes a name only now, where he writes.
    await actionOn(ben.page, 2, 'reply').click()
    await composer(ben.page).text.fill('Good morning')
    await composer(ben.page).name.fill('Ben')
    await expectBar(ben.page, '2 reading')
    await composer(ben.page).send.click()
    await expectText(ada.page, 3, 'Good morning')
    expect(await postOn(ada.page, 3).getAttribute('data-depth')).toBe('2')

    await actionOn(ada.page, 2, 'edit').click()
    await expect.poll(() => composer(ada.page).text.inputValue(), soon).toBe('Hello *there*')
    await composer(ada.page).text.fill('Hello **again**')
    await composer(ada.page).send.click()
    for (const { page } of [ada, ben]) await expectText(page, 2, 'Hello again')
    await expect.poll(() => postOn(ben.page, 2).locator('.note').innerText(), soon).toBe('edited')

    await actionOn(ben.page, 2, 'pick').click()
    await postOn(ben.page, 2).getByRole('button', { name: 'React with 🎉' }).click()
    const reaction = postOn(ada.page, 2).getByRole('button', { name: '🎉, 1' })
    await reaction.waitFor()
    expect(await reaction.getAttribute('aria-pressed')).toBe('false')
    await reaction.click()
    const theirs = postOn(ben.page, 2).getByRole('button', { name: '🎉, 2' })
    await theirs.waitFor()
    await theirs.click()
    await reaction.waitFor()

    await actionOn(ada.page, 2, 'delete').click()
    await actionOn(ada.page, 2, 'delete-now').click()
    for (const { page } of [ada, ben]) {
      await postOn(page, 2).getByText('This post was deleted.').waitFor()
      await expectBar(page, 'Thread (2 posts)')
      expect(await page.content()).not.toContain('again</strong>')
    }
    // The last reply beneath a tombstone takes the tombstone with it.
    await actionOn(ben.page, 3, 'delete').click()
    await actionOn(ben.page, 3, 'delete-now').click()
    for (const { page } of [ada, ben]) {
      await expectBar(page, 'Thread (1 post)')
      expect(await shownOrder(page)).toEqual([1])
    }

    await ada.close()
    await expectBar(ben.page, '1 reading')
    expect([...ada.complaints, ...ben.complaints, ...ada.foreign, ...ben.foreign]).toEqual([])
  })

  test('a post on its way is shown as that, and stands in its place once', async () => {
    const thread = await newThread(nodes[0].url, host)
    const [ada, ben] = await both(thread)
    await signInAsGuest(ada.page, 'Ada')
    await waitUntilLive(ada.page)
    let release = () => {}
    const released = new Promise<void>((resolve) => (release = resolve))
    await ada.page.route('**/posts', async (route) => {
      await released
      await route.continue()
    })
    await replyOn(ada.page, 1, 'Not yet')
    const pending = ada.page.locator('.post.pending')
    await expect.poll(() => pending.innerText(), soon).toMatch(/Ada[\s\S]*sending…[\s\S]*Not yet/)
    await expectBar(ada.page, 'Thread (1 post)')
    expect(await postOn(ben.page, 2).count()).toBe(0)
    release()
    for (const { page } of [ada, ben]) await expectText(page, 2, 'Not yet')
    await expect.poll(() => pending.count(), soon).toBe(0)
    await expect.poll(() => shownOrder(ada.page), soon).toEqual([1, 2])
  })

  test('a post that failed says so, and Retry sends it exactly once', async () => {
    const thread = await newThread(nodes[0].url, host)
    const [ada, ben] = await both(thread)
    await signInAsGuest(ada.page, 'Ada')
    await waitUntilLive(ada.page)
    const sent: string[] = []
    await ada.page.route('**/posts', async (route) => {
      sent.push((JSON.parse(route.request().postData()!) as { clientId: string }).clientId)
      if (sent.length > 1) return route.continue()
      await route.fulfill({
        status: 500,
        contentType: 'application/problem+json',
        body: JSON.stringify({ code: 'internal', detail: 'The disk is full' }),
      })
    })
    await replyOn(ada.page, 1, 'Once only')
    const pending = ada.page.locator('.post.pending')
    await pending.getByText('not sent', { exact: true }).waitFor()
    await expect.poll(() => pending.getByRole('alert').innerText(), soon).toBe('The disk is full')
    await pending.getByRole('button', { name: 'Retry' }).click()
    for (const { page } of [ada, ben]) await expectText(page, 2, 'Once only')
    await expect.poll(() => pending.count(), soon).toBe(0)
    expect(sent).toHaveLength(2)
    expect(new Set(sent).size).toBe(1)
    expect((await readThread(nodes[1].url, thread)).posts).toHaveLength(2)
  })

  test('a post whose answer was lost is sent again by itself, and stands there once', async () => {
    const thread = await newThread(nodes[0].url, host)
    const [ada, ben] = await both(thread)
    await signInAsGuest(ada.page, 'Ada')
    await waitUntilLive(ada.page)
    // Nothing comes by the socket either, so that only the answer can tell.
    await ada.context.setOffline(true)
    await expectBar(ada.page, 'offline')
    let tries = 0
    await ada.page.route('**/posts', async (route) => {
      if (++tries > 1) return route.continue()
      const { authorization: _, ...headers } = await route.request().allHeaders()
      await fetch(route.request().url(), { method: 'POST', headers, body: route.request().postData()! })
      await route.abort()
    })
    await replyOn(ada.page, 1, 'Twice sent')
    await expectText(ben.page, 2, 'Twice sent')
    await ada.page.locator('.pending .note-waiting').waitFor()
    await ada.context.setOffline(false)
    await expectText(ada.page, 2, 'Twice sent')
    await expect.poll(() => ada.page.locator('.pending').count(), soon).toBe(0)
    expect((await readThread(nodes[1].url, thread)).posts).toHaveLength(2)
    await expect.poll(() => shownOrder(ada.page), soon).toEqual([1, 2])
  })

  test('who was offline is told so, and catches up; what they wrote meanwhile is sent', async () => {
    const thread = await newThread(nodes[0].url, host)
    const [ada, ben] = await both(thread)
    await signInAsGuest(ada.page, 'Ada')
    await waitUntilLive(ada.page)
    await ada.context.setOffline(true)
    await expectBar(ada.page, 'offline')
    await replyOn(ada.page, 1, 'From the tunnel')
    await ada.page.locator('.pending .note-waiting').waitFor()
    await addReply(nodes[1].url, host, thread, { body: 'You missed this' })
    await editPost(nodes[1].url, host, thread, 1, 'The root, changed')
    await expectText(ben.page, 2, 'You missed this')
    await expect.poll(() => shownOrder(ada.page), soon).toEqual([1])
    await ada.context.setOffline(false)
    await waitUntilLive(ada.page)
    await expectText(ada.page, 2, 'You missed this')
    await expectText(ada.page, 1, 'The root, changed')
    for (const { page } of [ada, ben]) await expectText(page, 3, 'From the tunnel')
    await expect.poll(() => shownOrder(ada.page), soon).toEqual(await shownOrder(ben.page))
  })

  test('a node that dies is seen to be gone, and its reader catches up when it is back', async () => {
    const thread = await newThread(nodes[0].url, host)
    const [ada, ben] = await both(thread)
    await nodes[0].kill('SIGKILL')
    await expectBar(ada.page, /reconnecting/)
    await addReply(nodes[1].url, host, thread, { body: 'While you were away' })
    await expectText(ben.page, 2, 'While you were away')
    nodes[0] = await startNode({ ...env(), PORT: new URL(nodes[0].url).port })
    await ada.page.locator('.bar-live').waitFor({ timeout: 30_000 })
    await expectText(ada.page, 2, 'While you were away')
    await expectBar(ada.page, 'Thread (2 posts)')
  })

  test('new posts do not move what is being read', async () => {
    const thread = await newThread(nodes[0].url, host)
    const paragraph = 'A paragraph that is long enough to take several lines on the page. '.repeat(6)
    for (let number = 2; number <= 40; number++) {
      const parent = number <= 11 ? 1 : 2 + ((number - 12) % 10)
      await addReply(nodes[0].url, host, thread, { parent, body: `Post ${number}. ${paragraph}` })
    }
    const ben = await enter(1, thread)
    const order = await shownOrder(ben.page)
    const middle = order[20]!
    await postOn(ben.page, middle).evaluate((post) => post.scrollIntoView({ block: 'start' }))
    await drawn(ben.page)
    const topOf = (number: number) =>
      postOn(ben.page, number).evaluate((post) => post.getBoundingClientRect().top)
    const before = await topOf(middle)

    // Just above, far above, just below and at the end; and a post above that grows and one that goes.
    const places = [order[19]!, order[1]!, middle, order.at(-1)!]
    for (const parent of places)
      await addReply(nodes[0].url, host, thread, { parent, body: `New. ${paragraph}` })
    await editPost(nodes[0].url, host, thread, order[18]!, paragraph.repeat(4))
    await addReply(nodes[0].url, host, thread, { parent: order[19]!, body: 'The last' })
    await expectText(ben.page, 45, 'The last')
    await drawn(ben.page)
    expect(await shownOrder(ben.page)).toHaveLength(45)
    expect(Math.abs((await topOf(middle)) - before)).toBeLessThanOrEqual(1)
    await expect.poll(() => ben.page.locator('#pill').innerText(), soon).toMatch(/^\d new posts? [↑↓]$/)

    // The same while the reader writes: neither the text field nor its cursor is lost.
    await actionOn(ben.page, middle, 'reply').click()
    await composer(ben.page).text.pressSequentially('Half a sen')
    const field = await composer(ben.page).text.evaluate((text) => text.getBoundingClientRect().top)
    await addReply(nodes[0].url, host, thread, { parent: order[19]!, body: `New. ${paragraph}` })
    await addReply(nodes[0].url, host, thread, { parent: middle, body: 'To the same post' })
    await expectText(ben.page, 47, 'To the same post')
    await drawn(ben.page)
    const after = await composer(ben.page).text.evaluate((text) => text.getBoundingClientRect().top)
    expect(Math.abs(after - field)).toBeLessThanOrEqual(1)
    await ben.page.keyboard.type('tence')
    expect(await composer(ben.page).text.inputValue()).toBe('Half a sentence')

    await ben.page.locator('#pill').click()
    await expect.poll(() => ben.page.locator('.focused').count(), soon).toBe(1)
  })

  test('selected text is quoted, and the quote leads to its post', async () => {
    const thread = await newThread(nodes[0].url, host, {
      body: 'Nobody owes a text more than it has earned.',
    })
    const [ada, ben] = await both(thread)
    await ada.page.evaluate(() => {
      const text = document.querySelector('#p1 .text p')!.firstChild!
      const from = text.textContent!.indexOf('more than')
      document.getSelection()!.setBaseAndExtent(text, from, text, from + 'more than it has earned'.length)
    })
    await ada.page.locator('#quote-selection').click()
    await expect
      .poll(() => ada.page.locator('.composer-quote .quote-text').innerText(), soon)
      .toBe('more than it has earned')
    await composer(ada.page).text.fill('Who keeps the books?')
    await composer(ada.page).name.fill('Ada')
    await composer(ada.page).send.click()
    for (const { page } of [ada, ben]) {
      await expectText(page, 2, 'Who keeps the books?')
      await expect
        .poll(() => postOn(page, 2).locator('.quote-text').innerText(), soon)
        .toBe('more than it has earned')
    }
    await postOn(ben.page, 2).locator('.quote footer a').click()
    await expect.poll(() => ben.page.locator('.focused').getAttribute('id'), soon).toBe('p1')
    expect(new URL(ben.page.url()).hash).toBe('#p1')
  })

  test('a permalink shows its post, marked and in view', async () => {
    const thread = await newThread(nodes[0].url, host)
    for (let number = 2; number <= 40; number++)
      await addReply(nodes[0].url, host, thread, { body: `Post ${number}` })
    const { page } = await enter(0, thread, 33)
    expect(await page.locator('.focused').getAttribute('id')).toBe('p33')
    expect(await page.title()).toBe('Hedda Host on “A thread”')
    const view = await postOn(page, 33).evaluate((post) => {
      const { top, bottom } = post.getBoundingClientRect()
      return top >= 0 && bottom <= innerHeight
    })
    expect(view).toBe(true)
    expect(await postOn(page, 33).evaluate((post) => getComputedStyle(post).boxShadow)).not.toBe('none')
    expect(await postOn(page, 32).evaluate((post) => getComputedStyle(post).boxShadow)).toBe('none')
    const missing = await page.goto(`${nodes[0].url}/t/${thread}/99`)
    expect(missing!.status()).toBe(404)
  })

  test('the keyboard alone is enough: to find a post, to answer it, to react', async () => {
    const thread = await newThread(nodes[0].url, host)
    await addReply(nodes[0].url, host, thread, { body: 'Answer me' })
    const [ada, ben] = await both(thread)
    const { keyboard } = ada.page
    const tabTo = async (selector: string) => {
      for (let presses = 0; presses < 60; presses++) {
        await keyboard.press('Tab')
        if (await ada.page.evaluate((wanted) => document.activeElement?.matches(wanted), selector)) return
      }
      throw new Error(`${selector} is not reached by Tab`)
    }
    await keyboard.press('Tab')
    expect(await ada.page.evaluate(() => document.activeElement?.textContent)).toBe('Skip to the content')
    await tabTo('#p2 [data-action=reply]')
    // Where one stands can be seen.
    expect(await ada.page.evaluate(() => getComputedStyle(document.activeElement!).outlineStyle)).toBe(
      'solid',
    )
    await keyboard.press('Enter')
    await composer(ada.page).text.waitFor()
    expect(await ada.page.evaluate(() => document.activeElement?.tagName)).toBe('TEXTAREA')
    await keyboard.type('By hand')
    await tabTo('.composer-name input')
    await keyboard.type('Kit')
    await keyboard.press('Control+Enter')
    for (const { page } of [ada, ben]) await expectText(page, 3, 'By hand')
    // Who has sent something stands where they were.
    expect(await ada.page.evaluate(() => document.activeElement?.matches('#p2 [data-action=reply]'))).toBe(
      true,
    )

    await tabTo('#p2 [data-action=pick]')
    await keyboard.press('Enter')
    await tabTo('#p2 [data-emoji="🤔"]')
    await keyboard.press('Enter')
    await postOn(ben.page, 2).getByRole('button', { name: '🤔, 1' }).waitFor()

    // Escape closes, keeps the draft, and goes back to where it was opened.
    await tabTo('#p3 [data-action=reply]')
    await keyboard.press('Enter')
    await composer(ada.page).text.waitFor()
    await keyboard.type('Draft')
    await keyboard.press('Escape')
    expect(await ada.page.evaluate(() => document.activeElement?.matches('#p3 [data-action=reply]'))).toBe(
      true,
    )
    await keyboard.press('Enter')
    await expect.poll(() => composer(ada.page).text.inputValue(), soon).toBe('Draft')
  })

  test('a link that was not found becomes a card once it is', async () => {
    const url = 'https://essays.example/late'
    const thread = await newThread(nodes[0].url, host, { body: `Read this:\n\n${url}` })
    const [ada, ben] = await both(thread)
    for (const { page } of [ada, ben])
      await expect
        .poll(() => postOn(page, 1).locator('.card-missing').innerText(), soon)
        .toMatch(/Link not found\s+https:/)
    // A third node's second look-up of it succeeds.
    const { db, close } = await openDatabase({ url: database.url, dataDir: '', onError: () => undefined })
    const log = pino({ level: 'silent' })
    const bus = createRedisBus({ url: services().redisUrl!, log })
    try {
      const preview = {
        title: 'On reading late',
        site: 'Essays',
        description: 'It is never too late.',
        imageUrl: null,
      }
      expect(await settleLink(db, linkId(url), 'missing', preview)).toBe(true)
      await linkSettled({ db, bus, log }, linkId(url))
      for (const { page } of [ada, ben]) {
        const card = postOn(page, 1).locator('a.card')
        await card.waitFor()
        expect(await card.getAttribute('href')).toBe(url)
        await expect
          .poll(() => card.innerText(), soon)
          .toMatch(/Essays\s+On reading late\s+It is never too late\./)
        await expectText(page, 1, 'Read this:')
      }
    } finally {
      await bus.close()
      await close()
    }
  })

  test('an embedded post is quoted as it is now', async () => {
    const quoted = await newThread(nodes[0].url, host, { title: 'Elsewhere', body: 'First wording' })
    const thread = await newThread(nodes[1].url, host, { body: `See\n\n/t/${quoted}/1\n\n/t/${quoted}/7` })
    const [ada, ben] = await both(thread)
    for (const { page } of [ada, ben]) {
      const [found, missing] = await postOn(page, 1).locator('.card').allInnerTexts()
      expect(found).toMatch(/First wording\s+Hedda Host guest in “Elsewhere”/)
      expect(missing).toMatch(/Post not found/)
    }
    await editPost(nodes[1].url, host, quoted, 1, 'Second *wording*')
    for (const { page } of [ada, ben])
      await postOn(page, 1).locator('.card-post', { hasText: 'Second wording' }).waitFor()
    await ask(host, 'DELETE', `${nodes[0].url}/api/threads/${quoted}/posts/1`)
    for (const { page } of [ada, ben]) {
      await expect.poll(() => postOn(page, 1).locator('.card-missing').count(), soon).toBe(2)
      expect(await page.content()).not.toContain('Second wording')
    }
  })

  test('without script the whole thread can be read', async () => {
    const thread = await newThread(nodes[0].url, host, { title: 'Read me plainly' })
    await addReply(nodes[0].url, host, thread, {
      body: 'One\n\nhttps://essays.example/gone\n\n/t/zzzzzzzzzz/1',
    })
    let parent = 2
    for (let depth = 2; depth <= 12; depth++) {
      const quote = { number: parent, text: parent === 2 ? 'One' : `Depth ${depth - 1}` }
      const { number } = await addReply(nodes[0].url, host, thread, { parent, body: `Depth ${depth}`, quote })
      parent = number
    }
    await ask(
      host,
      'PUT',
      `${nodes[0].url}/api/threads/${thread}/posts/3/reactions/${encodeURIComponent('👍')}`,
    )
    const visitor = await visit(browsers[0], { javaScriptEnabled: false })
    open.push(visitor)
    const { page } = visitor
    await page.goto(`${nodes[0].url}/t/${thread}`)
    await expect.poll(() => page.locator('h1').innerText(), soon).toBe('Read me plainly')
    await expect.poll(() => page.locator('#bar').innerText(), soon).toContain('Thread (13 posts)')
    for (let number = 3; number <= 13; number++) {
      const post = postOn(page, number)
      expect((await post.locator('> .main > .body').textContent())?.trim()).toBe(`Depth ${number - 1}`)
      expect(await post.getAttribute('data-depth')).toBe(String(number - 1))
      expect(await post.locator('.quote-text').textContent()).toBe(
        number === 3 ? 'One' : `Depth ${number - 2}`,
      )
    }
    const indent = (number: number) =>
      postOn(page, number)
        .locator('.who')
        .evaluate((who) => who.getBoundingClientRect().left)
    expect(await indent(4)).toBeGreaterThan(await indent(3))
    const cards = await postOn(page, 2).locator('.card-missing').allInnerTexts()
    expect(cards).toEqual([
      expect.stringMatching(/Link not found\s+https:\/\/essays\.example\/gone/),
      expect.stringMatching(/Post not found\s+\/t\/zzzzzzzzzz\/1/),
    ])
    await expect.poll(() => postOn(page, 3).locator('.reaction').innerText(), soon).toMatch(/👍\s*1/)
    await page.getByRole('link', { name: '← Back to all posts' }).click()
    await page.getByRole('link', { name: 'Read me plainly' }).click()
    expect(page.url()).toBe(`${nodes[0].url}/t/${thread}`)
    expect(visitor.complaints).toEqual([])
  })

  test('who signs out in one tab has no more rights in the other', async () => {
    const thread = await newThread(nodes[0].url, host)
    const [ada, ben] = await both(thread)
    await signInAsGuest(ada.page, 'Ada')
    await waitUntilLive(ada.page)
    await ada.page.locator('#reply-root').click()
    await composer(ada.page).text.pressSequentially('a')
    await expectBar(ben.page, 'Ada is writing…')

    const tab = await ada.context.newPage()
    await tab.goto(`${nodes[0].url}/`)
    await tab.getByRole('button', { name: 'Sign out' }).click()
    await tab.getByRole('link', { name: 'Sign in' }).waitFor()
    // The socket of the first tab hears of it, and the other reader sees nobody write any more.
    await expect.poll(() => ada.frames.join('\n'), soon).toContain('session-ended')
    await expect.poll(() => ben.page.locator('.bar-typing').count(), soon).toBe(0)

    await composer(ada.page).text.pressSequentially('b')
    await composer(ada.page).send.click()
    await ada.page.locator('.pending .note-failed').waitFor()
    expect((await readThread(nodes[1].url, thread)).posts).toHaveLength(1)
    expect(await ben.page.locator('.bar-typing').count()).toBe(0)
  })

  test('who is banned can write no more, at once and on every node', async () => {
    const admin = await firstAccount(nodes[0].url)
    const thread = await newThread(nodes[0].url, host)
    const [ada, ben] = await both(thread)
    await signInAsGuest(ben.page, 'Bad Ben')
    await waitUntilLive(ben.page)
    await replyOn(ben.page, 1, 'Spam')
    await expectText(ada.page, 2, 'Spam')
    await replyOn(ben.page, 1, 'More')
    await expectText(ada.page, 3, 'More')
    await actionOn(ben.page, 1, 'reply').click()
    await composer(ben.page).text.pressSequentially('S')
    await expectBar(ada.page, 'Bad Ben is writing…')

    const { posts } = await readThread(nodes[0].url, thread)
    await ask(admin, 'PUT', `${nodes[0].url}/api/users/${posts[1]!.author.id}/ban`, { reason: 'Spam' })
    await expect.poll(() => ben.frames.join('\n'), soon).toContain('session-ended')
    await expect.poll(() => ada.page.locator('.bar-typing').count(), soon).toBe(0)
    await composer(ben.page).text.pressSequentially('pam again')
    await composer(ben.page).send.click()
    await ben.page.locator('.pending .note-failed').waitFor()
    expect((await readThread(nodes[0].url, thread)).posts).toHaveLength(3)
    // Reading needs no account.
    await addReply(nodes[0].url, host, thread, { body: 'Back to the subject' })
    await expectText(ben.page, 4, 'Back to the subject')
  })
})

/** The first account that signs up is admin. */
async function firstAccount(url: string): Promise<Guest> {
  const answer = await fetch(`${url}/api/auth/sign-up/email`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: url },
    body: JSON.stringify({ name: 'Ann Admin', email: 'ann@numinex.test', password: 'a long enough secret' }),
  })
  if (!answer.ok) throw new Error(`sign-up failed: ${answer.status} ${await answer.text()}`)
  const { user } = (await answer.json()) as { user: { id: string } }
  const token = answer.headers.get('set-auth-token')!
  return {
    id: user.id,
    token,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
  }
}
