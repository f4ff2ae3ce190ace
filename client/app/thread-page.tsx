import { render } from 'preact'
import { Problem } from '../../shared/errors.ts'
import { countPosts, type ThreadState } from '../../shared/thread-state.ts'
import { createApi } from '../api.ts'
import { connectLive, type LiveStatus } from '../live.ts'
import { openOutbox, type Outgoing } from '../outbox.ts'
import { unpack, type PageState } from '../page-state.ts'
import { createStreamView } from '../stream/stream-view.ts'
import { openThread } from '../thread.ts'
import { moderates } from '../views/permissions.ts'
import { SignedIn } from '../views/signed-in.tsx'
import { ThreadBar, ThreadHead } from '../views/thread-head.tsx'
import { createActions } from './actions.ts'
import { createAsking } from './asking.tsx'
import { bringIntoView } from './bring-into-view.ts'
import { startClock } from './clock.ts'
import { createComposing } from './composing.tsx'
import { connectionNote, followBrowser, liveUrl } from './connection.ts'
import { keepPlace } from './keep-place.ts'
import { createLastVisit } from './last-visit.ts'
import { createNews } from './news.ts'
import { watchNearby } from './nearby.ts'
import { pageText } from './page-text.ts'
import { createPendingList } from './pending-list.tsx'
import { createPersonas } from './personas.ts'
import { createPostList } from './post-list.tsx'
import { refusals } from './problem-text.ts'
import { offerQuotes } from './selection.ts'
import { createSession } from './session.ts'
import { remembered } from './storage.ts'
import { createUnread } from './unread.ts'

// New posts get their actions at once; of a great many, those far away get them when they come near.
const wakeAtOnce = 50

