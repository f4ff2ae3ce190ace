import { describe, expect, test } from 'vitest'
import { renderErrorPage } from '../../server/pages/error-page.tsx'
import { renderPostsFeed, renderSitemap, renderThreadsFeed } from '../../server/pages/feeds.ts'
import { renderFrontPage } from '../../server/pages/front-page.tsx'
import { renderNewThreadPage } from '../../server/pages/new-thread-page.tsx'
import { createPostCache, type PostCache } from '../../server/pages/post-cache.ts'
import { renderSignInPage } from '../../server/pages/sign-in-page.tsx'
import { plainText, scriptJson } from '../../server/pages/text.ts'
import { renderThreadPage, type ThreadPageData } from '../../server/pages/thread-page.tsx'
import type { Post } from '../../shared/post.ts'
import type { ThreadSummary } from '../../shared/thread.ts'
import { aReply, explain } from '../helpers/ai-posts.ts'
import { ada, aPost, aSnapshot, aThread, check } from '../helpers/posts.ts'
import { pageInline } from '../../server/pages/frame.tsx'
import { refusedInline } from '../helpers/inline.ts'

const frame = {
  viewer: null,
  assets: { scripts: ['/assets/main.js'], modules: [], styles: ['/assets/main.css'] },
  publicUrl: 'https://talk.example',
}
const evil = `</title></script><script>alert("1")</script>&'`

async function threadPage(more: Partial<ThreadPageData> = {}, cache = createPostCache()): Promise<string> {
  let html = ''
  const data = { ...frame, snapshot: aSnapshot([aPost(1), aPost(2, { author: check })]), ...more }
  for await (const piece of renderThreadPage({ cache }, data)) html += piece
  return html
}

function summary(changes: Partial<ThreadSummary> = {}): ThreadSummary {
  const participants = { people: [ada], peopleCount: 3, ai: [check] }
  return {
    ...aThread(),
    seq: 4,
    posts: 3,
    author: ada,
    excerpt: 'It begins.',
    lastActivityAt: '2026-05-06T10:00:00.000Z',
    participants,
    ...changes,
  }
}

/** What a policy without inline code would refuse, and what would break out of its place. */
function expectClean(html: string): void {
  expect(html).not.toMatch(/<[^>]+ (style|on[a-z]+)=/)
  expect(refusedInline(html, `script-src ${pageInline.scripts!.join(' ')}`)).toEqual([])
}

describe('a thread page', () => {
  test('is whole without a script: title, posts in order, address, feed', async () => {
    const html = await threadPage()
    expect(html).toContain('<title>On chairs</title>')
    expect(html).toContain('<link rel="canonical" href="https://talk.example/t/k3v9x2q7ab"/>')
    expect(html).toContain('href="/t/k3v9x2q7ab/feed.xml"')
    expect(html).toContain('← Back to all posts')
    expect(html).toContain('Thread (2 posts)')
    expect(html.indexOf('id="p1"')).toBeLessThan(html.indexOf('id="p2"'))
    expect(html).toContain('property="og:title" content="On chairs"')
  })

  test('marks the post that its address names and links to it', async () => {
    const html = await threadPage({ focus: 2 })
    expect(html).toMatch(/<article id="p2" class="post focused"/)
    expect(html).toContain('href="#p2"')
    expect(html).toContain('<title>Check on “On chairs”</title>')
    expect(html).toContain('<link rel="canonical" href="https://talk.example/t/k3v9x2q7ab"/>')
  })

  test('holds nothing that breaks out of its place', async () => {
    const thread = aThread({ title: evil })
    const posts = [
      aPost(1, { author: { ...ada, name: evil } }),
      aPost(2, { quote: { number: 1, text: evil } }),
    ]
    const html = await threadPage({ snapshot: aSnapshot(posts, thread) })
    expectClean(html)
    const [, json] = /<script type="application\/json"[^>]*>(.*?)<\/script>/s.exec(html)!
    expect(JSON.parse(json!)).toMatchObject({ thread: { thread: { title: evil } } })
  })

  test('renders a post once for all readers, and again when it has changed', async () => {
    const known = new Map<string, string>()
    let rendered = 0
    const cache: PostCache = {
      get: (key) => known.get(key),
      set(key, html) {
        rendered++
        known.set(key, html as string)
        return this as never
      },
    }
    const first = await threadPage({}, cache)
    expect(rendered).toBe(2)
    const again = await threadPage({}, cache)
    expect(again).toBe(first)
    expect(rendered).toBe(2)
    const edited = aSnapshot([aPost(1), aPost(2, { seq: 3, html: '<p>New words</p>' })])
    expect(await threadPage({ snapshot: edited }, cache)).toContain('New words')
    expect(rendered).toBe(3)
  })

  test('renders a reply again when who asked for it, or its author, looks other than before', async () => {
    const cache = createPostCache()
    const show = (changes: Partial<Post>) =>
      threadPage({ snapshot: aSnapshot([aPost(1), aReply(2, changes)]) }, cache)
    expect(await show({ request: 'in short' })).toContain('<bdi>in short</bdi>')
    expect(await show({ asker: { ...ada, name: 'Ada Lovelace' } })).toContain(
      'asked by <bdi>Ada Lovelace</bdi>',
    )
    expect(await show({ author: { ...explain, picture: '🦉' } })).toContain('🦉')
  })

  test('says of a reply that is being written that it is, and how to read it without a script', async () => {
    const html = await threadPage({ snapshot: aSnapshot([aPost(1), aReply(2)]) })
    expect(html).toMatch(/<article id="p2"[^>]* data-state="streaming"[^>]* aria-busy="true"/)
    expect(html).toContain('is writing…')
    expect(html).toContain('Load the page again later to read it.')
    expectClean(html)
  })

  test('lets others have their turn while it renders a long thread', async () => {
    const posts = Array.from({ length: 2_000 }, (_, i) => aPost(i + 1))
    let turns = 0
    const timer = setInterval(() => turns++, 0)
    await threadPage({ snapshot: aSnapshot(posts) })
    clearInterval(timer)
    expect(turns).toBeGreaterThan(10)
  })
})

