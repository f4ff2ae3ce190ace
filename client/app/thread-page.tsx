import { Problem } from '../../shared/errors.ts'
import { countPosts, type ThreadState } from '../../shared/thread-state.ts'
import { createApi } from '../api.ts'
import { unpack, type PageState } from '../page-state.ts'
import { postPath } from '../views/format.ts'
import { moderates } from '../views/permissions.ts'
import { SignedIn, signInPath } from '../views/signed-in.tsx'
import { ThreadBar, ThreadHead } from '../views/thread-head.tsx'
import { bringIntoView } from './bring-into-view.ts'
import { followBrowser, liveUrl } from './connection.ts'
import { createDrawer } from './draw-into.ts'
import { keepPlace } from './keep-place.ts'
import { watchNearby } from './nearby.ts'
import { pageText } from './page-text.ts'
import { startThreadView, type Surroundings } from './thread-view.ts'

/** Brings a thread's page to life. */
export function startThreadPage(page: Extract<PageState, { page: 'thread' }>): void {
  const find = (id: string) => document.getElementById(id)!
  const api = createApi()
  const initial = unpack(page.thread, pageText(document))
  const id = initial.thread.id
  const { draw } = createDrawer()

  const surroundings: Surroundings = {
    signIn: () => signInPath(location.pathname),
    addressOf: (number) => location.origin + postPath(id, number),
    visit: (address) => history.pushState(null, '', address),
    keepPlace,
    bringIntoView,
    scrollTo: (article) => article.scrollIntoView({ block: 'start' }),
    watchNearby,
  }
  const view = startThreadView({
    api,
    liveUrl: liveUrl(),
    initial,
    viewer: page.viewer,
    publicUrl: publicUrl(),
    surroundings,
    onStatus: drawBar,
    onChange(next, previous) {
      if (next.thread !== previous.thread) drawHead(next)
      const { posts, viewers, typing } = previous
      if (next.posts !== posts || next.viewers !== viewers || next.typing !== typing) drawBar()
    },
    onViewer(viewer) {
      drawHead(view.state)
      draw(<SignedIn viewer={viewer} path={location.pathname} />, find('who'))
    },
  })
  const { live, session } = view

  function drawHead({ thread, posts }: ThreadState): void {
    const mayLock = moderates(session.viewer)
    const head = <ThreadHead thread={thread} author={posts[0]?.author} now={Date.now()} mayLock={mayLock} />
    draw(head, find('head'))
  }

  function drawBar(): void {
    const { state, typing, connection } = view
    const { viewers } = state
    draw(<ThreadBar posts={countPosts(state)} {...{ viewers, typing, connection }} />, find('bar'))
  }

  find('head').addEventListener('click', (event) => {
    if (!(event.target instanceof Element) || event.target.closest('[data-action=lock]') === null) return
    api.changeThread(id, { locked: !view.state.thread.locked }).catch((problem: unknown) => {
      find('announce').textContent = problem instanceof Problem ? problem.message : 'Something went wrong'
    })
  })
  followBrowser(live)

  drawHead(view.state)
  drawBar()
  if (page.focus !== null) view.reveal(page.focus)
  // What is there already works without a network, too. Not every browser tells when it has nothing else to do.
  const idle = window.requestIdleCallback ?? ((run: () => void) => setTimeout(run, 500))
  idle(() => view.prepare())
}

/** The server's address as it calls itself, which links in texts are compared with. */
function publicUrl(): string {
  const canonical = document.querySelector<HTMLLinkElement>('link[rel=canonical]')
  return canonical === null ? location.origin : canonical.href.replace(/\/t\/.*$/, '')
}