/** Brings a thread's page to life: the only place where its parts are put together. */
export function startThreadPage(page: Extract<PageState, { page: 'thread' }>): void {
  const find = <T extends HTMLElement>(id: string) => document.getElementById(id) as T
  const list = find('posts')
  const api = createApi()
  const initial = unpack(page.thread, pageText(document))
  const id = initial.thread.id
  let wasLive = false
  let state = initial

  const live = connectLive({ url: liveUrl(), onStatus, onFault: reportError })
  const session = createSession(api, page.viewer, (token) => {
    // The open socket does not know the new cookie.
    if (token === null) live.reconnect()
    else live.authenticate(token)
    posts.refresh()
    drawHead()
    replace(find('who'), <SignedIn viewer={session.viewer} path={location.pathname} />)
  })
  // What makes code and formulas look right is loaded once, for all replies.
  const extras = {}
  const posts = createPostList(
    {
      list,
      viewer: () => session.viewer,
      now: Date.now,
      createView: (into) => createStreamView(into, { thread: id, publicUrl: publicUrl(), extras }),
    },
    initial,
  )
  const personas = createPersonas(api)
  const lastVisit = createLastVisit(remembered(`visit:${id}`))
  const drawPending = createPendingList(posts, () => session.viewer)
  const unread = createUnread({
    pill: find<HTMLButtonElement>('pill'),
    status: find('announce'),
    element: (number) => posts.element(number),
    reveal,
  })
  const news = createNews({ unread, lastVisit, status: find('replies'), viewer: () => session.viewer })
  const thread = openThread({ live, api, onChange }, initial)
  const outbox = openOutbox({
    async send(input) {
      const { post, asked = [] } = await api.createPost(id, input)
      const unanswered = refusals(asked)
      if (unanswered.length > 0) posts.setFoot(post.number, { unanswered })
      return post
    },
    storage: remembered(`outbox:${id}`),
    onChange: drawPending,
    onPosted: (post) => thread.receivePost(post),
  })
  const composing = createComposing({
    thread: id,
    api,
    session,
    personas,
    onEdited: (post) => thread.receivePost(post),
    typing: (parent) => thread.typing(parent),
    send(draft) {
      const { clientId } = outbox.send(draft)
      const article = list.querySelector(`[data-client="${clientId}"]`)
      if (article !== null) bringIntoView(article)
    },
  })
  const asking = createAsking({
    thread: id,
    api,
    personas,
    session,
    since: () => (state.posts.length > (lastVisit.since ?? Infinity) ? lastVisit.since : undefined),
    onOpen: (number, open) => posts.setFoot(number, { asking: open }),
    onAsked(reply) {
      thread.receivePost(reply)
      const article = posts.element(reply.number)
      if (article !== null) bringIntoView(article)
    },
  })
  const actions = createActions({
    list,
    api,
    posts,
    outbox,
    composing,
    asking,
    session,
    reveal,
    state: () => state,
    receivePost: (post) => thread.receivePost(post),
  })

  const near = new Set<HTMLElement>()
  const wordTimes = startClock(() => [...near, find('head')])
  const nearby = watchNearby(
    list,
    (article) => {
      if (article.classList.contains('pending')) return
      near.add(article)
      posts.near(article)
      wordTimes(article)
    },
    (article) => {
      near.delete(article)
      posts.far(article)
    },
  )

  function onStatus(status: LiveStatus): void {
    if (status.kind === 'live') {
      wasLive = true
      // Run after the parts above stand: the first status comes while they are made.
      queueMicrotask(() => outbox.wake())
    }
    queueMicrotask(drawBar)
  }

  function onChange(next: ThreadState, previous: ThreadState): void {
    state = next
    let inserted: number[] = []
    if (next.posts !== previous.posts || next.thread !== previous.thread) {
      keepPlace(list, () => {
        inserted = posts.update(next)
        outbox.confirm((entry) => isSeen(entry))
      })
      for (const number of inserted.slice(0, wakeAtOnce)) {
        const article = posts.element(number)
        if (article !== null) posts.wake(article)
      }
      news.tell(next, previous, inserted)
    } else if (next.streams !== previous.streams) {
      // What grows keeps the place itself.
      posts.update(next)
    }
    if (next.thread !== previous.thread) drawHead()
    const { posts: before, viewers, typing } = previous
    if (next.posts !== before || next.viewers !== viewers || next.typing !== typing) drawBar()
  }

  function isSeen({ clientId, number }: Outgoing): boolean {
    if (number !== undefined) return state.posts[number - 1] !== undefined
    const me = session.viewer?.id
    return state.posts.findLast((post) => post?.clientId === clientId && post.author.id === me) !== undefined
  }

  function reveal(number: number): void {
    posts.unfoldTo(number)
    const article = posts.element(number)
    if (article === null) return
    for (const other of list.querySelectorAll('.focused')) other.classList.remove('focused')
    article.classList.add('focused')
    article.tabIndex = -1
    article.focus({ preventScroll: true })
    article.scrollIntoView({ block: 'start' })
  }

  function drawHead(): void {
    const view = (
      <ThreadHead
        thread={state.thread}
        author={state.posts[0]?.author}
        now={Date.now()}
        mayLock={moderates(session.viewer)}
      />
    )
    replace(find('head'), view)
    const closed = state.thread.locked && !moderates(session.viewer)
    find('reply-root').hidden = closed
    find('locked').hidden = !closed
  }

  function drawBar(): void {
    const me = session.viewer?.id
    const view = (
      <ThreadBar
        posts={countPosts(state)}
        viewers={state.viewers}
        typing={state.typing.filter((typist) => typist.id !== me)}
        connection={connectionNote(live.status, wasLive, Date.now())}
      />
    )
    replace(find('bar'), view)
  }

  find('head').addEventListener('click', (event) => {
    if (!(event.target instanceof Element) || event.target.closest('[data-action=lock]') === null) return
    api.changeThread(id, { locked: !state.thread.locked }).catch((problem: unknown) => {
      find('announce').textContent = problem instanceof Problem ? problem.message : 'Something went wrong'
    })
  })
  find('reply-root').addEventListener('click', () => {
    if (state.posts[0] !== undefined) composing.reply(state.posts[0], find('compose'))
  })
  offerQuotes(find<HTMLButtonElement>('quote-selection'), (article, text) => actions.quote(article, text))
  followBrowser(live)
  document.addEventListener('visibilitychange', () => news.look(state))
  news.look(state)
  setInterval(() => {
    if (live.status.kind === 'waiting') drawBar()
  }, 1000)

  drawHead()
  drawBar()
  drawPending(outbox.entries)
  if (page.focus !== null) reveal(page.focus)
  nearby.lookAround()
}

/** The server's address as it calls itself, which links in texts are compared with. */
function publicUrl(): string {
  const canonical = document.querySelector<HTMLLinkElement>('link[rel=canonical]')
  return canonical === null ? location.origin : canonical.href.replace(/\/t\/.*$/, '')
}

const drawn = new WeakSet<Element>()

/** Draws into an element in which the server drew before. */
function replace(element: HTMLElement, view: Parameters<typeof render>[0]): void {
  if (!drawn.has(element)) element.replaceChildren()
  drawn.add(element)
  render(view, element)
}
