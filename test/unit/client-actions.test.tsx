// @vitest-environment jsdom
import { beforeEach, describe, expect, test } from 'vitest'
import { createActions, type ActionParts } from '../../client/app/actions.ts'
import { later } from '../../client/app/later.ts'
import { createPostList, type PostList } from '../../client/app/post-list.tsx'
import type { Viewer } from '../../client/page-state.ts'
import { Problem } from '../../shared/errors.ts'
import type { Post } from '../../shared/post.ts'
import { fromSnapshot } from '../../shared/thread-state.ts'
import { ada, aPost, aSnapshot } from '../helpers/posts.ts'
import { aReply, aReport } from '../helpers/ai-posts.ts'

const viewer: Viewer = { ...ada, role: 'member' }

let posts: PostList
let received: Post[]
let stopped: unknown[][]
let stop: () => Promise<Post>
let asked: [what: string, number: number][]
let again: () => Promise<void>
let report: ReturnType<ActionParts['api']['run']>

beforeEach(() => {
  Element.prototype.scrollIntoView = () => undefined
  document.body.innerHTML = '<div id="posts"></div>'
  const list = document.getElementById('posts')!
  const given = [aPost(1), aReply(2), aReply(3, { state: 'failed' }), aReply(4, { state: 'complete' })]
  const state = fromSnapshot(aSnapshot(given))
  posts = createPostList(
    {
      list,
      viewer: () => viewer,
      now: Date.now,
      createView: () => ({ show() {}, settle: (html) => html, close() {} }),
    },
    fromSnapshot(aSnapshot([])),
  )
  posts.update(state)
  for (const article of list.children) posts.wake(article as HTMLElement)
  received = []
  stopped = []
  stop = () => Promise.resolve(aReply(2, { state: 'stopped' }))
  asked = []
  again = () => Promise.resolve()
  report = Promise.resolve(aReport())
  createActions({
    list,
    api: {
      stop(...args) {
        stopped.push(args)
        return stop()
      },
      run: () => report,
      react: () => Promise.resolve(undefined),
      deletePost: () => Promise.resolve(undefined),
    },
    posts,
    writing: {} as never,
    asking: later(async () => ({
      toggle: ({ number }) => void asked.push(['toggle', number]),
      again({ number }) {
        asked.push(['again', number])
        return again()
      },
    })),
    session: { viewer, signIn: '/sign-in', beGuest: async () => undefined, become: () => undefined },
    surroundings: { addressOf: (number) => `/t/x/${number}`, visit: () => undefined },
    loadTools: async () => undefined,
    state: () => state,
    receivePost: (post) => void received.push(post),
    reveal: () => undefined,
  })
})

const button = (number: number, action: string) =>
  posts.element(number)!.querySelector<HTMLElement>(`[data-action="${action}"]`)!
const text = (number: number) => posts.element(number)!.textContent

describe('what can be done about AI replies', () => {
  test('Stop names the run, and says that it was pressed', async () => {
    button(2, 'stop').click()
    expect(text(2)).toContain('Stopping…')
    await expect.poll(() => received.map(({ state }) => state)).toEqual(['stopped'])
    expect(stopped).toEqual([['k3v9x2q7ab', 2, 'run-2']])
  })

  test('Stop tells of a refusal, but not when the reply came to its end first', async () => {
    stop = () => Promise.reject(new Problem('forbidden'))
    button(2, 'stop').click()
    await expect.poll(() => text(2)).toContain('You may not do this')
    expect(button(2, 'stop').textContent).toBe('Stop')
    posts.setFoot(2, { problem: undefined })
    stop = () => Promise.reject(new Problem('run-ended'))
    button(2, 'stop').click()
    await expect.poll(() => button(2, 'stop').textContent).toBe('Stop')
    expect(text(2)).not.toContain('has ended')
  })

  test('the panel, Retry and Ask again go to who asks', async () => {
    button(1, 'ask').click()
    button(3, 'retry-ask').click()
    button(4, 'ask-again').click()
    const all = expect.poll(() => asked)
    await all.toEqual([
      ['toggle', 1],
      ['again', 3],
      ['again', 4],
    ])
  })

  test('a refusal to retry is shown beneath the post', async () => {
    again = () => Promise.reject(new Problem('ai-busy', { retryMs: 4_000 }))
    button(3, 'retry-ask').click()
    await expect.poll(() => text(3)).toContain('Try again in 4 s.')
  })

  test('what the AI read opens beneath the post, is fetched then, and closes', async () => {
    const toggle = () => button(4, 'run-report')
    let arrive = () => {}
    report = new Promise((resolve) => (arrive = () => resolve(aReport())))
    expect(toggle().getAttribute('aria-expanded')).toBe('false')
    toggle().click()
    expect(toggle().getAttribute('aria-expanded')).toBe('true')
    await expect.poll(() => text(4)).toContain('One moment…')
    arrive()
    await expect.poll(() => text(4)).toContain('Explain (@explain), version 3')
    toggle().click()
    expect(posts.element(4)!.querySelector('.run-report')).toBeNull()
  })

  test('what the AI read stays closed when it comes too late, and says when it cannot be had', async () => {
    let arrive = () => {}
    report = new Promise((resolve) => (arrive = () => resolve(aReport())))
    button(4, 'run-report').click()
    await expect.poll(() => text(4)).toContain('One moment…')
    button(4, 'run-report').click()
    arrive()
    await report
    await new Promise((resolve) => setTimeout(resolve, 0))
    expect(posts.element(4)!.querySelector('.run-report')).toBeNull()
    report = Promise.reject(new Problem('run-not-found'))
    button(4, 'run-report').click()
    await expect.poll(() => text(4)).toContain('There is no such AI reply')
  })

  test('a note on who does not reply is hidden when it was read', () => {
    posts.setFoot(1, { unanswered: ['@check does not reply: Busy.'] })
    expect(text(1)).toContain('@check does not reply')
    button(1, 'dismiss').click()
    expect(text(1)).not.toContain('@check does not reply')
  })
})
