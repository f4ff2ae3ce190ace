import type { Typist } from '../../shared/live.ts'
import type { Viewer } from '../page-state.ts'
import type { ThreadState, TreeView } from '../../shared/thread-state.ts'
import type { Api } from '../api.ts'
import { connectLive, type Live, type LiveStatus } from '../live.ts'
import { openThread } from '../thread.ts'
import type { ConnectionNote } from '../views/thread-head.tsx'
import { moderates } from '../views/permissions.ts'
import { createActions } from './actions.ts'
import { startClock } from './clock.ts'
import { connectionNote } from './connection.ts'
import { createLateView } from './late-view.ts'
import { later } from './later.ts'
import { createLastVisit } from './last-visit.ts'
import { createNews } from './news.ts'
import type { Nearby } from './nearby-intersection.ts'
import { createPersonas } from './personas.ts'
import { createPostList } from './post-list.tsx'
import { createSession, type Session } from './session.ts'
import { remembered } from './storage.ts'
import { createUnread } from './unread.ts'
import type { Writing } from './writing.ts'

// New posts get their actions at once; of a great many, those far away get them when they come near.
const wakeAtOnce = 50

/** What differs between a page of the site and a widget in another page. */
export interface Surroundings {
  /** Address of the site's sign-in, or one that the widget knows by itself. */
  signIn(): string
  /** Where others find a post. */
  addressOf(number: number): string
  /** The reader goes to another place of the thread: what the browser's way back leads through. */
  visit(address: string): void
  /** Runs a change of the posts, now or in a moment, without moving what is being read. */
  keepPlace(list: HTMLElement, change: () => void): void
  bringIntoView(element: Element): void
  /** Scrolls so that the post is the first thing that is read. */
  scrollTo(article: HTMLElement): void
  watchNearby(list: HTMLElement, near: (post: HTMLElement) => void, far: (post: HTMLElement) => void): Nearby
}

export interface ThreadViewParts {
  readonly api: Api
  readonly liveUrl: string
  /** Whether the connection waits for `live.wake()`. */
  readonly paused?: boolean
  readonly initial: ThreadState
  readonly viewer: Viewer | null
  /** The server's address as it calls itself, which links in texts are compared with. */
  readonly publicUrl: string
  readonly shown?: TreeView
  /** The thread may not be there yet: it is waited for. */
  readonly expected?: boolean
  readonly surroundings: Surroundings
  /** What writing to the thread itself is called. */
  readonly rootLabel?: string
  /** What is needed to do something is loaded: resolves when it may be shown. */
  loadTools?(): Promise<void>
  /** Before a post or a question goes out: what it goes to may have to be made first. */
  prepare?(): Promise<void>
  onChange(state: ThreadState, previous: ThreadState): void
  /** The connection stands otherwise, or what is said of it does. */
  onStatus(): void
  /** The reader is someone else now. `token` is a bearer token, where there is one. */
  onViewer(viewer: Viewer | null, token: string | null): void
  /** The reader has posted. */
  onPosted?(number: number): void
}

/** A thread in a page, alive. */
export interface ThreadView {
  readonly live: Live
  readonly session: Session
  readonly state: ThreadState
  /** How the page stands with the server, in words. */
  readonly connection: ConnectionNote | undefined
  /** Who is writing, but for the reader. */
  readonly typing: readonly Typist[]
  /** Brings a post into view and marks it. */
  reveal(number: number): void
  /** Loads what it takes to write, before anybody asks for it. */
  prepare(): void
}

