// @vitest-environment jsdom
import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { createPostList, type PostList } from '../../client/app/post-list.tsx'
import { createPendingList } from '../../client/app/pending-list.tsx'
import { pageText } from '../../client/app/page-text.ts'
import type { Outgoing } from '../../client/outbox.ts'
import { unpack, type PageState, type Viewer } from '../../client/page-state.ts'
import { createPostCache } from '../../server/pages/post-cache.ts'
import { renderThreadPage } from '../../server/pages/thread-page.tsx'
import type { Post } from '../../shared/post.ts'
import { createStreamView } from '../../client/stream/stream-view.ts'
import { apply, applyChanges, fromSnapshot, treeRows, type ThreadState } from '../../shared/thread-state.ts'
import { aReply } from '../helpers/ai-posts.ts'
import { ada, aPost, aSnapshot, aThread, check, reader } from '../helpers/posts.ts'

const viewer: Viewer = { ...ada, role: 'member' }
const createView = (into: HTMLElement) =>
  createStreamView(into, { thread: aThread().id, publicUrl: 'http://x.example' })

let state: ThreadState
let list: HTMLElement
let posts: PostList

/** Puts the server's page into the document and opens it as the client does. */
async function open(given: Post[], who: Viewer | null = viewer): Promise<void> {
  let html = ''
  const frame = {
    viewer: who,
    assets: { scripts: [], modules: [], styles: [] },
    publicUrl: 'http://x.example',
  }
  const data = { ...frame, snapshot: aSnapshot(given) }
  for await (const piece of renderThreadPage({ cache: createPostCache() }, data)) html += piece
  const page = new DOMParser().parseFromString(html, 'text/html')
  document.body.replaceChildren(...page.body.children)
  const json = JSON.parse(document.getElementById('state')!.textContent) as Extract<
    PageState,
    { page: 'thread' }
  >
  state = unpack(json.thread, pageText(document))
  list = document.getElementById('posts')!
  posts = createPostList(
    { list, viewer: () => who, now: () => Date.parse('2026-05-04T08:13:00.000Z'), createView },
    state,
  )
}

/** Begins with an empty list and lets the posts come. */
function restart(given: Post[]): void {
  list.replaceChildren()
  state = fromSnapshot(aSnapshot([]))
  posts = createPostList({ list, viewer: () => viewer, now: Date.now, createView }, state)
  receive(...given)
}

function receive(...changed: Post[]): number[] {
  const seq = state.seq + 1
  const stamped = changed.map((post) => ({ ...post, seq }))
  state = applyChanges(state, state.seq, { thread: state.thread, posts: stamped, seq })
  return posts.update(state)
}

const shown = () =>
  [...list.querySelectorAll('.post:not(.pending)')].map(
    (post) => `${post.id}:${post.getAttribute('data-depth')}`,
  )
const expected = () => treeRows(state.posts).map(({ post, depth }) => `p${post.number}:${depth}`)
const article = (number: number) => posts.element(number)!
const textOf = (number: number) => article(number).textContent
const press = (number: number, action: string) => article(number).querySelector(`[data-action="${action}"]`)
const visible = () => [...list.children].filter((post) => !(post as HTMLElement).hidden).map(({ id }) => id)

beforeEach(() => {
  globalThis.CSS = { supports: () => true } as unknown as typeof CSS
  return open([aPost(1), aPost(2), aPost(3, { parent: 2 }), aPost(4)])
})

describe('the state that a page carries', () => {
  test('says with the HTML what the snapshot said', async () => {
    const embeds = [{ kind: 'link', url: 'https://x.example/', state: 'missing' }] as const
    const given = [
      aPost(1, { html: '<p>One &amp; <em>two</em></p><script>' + '</script>' }),
      aPost(2, {
        author: check,
        quote: { number: 1, text: 'One & two' },
        reactions: [{ emoji: '👍', count: 1, by: ['ada'] }],
        editedAt: '2026-05-05T00:00:00.000Z',
      }),
      aPost(3, { html: '<p>a</p><p class="embed" data-embed="0"></p><p>b</p>', embeds: [...embeds] }),
      aPost(4, { author: reader, quote: { number: 3, text: null } }),
      aPost(5, { parent: 4, state: 'deleted', html: '' }),
      aPost(6, { parent: 5, author: { ...ada, name: '</script><b>' } }),
      aReply(7, { parent: 6, request: 'explain </script> <b>' }),
      aReply(8, { parent: 6, state: 'failed', html: '<p>So far</p>', reason: 'The model fell silent' }),
    ]
    await open(given)
    const plain = state.posts.map((post) => JSON.parse(JSON.stringify(post)) as Post)
    expect(plain).toEqual(given.map((post) => ({ ...post })))
    expect(shown()).toEqual(expected())
  })
})

