import { renderToString } from 'preact-render-to-string'
import { describe, expect, test } from 'vitest'
import { Body, bodyHtml } from '../../client/views/body.tsx'
import { Foot, type FootProps } from '../../client/views/foot.tsx'
import { ago, count, initials, moment } from '../../client/views/format.ts'
import { permissions } from '../../client/views/permissions.ts'
import { PostMain, postAttributes, relations } from '../../client/views/post.tsx'
import { ThreadBar, ThreadHead } from '../../client/views/thread-head.tsx'
import type { Embed, Post } from '../../shared/post.ts'
import { ada, aPost, aThread, check, reader } from '../helpers/posts.ts'

const thread = aThread().id
const nothing = { reply: false, react: false, edit: false, delete: false, ask: false, stop: false }
const text = (html: string) =>
  html
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()

function show(post: Post, others: Post[] = []): string {
  return renderToString(
    <PostMain
      thread={thread}
      post={post}
      {...relations(post, (n) => others.find(({ number }) => number === n))}
    />,
  )
}

function foot(post: Post, more: Partial<FootProps> = {}): string {
  const may = { ...nothing, reply: true, react: true }
  return renderToString(
    <Foot
      post={post}
      viewerId="ada"
      may={may}
      hasReplies={false}
      hasParent={post.parent !== null}
      state={{}}
      {...more}
    />,
  )
}

describe('a post', () => {
  test('says in words what is a machine and what a guest', () => {
    expect(text(show(aPost(2, { author: check })))).toContain('Check AI')
    expect(text(show(aPost(2, { author: reader })))).toContain('A reader guest')
    expect(show(aPost(2))).not.toContain('class="kind')
  })

  test('has a permalink, a machine-readable time, and says when it was edited', () => {
    const html = show(aPost(17, { editedAt: '2026-05-05T00:00:00.000Z' }))
    expect(html).toContain(`href="/t/${thread}/17"`)
    expect(html).toContain('datetime="2026-05-04T08:12:00.000Z"')
    expect(text(html)).toContain('edited')
    expect(text(show(aPost(17)))).not.toContain('edited')
  })

  test('says whom it answers, unless that is the root', () => {
    const parent = aPost(5, { author: check })
    expect(text(show(aPost(9, { parent: 5 }), [parent]))).toContain('in reply to #5 Check')
    expect(show(aPost(9, { parent: 5 }), [parent])).toContain('href="#p5"')
    expect(text(show(aPost(9, { parent: 1 }), [aPost(1)]))).not.toContain('in reply')
    const gone = { ...parent, state: 'deleted' } as const
    expect(text(show(aPost(9, { parent: 5 }), [gone]))).not.toContain('Check')
  })

  test('shows nothing of a deleted post but that it was there', () => {
    const html = show(aPost(3, { state: 'deleted', html: '' }))
    expect(text(html)).toContain('This post was deleted.')
    expect(html).not.toContain('Ada')
  })

  test('quotes with a link to the source, and says when that is gone', () => {
    const quoting = aPost(4, { quote: { number: 2, text: 'a <b>chair</b>' } })
    expect(show(quoting, [aPost(2)])).toContain('a &lt;b>chair&lt;/b>')
    expect(show(quoting, [aPost(2)])).toContain('href="#p2"')
    expect(text(show(quoting, [aPost(2)]))).toContain('#2 Ada Byron')
    expect(text(show(aPost(4, { quote: { number: 2, text: null } })))).toContain('Post not found')
  })

  test.each([
    ['streaming', 'is writing…'],
    ['interrupted', 'interrupted'],
    ['stopped', 'stopped'],
    ['failed', 'failed'],
  ] as const)('names the state %s', (state, words) => {
    expect(text(show(aPost(2, { author: check, state })))).toContain(words)
    expect(postAttributes(aPost(2, { state }), 1)['data-state']).toBe(state)
  })

  test('has no inline style and no inline handler', () => {
    const html = show(aPost(2, { quote: { number: 1, text: 'x' }, author: check })) + foot(aPost(2))
    expect(html).not.toMatch(/ (style|on\w+)=/)
  })
})

describe('embeds', () => {
  const marked = '<p>a</p><p class="embed" data-embed="0"><a href="https://x.example">x</a></p><p>b</p>'
  const body = (embed?: Embed) => renderToString(<Body html={marked} embeds={embed && [embed]} />)

  test('stand where the text keeps a place for them', () => {
    const html = body({
      kind: 'link',
      url: 'https://x.example/',
      state: 'found',
      title: 'Of <chairs>',
      site: 'X',
    })
    expect(text(html)).toBe('a X Of &lt;chairs> b')
    expect(html).toContain('href="https://x.example/"')
    expect(html).toContain('rel="nofollow noopener ugc"')
  })

  test('say when there is nothing behind a link', () => {
    expect(text(body({ kind: 'link', url: 'https://x.example/', state: 'missing' }))).toContain(
      'Link not found',
    )
    expect(text(body({ kind: 'post', thread, number: 4, state: 'missing' }))).toContain('Post not found')
  })

  test('are a plain link while they are looked up', () => {
    expect(text(body({ kind: 'link', url: 'https://x.example/', state: 'pending' }))).toBe(
      'a https://x.example/ b',
    )
  })

  test('quote a post with its author and thread', () => {
    const html = body({
      kind: 'post',
      thread,
      number: 4,
      state: 'found',
      title: 'T',
      author: check,
      excerpt: 'So',
    })
    expect(text(html)).toBe('a So Check AI in “T” b')
    expect(html).toContain(`href="/t/${thread}/4"`)
  })

  test('leave the link as it is when nothing is known of it', () => {
    expect(body()).toContain('<a href="https://x.example">x</a>')
  })

  test('never lead to an address that is not of the web', () => {
    expect(body({ kind: 'link', url: 'javascript:alert(1)', state: 'found' })).not.toContain(
      'javascript:alert(1)"',
    )
  })
})