/** Brings the posts of a page to life. The elements that they need are found by their ids. */
export function startThreadView(parts: ThreadViewParts): ThreadView {
  const { api, initial, surroundings, shown = {} } = parts
  const find = <T extends HTMLElement>(id: string) => document.getElementById(id) as T
  const list = find('posts')
  const id = initial.thread.id
  const top = shown.branch ?? 1
  let state = initial
  /** What the page shows: the state, or one before where a change waits. */
  let drawn = initial
  let written: Writing | undefined
  let wasLive = false

  const live = connectLive({
    url: parts.liveUrl,
    onStatus,
    onFault: reportError,
    ...(parts.paused === true && { paused: true }),
  })
  const session = createSession(
    api,
    { viewer: parts.viewer, signIn: surroundings.signIn },
    (viewer, token) => {
      // The open socket does not know the new cookie.
      if (token === null) live.reconnect()
      else live.authenticate(token)
      posts.refresh()
      showWhetherClosed()
      parts.onViewer(viewer, token)
    },
  )
  // What makes code and formulas look right is loaded once, for all replies; and they share the time for drawing.
  const extras = {}
  const pace = { even: 0 }
  const posts = createPostList(
    {
      list,
      shown,
      viewer: () => session.viewer,
      now: Date.now,
      createView: (into) => createLateView(into, loadStreamView),
    },
    initial,
  )
  const personas = createPersonas(api)
  const lastVisit = createLastVisit(remembered(`visit:${id}`))
  const unread = createUnread({
    pill: find<HTMLButtonElement>('pill'),
    status: find('announce'),
    element: (number) => posts.element(number),
    reveal,
  })
  const news = createNews({ unread, lastVisit, status: find('replies'), viewer: () => session.viewer })
  const thread = openThread(
    { live, api, onChange, ...(parts.expected === true && { expected: true }) },
    initial,
  )
  const unsent = remembered(`outbox:${id}`)
  // Most who read write nothing: what they would write with is loaded when they turn to it.
  const writing = later(async () => {
    const [{ createWriting }] = await Promise.all([import('./writing.ts'), parts.loadTools?.()])
    return (written = createWriting({
      thread: id,
      api,
      list,
      posts,
      session,
      personas,
      surroundings,
      storage: unsent,
      rootLabel: parts.rootLabel ?? 'Reply to the thread',
      quoteButton: find<HTMLButtonElement>('quote-selection'),
      post: (number) => state.posts[number - 1],
      prepare,
      typing: (parent) => thread.typing(parent),
      onPost: (post) => thread.receivePost(post),
      onPosted: (number) => parts.onPosted?.(number),
    }))
  })
  const asking = later(async () => {
    const [{ createAsking }] = await Promise.all([import('./asking.tsx'), parts.loadTools?.()])
    return createAsking({
      thread: id,
      api: {
        async ask(...input) {
          await prepare()
          return api.ask(...input)
        },
      },
      personas,
      session,
      since: () => (state.posts.length > (lastVisit.since ?? Infinity) ? lastVisit.since : undefined),
      onOpen: (number, open) => posts.setFoot(number, { asking: open }),
      onAsked(reply) {
        thread.receivePost(reply)
        const article = posts.element(reply.number)
        if (article !== null) surroundings.bringIntoView(article)
      },
    })
  })
  const turnTo = new AbortController()
  function load(): void {
    turnTo.abort()
    writing.load()
    asking.load()
  }
  for (const type of ['pointerover', 'touchstart', 'focusin']) {
    list.parentElement?.addEventListener(type, load, { signal: turnTo.signal, passive: true })
  }
  createActions({
    list,
    api,
    posts,
    writing,
    asking,
    session,
    surroundings,
    loadTools: async () => parts.loadTools?.(),
    reveal,
    state: () => state,
    receivePost: (post) => thread.receivePost(post),
  })

  const near = new Set<HTMLElement>()
  const wordTimes = startClock(() => [...near, ...document.querySelectorAll('#head')])
  const nearby = surroundings.watchNearby(
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
    // Run after the parts above stand: the first status comes while they are made.
    queueMicrotask(() => {
      if (status.kind === 'live') {
        wasLive = true
        written?.outbox.wake()
      }
      parts.onStatus()
    })
  }

  function onChange(next: ThreadState, previous: ThreadState): void {
    state = next
    if (next.posts !== previous.posts || next.thread !== previous.thread)
      surroundings.keepPlace(list, drawPosts)
    else if (next.streams !== previous.streams && drawn.posts === next.posts) {
      // What grows keeps the place itself.
      posts.update(next)
      drawn = next
    }
    if (next.thread !== previous.thread) showWhetherClosed()
    parts.onChange(next, previous)
  }

  function drawPosts(): void {
    const before = drawn
    const now = (drawn = state)
    const inserted = posts.update(now)
    written?.seen(now)
    for (const number of inserted.slice(0, wakeAtOnce)) {
      const article = posts.element(number)
      if (article !== null) posts.wake(article)
    }
    news.tell(now, before, inserted)
  }

  async function loadStreamView() {
    const { createStreamView } = await import('../stream/stream-view.ts')
    return (into: HTMLElement) =>
      createStreamView(into, { thread: id, publicUrl: parts.publicUrl, extras, pace })
  }

  async function prepare(): Promise<void> {
    await parts.prepare?.()
  }

  /** Whether the thread takes replies from this reader. */
  function showWhetherClosed(): void {
    const closed = state.thread.locked && !moderates(session.viewer)
    find('reply-root').hidden = closed
    find('locked').hidden = !closed
  }

  function reveal(number: number): void {
    posts.unfoldTo(number)
    const article = posts.element(number)
    if (article === null) return
    for (const other of list.querySelectorAll('.focused')) other.classList.remove('focused')
    article.classList.add('focused')
    article.tabIndex = -1
    article.focus({ preventScroll: true })
    surroundings.scrollTo(article)
  }

  find('reply-root').addEventListener('click', () => {
    const post = state.posts[top - 1]
    if (post === undefined) return
    writing.use(({ composing }) => composing.reply(post, find('compose'))).catch(reportError)
  })
  // The words count the seconds.
  setInterval(() => {
    if (live.status.kind === 'waiting') parts.onStatus()
  }, 1000)
  document.addEventListener('visibilitychange', () => news.look(drawn))
  news.look(drawn)
  if (unsent.get() !== null) writing.load()
  nearby.lookAround()
  showWhetherClosed()

  return {
    live,
    session,
    get state() {
      return state
    },
    get connection() {
      return connectionNote(live.status, wasLive, Date.now())
    },
    get typing() {
      return state.typing.filter(({ id: typist }) => typist !== session.viewer?.id)
    },
    reveal,
    prepare: load,
  }
}