describe('the other pages', () => {
  test('the front page lists threads with who takes part', () => {
    const data = { ...frame, page: { threads: [summary()], next: 'c2' } }
    const html = renderFrontPage(data)
    expect(html).toContain('href="/t/k3v9x2q7ab"')
    expect(html).toContain('2 replies')
    expect(html).toContain('It begins.')
    expect(html).toContain('and 2 others')
    expect(html).toContain('href="/?cursor=c2"')
    expectClean(html)
  })

  test('hold nothing that breaks out of its place', () => {
    const thread = summary({ title: evil, excerpt: evil, author: { ...ada, name: evil } })
    expectClean(renderFrontPage({ ...frame, page: { threads: [thread], next: null } }))
    expectClean(renderErrorPage(frame, { title: evil, detail: evil }))
    expectClean(renderSignInPage(frame))
    expectClean(renderNewThreadPage({ ...frame, viewer: { ...ada, name: evil, role: 'member' } }))
  })

  test('ask for a name only when nobody is signed in', () => {
    expect(renderNewThreadPage(frame)).toContain('name="name"')
    const signedIn = renderNewThreadPage({ ...frame, viewer: { ...ada, role: 'member' } })
    expect(signedIn).not.toContain('name="name"')
    expect(signedIn).toContain('Sign out')
  })
})

describe('feeds', () => {
  test('name threads and their newest posts, without deleted ones', () => {
    const posts = [aPost(1), aPost(2, { author: check }), aPost(3, { state: 'deleted', html: '' })]
    const feed = renderPostsFeed(frame.publicUrl, aSnapshot(posts))
    expect(feed).toContain('<id>https://talk.example/t/k3v9x2q7ab/2</id>')
    expect(feed).toContain('<title>#2 Check (AI)</title>')
    expect(feed).toContain('&lt;p&gt;Post 2&lt;/p&gt;')
    expect(feed).not.toContain('k3v9x2q7ab/3')
    expect(renderThreadsFeed(frame.publicUrl, { threads: [summary()], next: null })).toContain(
      '<updated>2026-05-06T10:00:00.000Z</updated>',
    )
  })

  test('stay XML whatever people write', () => {
    const thread = summary({ title: `${evil}\u0000\ud800`, excerpt: evil })
    const feed = renderThreadsFeed(frame.publicUrl, { threads: [thread], next: null })
    expect(feed).not.toContain('<script>')
    expect(feed).not.toContain('\u0000')
    expect(feed).not.toContain('\ud800')
  })

  test('the sitemap has every thread', () => {
    expect(renderSitemap(frame.publicUrl, [summary()])).toContain(
      '<loc>https://talk.example/t/k3v9x2q7ab</loc>',
    )
  })
})

describe('text', () => {
  test('of html is plain and cut between words', () => {
    expect(plainText('<p>a &lt;b&gt; &amp;amp;</p><p>c</p>', 100)).toBe('a <b> &amp; c')
    expect(plainText('<p>one two three</p>', 9)).toBe('one two…')
  })

  test('JSON cannot end its script element', () => {
    expect(scriptJson('</script>\u2028')).toBe('"\\u003c/script>\\u2028"')
  })
})