describe('the list of posts', () => {
  test('is that of treeRows after any changes, with posts on their way in between', () => {
    const change = fc.record({ kind: fc.constantFrom('reply', 'reply', 'delete', 'edit'), pick: fc.nat() })
    fc.assert(
      fc.property(fc.array(fc.array(change, { minLength: 1, maxLength: 4 }), { maxLength: 8 }), (batches) => {
        restart([aPost(1)])
        const draw = createPendingList(posts, { viewer, signIn: '/sign-in' })
        draw([outgoing('a', 1), outgoing('b', 1)])
        for (const batch of batches) {
          const changed = new Map<number, Post>()
          const get = (number: number) => changed.get(number) ?? state.posts[number - 1]!
          let size = state.posts.length
          for (const { kind, pick } of batch) {
            const number = (pick % size) + 1
            if (kind === 'reply') changed.set(++size, aPost(size, { parent: number }))
            else if (kind === 'delete') changed.set(number, { ...get(number), state: 'deleted', html: '' })
            else changed.set(number, { ...get(number), html: '<p>new</p>' })
          }
          receive(...changed.values())
          expect(shown()).toEqual(expected())
        }
        const pending = [...list.querySelectorAll('.pending')].map((post) => post.getAttribute('data-client'))
        expect(pending).toEqual(['a', 'b'])
      }),
      { numRuns: 60 },
    )
  })

  test('touches nothing but what changed', () => {
    const before = [...list.children].map((post) => post.innerHTML)
    receive(aPost(4, { html: '<p>Other words</p>', editedAt: '2026-05-05T00:00:00.000Z' }))
    const after = [...list.children].map((post) => post.innerHTML)
    expect(after.map((html, i) => html === before[i])).toEqual([true, true, true, false])
    expect(textOf(4)).toContain('Other words')
    expect(textOf(4)).toContain('edited')
  })

  test('keeps the text in place when only reactions change', () => {
    const words = article(2).querySelector('.text')!.firstChild
    posts.wake(article(2))
    receive(aPost(2, { reactions: [{ emoji: '🎉', count: 1, by: ['ada'] }] }))
    expect(article(2).querySelector('.text')!.firstChild).toBe(words)
    expect(article(2).querySelector('button.reaction')!.getAttribute('aria-pressed')).toBe('true')
  })

  test('tells which posts are new', () => {
    expect(receive(aPost(5), aPost(6, { parent: 5 }), aPost(2, { html: '<p>x</p>' }))).toEqual([5, 6])
  })

  test('turns a deleted post with replies into a tombstone, and takes one without away', () => {
    receive(aPost(2, { state: 'deleted', html: '' }), aPost(4, { state: 'deleted', html: '' }))
    expect(textOf(2)).toContain('This post was deleted.')
    expect(textOf(2)).not.toContain('Ada')
    expect(textOf(3)).toContain('in reply to #2')
    expect(textOf(3)).not.toContain('in reply to #2 Ada')
    expect(shown()).toEqual(['p1:0', 'p2:1', 'p3:2'])
    receive(aPost(3, { parent: 2, state: 'deleted', html: '' }))
    expect(shown()).toEqual(['p1:0'])
  })

  test('gives actions to posts as they come near', () => {
    expect(press(2, 'reply')).toBeNull()
    posts.wake(article(2))
    expect(press(2, 'reply')).not.toBeNull()
    expect(press(2, 'edit')).not.toBeNull()
  })

  test('takes the actions away when the thread is locked', () => {
    posts.wake(article(2))
    state = { ...state, thread: aThread({ locked: true }) }
    posts.update(state)
    expect(press(2, 'reply')).toBeNull()
  })

  test('folds a branch, what comes new into it too, and opens it on the way to a post', () => {
    for (const number of [1, 2, 3]) posts.wake(article(number))
    posts.fold(2)
    expect(visible()).toEqual(['p1', 'p2', 'p4'])
    expect(textOf(2)).toContain('Show 1 reply')
    receive(aPost(5, { parent: 3 }))
    expect(visible()).toEqual(['p1', 'p2', 'p4'])
    posts.fold(1)
    expect(visible()).toEqual(['p1'])
    posts.fold(1)
    expect(visible()).toEqual(['p1', 'p2', 'p4'])
    posts.unfoldTo(5)
    expect(visible()).toEqual(['p1', 'p2', 'p3', 'p5', 'p4'])
  })
})

