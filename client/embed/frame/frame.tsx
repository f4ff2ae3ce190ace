import { countPosts, type ThreadState } from '../../../shared/thread-state.ts'
import { postFragment, type ToFrame } from '../../../shared/widget.ts'
import { checkedStyles, styleNames } from '../../../shared/widget.ts'
import { createApi } from '../../api.ts'
import { liveUrl } from '../../app/connection.ts'
import { createDrawer } from '../../app/draw-into.ts'
import { later } from '../../app/later.ts'
import { watchByIntersection } from '../../app/nearby-intersection.ts'
import { pageText } from '../../app/page-text.ts'
import { startThreadView } from '../../app/thread-view.ts'
import { unpack, type PageState } from '../../page-state.ts'
import { EmbedBar } from '../../views/embed-bar.tsx'
import { postPath } from '../../views/format.ts'
import { payAttention } from './attention.ts'
import { linkToHost } from './host-link.ts'
import { createMember } from './member.ts'
import { createViewport } from './viewport.ts'
import { Who } from './who.tsx'

/** Address of links that lead to the widget's own way of signing in. */
const signInHere = '#sign-in'

type EmbedPage = Extract<PageState, { page: 'embed' }>
type PageMessage = Extract<ToFrame, { numinex: 'page' }>

/** Brings a widget's frame to life. */
function startFrame({ embed, thread: packed }: EmbedPage): void {
  const find = (id: string) => document.getElementById(id)!
  const link = linkToHost(embed.host, hear)
  const viewport = createViewport(link, tellSize)
  const initial = unpack(packed, pageText(document))
  const id = initial.thread.id
  const standsAlone = window.parent === window
  let { there } = embed
  let told = -1
  const { draw } = createDrawer()
  /** What the host page said last. */
  let heard = { token: '', hash: '' }
  const tools = later(() => loadStyles(embed.tools))

  const api = createApi({
    token: () => member.token,
    async fetch(...request) {
      const asked = member.token
      const answer = await fetch(...request)
      // What it is refused for while it signs in says nothing of who the reader is now.
      const signsIn = answer.url.includes('/sign-in')
      if (answer.status === 401 && !signsIn && asked !== undefined && asked === member.token) member.lost()
      return answer
    },
  })
  const member = createMember({ host: embed.host, site: embed.site, link, api, session: () => view.session })
  const view = startThreadView({
    api,
    liveUrl: liveUrl(),
    paused: true,
    initial,
    viewer: null,
    publicUrl: location.origin,
    shown: embed.shown,
    expected: !there,
    ...(embed.shown.headless === true && { rootLabel: 'Write a comment' }),
    surroundings: {
      signIn: () => signInHere,
      addressOf: (number) =>
        embed.url === null ? location.origin + postPath(id, number) : postInHost(number),
      visit: () => {},
      keepPlace: viewport.keepPlace,
      bringIntoView: viewport.bringIntoView,
      scrollTo: viewport.bringIntoView,
      watchNearby: watchByIntersection,
    },
    loadTools: () => tools.use(() => {}),
    async prepare() {
      if (there || embed.url === null) return
      await api.openPage({ url: embed.url, ...(embed.title !== null && { title: embed.title }) })
      there = true
    },
    onStatus: drawBar,
    onChange: drawBar,
    onViewer(viewer, token) {
      member.changed(viewer, token)
      drawBar()
    },
    onPosted: (number) => link.send({ numinex: 'post', thread: id, number }),
  })
  const signIn = later(async () => {
    const [{ createSignIn }] = await Promise.all([import('./sign-in.tsx'), tools.use(() => {})])
    return createSignIn({
      api,
      embed,
      link,
      into: find('bar'),
      onSignedIn: member.signedIn,
    })
  })

  function postInHost(number: number): string {
    return `${embed.url!.replace(/#.*$/, '')}#numinex-${number}`
  }

  function hear(message: ToFrame): void {
    if (message.numinex === 'find') {
      const found = document.getElementById(`p${message.number}`) ?? find('posts')
      return viewport.place(found, message.to)
    }
    const { token, hash, live } = message
    attention.show(live)
    look(message, embed.theme)
    if (token !== heard.token) member.vouch(token || null).catch(reportError)
    const [, number] = postFragment.exec(hash) ?? []
    if (hash !== heard.hash && number !== undefined && embed.shown.branch === undefined)
      view.reveal(Number(number))
    heard = { token, hash }
  }

  function tellSize(): void {
    const { bottom } = find('main').getBoundingClientRect()
    link.send({ numinex: 'size', height: Math.ceil(bottom + window.scrollY) })
  }

  /** The root of a page's own thread is no comment. */
  function count(state: ThreadState): number {
    return countPosts(state) - (embed.shown.headless === true ? 1 : 0)
  }

  function drawBar(): void {
    const { state, live, session, typing, connection } = view
    const posts = count(state)
    // A widget that rests is not in trouble.
    const resting = live.status.kind === 'offline' && navigator.onLine
    const who = <Who viewer={session.viewer} signIn={signInHere} mayLeave={member.way !== 'host'} />
    const note = resting ? undefined : connection
    draw(<EmbedBar viewers={state.viewers} connection={note} {...{ posts, typing, who }} />, find('bar'))
    find('empty').hidden = posts > 0
    if (posts !== told) link.send({ numinex: 'count', posts })
    told = posts
  }

  const attention = payAttention(view.live, standsAlone)
  new IntersectionObserver((entries) => attention.see(entries.at(-1)?.isIntersecting === true)).observe(
    find('main'),
  )
  document.addEventListener('click', (event) => {
    const target = event.target instanceof Element ? event.target : null
    if (target?.closest(`a[href="${signInHere}"]`)) {
      event.preventDefault()
      signIn.use((one) => one.open()).catch(reportError)
    } else if (target?.closest('[data-action=sign-out]')) void member.signOut()
  })

  // Ready before anything is counted anew.
  told = count(view.state)
  drawBar()
  link.send({ numinex: 'hello' })
  link.send({ numinex: 'ready', posts: told })
  member.resume().catch(reportError)
}

/** Loads style sheets into the page. One that cannot be had costs looks, and nothing else. */
async function loadStyles(addresses: readonly string[]): Promise<void> {
  const load = (href: string) =>
    new Promise<void>((resolve) => {
      const link = document.createElement('link')
      Object.assign(link, { rel: 'stylesheet', href, onload: () => resolve(), onerror: () => resolve() })
      document.head.append(link)
    })
  await Promise.all(addresses.map(load))
}

/** `usual` is what the site's admins chose, for where the element wants nothing else. */
function look({ theme, scheme, styles }: PageMessage, usual: 'light' | 'dark' | null): void {
  const root = document.documentElement
  const wanted = [theme, usual, scheme].find((each) => each === 'light' || each === 'dark')
  if (wanted) root.dataset['theme'] = wanted
  const given = checkedStyles(styles)
  for (const name of styleNames.map((each) => `--numinex-${each}`))
    root.style.setProperty(name, given[name] ?? null)
}

document.documentElement.classList.add('alive')
startFrame(JSON.parse(document.getElementById('state')!.textContent) as EmbedPage)