test('the text of a post can be read back from what was rendered', () => {
  const part = (html: string, embed: string | null) =>
    ({ getAttribute: () => embed, innerHTML: html }) as unknown as Element
  const html = bodyHtml({ children: [part('<p>a</p>', null), part('card', '0'), part('<p>b</p>', null)] })
  expect(html).toBe('<p>a</p><p class="embed" data-embed="0"></p><p>b</p>')
})

const actions = (html: string) => [...html.matchAll(/data-action="([\w-]+)"/g)].map(([, name]) => name)

describe('the foot', () => {
  const liked = aPost(2, { reactions: [{ emoji: '👍', count: 3, by: ['ada', 'x'] }] })

  test('shows counts and whether the reader is among them', () => {
    expect(foot(liked)).toMatch(/aria-pressed="true"[^>]*aria-label="👍, 3"/)
    expect(foot(liked, { viewerId: 'someone' })).toContain('aria-pressed="false"')
  })

  test('offers what the reader may do', () => {
    expect(actions(foot(aPost(2)))).toEqual(['reply', 'quote', 'pick', 'parent', 'link', 'more'])
    const all = { ...nothing, reply: true, react: true, edit: true, delete: true }
    expect(actions(foot(aPost(2), { may: all }))).toEqual(
      expect.arrayContaining(['reply', 'quote', 'parent', 'link', 'edit', 'delete']),
    )
    expect(actions(foot(aPost(2), { may: nothing }))).toEqual(['parent', 'link', 'more'])
    expect(actions(foot(aPost(1)))).not.toContain('parent')
  })

  test('asks before it deletes, and says how much is folded away', () => {
    expect(foot(aPost(2), { state: { confirming: true } })).toContain('data-action="delete-now"')
    expect(text(foot(aPost(2), { hasReplies: true, state: { folded: 12 } }))).toContain('Show 12 replies')
  })
})

describe('permissions', () => {
  const mine = aPost(2, { author: ada })
  const person = { ...ada, role: 'member' } as const
  const moderator = { ...ada, id: 'mo', role: 'moderator' } as const
  const everything = { reply: true, react: true, edit: true, delete: true, ask: true, stop: false }

  test('let writers change what is theirs, and moderators everything', () => {
    expect(permissions(person, false, mine)).toEqual(everything)
    expect(permissions({ ...person, id: 'other' }, false, mine)).toEqual({
      ...everything,
      edit: false,
      delete: false,
    })
    expect(permissions(moderator, true, mine)).toEqual(everything)
  })

  test('offer nothing in a locked thread, and nothing on a deleted post', () => {
    expect(permissions(person, true, mine)).toEqual(nothing)
    expect(permissions(moderator, false, { ...mine, state: 'deleted' })).toEqual(nothing)
  })

  test('offer strangers what a name is enough for', () => {
    expect(permissions(null, false, mine)).toEqual({ ...nothing, reply: true, react: true, ask: true })
  })
})

describe('the head of a thread', () => {
  const bar = (props: Parameters<typeof ThreadBar>[0]) => text(renderToString(<ThreadBar {...props} />))
  const typist = (name: string) => ({ id: name, name, parent: 1 })

  test('counts posts and people', () => {
    expect(bar({ posts: 1 })).toBe('Thread (1 post)')
    expect(bar({ posts: 22, viewers: 3, typing: [typist('Ada')] })).toBe(
      'Thread (22 posts) 3 reading Ada is writing…',
    )
    expect(bar({ posts: 2, typing: [typist('Ada'), typist('Bo')] })).toContain('Ada and Bo are writing…')
    expect(bar({ posts: 2, typing: ['A', 'B', 'C'].map(typist) })).toContain('3 people are writing…')
  })

  test('shows the page under discussion, also before it was looked up', () => {
    const url = 'https://essays.example/chair'
    const html = renderToString(<ThreadHead thread={aThread({ url })} author={ada} />)
    expect(html).toContain(`href="${url}"`)
    expect(html.match(/<h1/g)).toHaveLength(1)
  })

  test('offers the lock to those who may use it', () => {
    const head = (mayLock: boolean) =>
      renderToString(<ThreadHead thread={aThread({ locked: true })} author={ada} mayLock={mayLock} />)
    expect(head(true)).toContain('Unlock')
    expect(head(false)).not.toContain('Unlock')
    expect(text(head(false))).toContain('locked')
  })
})

describe('words', () => {
  test.each([
    ['Ada Byron', 'AB'],
    ['wen, passing by', 'WB'],
    ['Explain', 'E'],
    ['李 小龍', '李小'],
    ['👻', '?'],
  ])('initials of %s', (name, letters) => expect(initials(name)).toBe(letters))

  test.each([
    [59_000, 'just now'],
    [60_000, '1 min ago'],
    [3_600_000, '1 hour ago'],
    [7_200_000, '2 hours ago'],
    [86_400_000, '1 day ago'],
    [8 * 86_400_000, '4 May 2026'],
  ])('%i ms ago', (past, words) => {
    const at = '2026-05-04T08:12:00.000Z'
    expect(ago(at, Date.parse(at) + past)).toBe(words)
  })

  test('moments and counts', () => {
    expect(moment('2026-05-04T08:12:00.000Z')).toBe('4 May 2026, 08:12 UTC')
    expect(count(1, 'reply', 'replies')).toBe('1 reply')
    expect(count(12_345, 'post')).toBe('12\u202f345 posts')
  })
})