describe('a reply of an AI', () => {
  const body = (number: number) => article(number).querySelector('.body')!
  const words = (number: number) => body(number).textContent.trim()
  const note = (number: number) => article(number).querySelector('.by .note')!.textContent

  function write(number: number, text: string, at = state.streams.get(number)?.text.length ?? 0): void {
    state = apply(state, {
      type: 'delta',
      thread: state.thread.id,
      post: number,
      run: `run-${number}`,
      at,
      text,
    })
    posts.update(state)
  }

  test('is thinking, then writes in its place, and its final text takes the same place', async () => {
    receive(aReply(5))
    expect(note(5)).toBe('is thinking…')
    expect(article(5).getAttribute('aria-busy')).toBe('true')
    write(5, 'One *two ')
    expect(note(5)).toBe('is writing…')
    await expect.poll(() => body(5).querySelector('em')?.textContent.trim()).toBe('two')
    write(5, 'more* &amp; "three"\n\nFour ')
    await expect.poll(() => body(5).textContent).toContain('Four')
    const [place, paragraph] = [body(5).firstElementChild, body(5).querySelector('p')]
    receive(
      aReply(5, {
        state: 'complete',
        html: '<p>One <em>two more</em> &amp; &quot;three&quot;</p>\n<p>Four</p>\n',
      }),
    )
    expect(body(5).textContent).toBe('One two more & "three"\nFour\n')
    expect(body(5).firstElementChild).toBe(place)
    expect(body(5).querySelector('p')).toBe(paragraph)
    expect(article(5).hasAttribute('aria-busy')).toBe(false)
    expect(article(5).querySelector('.by .note')).toBeNull()
  })

  test('keeps what was written when only its reactions change', async () => {
    receive(aReply(5))
    write(5, 'Some words ')
    await expect.poll(() => words(5)).toBe('Some words')
    const paragraph = body(5).querySelector('p')
    receive(aReply(5, { reactions: [{ emoji: '👀', count: 1, by: ['ada'] }] }))
    expect(body(5).querySelector('p')).toBe(paragraph)
    expect(article(5).querySelector('button.reaction')).not.toBeNull()
  })

  test('on its way when the page came is shown once it is near', async () => {
    await open([aPost(1), aReply(2)])
    expect(note(2)).toBe('is writing…')
    write(2, 'Before ')
    expect(body(2).textContent).toBe('')
    posts.near(article(2))
    await expect.poll(() => words(2)).toBe('Before')
    posts.far(article(2))
    write(2, 'and after ')
    expect(press(2, 'stop')).not.toBeNull()
    posts.near(article(2))
    await expect.poll(() => words(2)).toBe('Before and after')
  })

  test('that ended without a word shows none', async () => {
    receive(aReply(5))
    write(5, 'lost ')
    await expect.poll(() => words(5)).toBe('lost')
    receive(aReply(5, { state: 'failed', reason: 'The model fell silent' }))
    expect(body(5).textContent).toBe('')
    expect(textOf(5)).toContain('The model fell silent')
    expect(press(5, 'retry-ask')).not.toBeNull()
  })

  test('that is deleted while it is written goes', async () => {
    receive(aReply(5), aPost(6, { parent: 5 }))
    write(5, 'words ')
    await expect.poll(() => words(5)).toBe('words')
    receive(aReply(5, { state: 'deleted' }))
    expect(textOf(5)).toContain('This post was deleted.')
    expect(textOf(5)).not.toContain('words')
  })

  test('keeps what was opened beneath it and who does not reply, when it changes', () => {
    posts.wake(article(2))
    posts.setFoot(2, { unanswered: ['@explain does not reply: Busy.'], problem: 'Refused' })
    receive(aPost(2, { reactions: [{ emoji: '👀', count: 1, by: [] }] }))
    expect(textOf(2)).toContain('@explain does not reply: Busy.')
    expect(textOf(2)).not.toContain('Refused')
  })
})

function outgoing(clientId: string, parent: number, more: Partial<Outgoing> = {}): Outgoing {
  return {
    clientId,
    parent,
    body: 'Words',
    status: 'sending',
    createdAt: '2026-05-04T08:12:00.000Z',
    ...more,
  }
}

describe('posts on their way', () => {
  const ids = () => [...list.children].map((post) => post.id || post.getAttribute('data-client'))

  test('stand where they will be, behind the replies that are there', () => {
    const draw = createPendingList(posts, { viewer, signIn: '/sign-in' })
    draw([outgoing('mine', 2), outgoing('last', 4)])
    expect(ids()).toEqual(['p1', 'p2', 'p3', 'mine', 'p4', 'last'])
    receive(aPost(5, { parent: 2 }), aPost(6, { parent: 3 }))
    expect(ids()).toEqual(['p1', 'p2', 'p3', 'p6', 'p5', 'mine', 'p4', 'last'])
    receive(aPost(7))
    expect(ids()).toEqual(['p1', 'p2', 'p3', 'p6', 'p5', 'mine', 'p4', 'last', 'p7'])
    draw([])
    expect(ids()).toEqual(['p1', 'p2', 'p3', 'p6', 'p5', 'p4', 'p7'])
  })

  test('say what became of them', () => {
    const draw = createPendingList(posts, { viewer, signIn: '/sign-in' })
    const mine = () => list.querySelector('.pending')!
    draw([outgoing('mine', 2)])
    expect(mine().textContent).toContain('sending…')
    expect(mine().querySelector('button')).toBeNull()
    draw([outgoing('mine', 2, { status: 'failed', reason: 'The thread is locked' })])
    expect(mine().textContent).toContain('The thread is locked')
    const actions = [...mine().querySelectorAll('button')].map((button) => button.dataset['action'])
    expect(actions).toEqual(['retry', 'rewrite', 'discard'])
  })
})
