import { render } from 'preact'
import { countPosts } from '../../../shared/thread-state.ts'
import type { ToFrame } from '../../../shared/embed.ts'
import { checkedStyles, styleProperties } from '../../../shared/embed.ts'
import { createApi } from '../../api.ts'
import { connectionNote, liveUrl } from '../../app/connection.ts'
import { later } from '../../app/later.ts'
import { watchByIntersection } from '../../app/nearby-intersection.ts'
import { pageText } from '../../app/page-text.ts'
import { startThreadView } from '../../app/thread-view.ts'
import { unpack, type PageState } from '../../page-state.ts'
import { EmbedBar } from '../../views/embed-bar.tsx'
import { postPath } from '../../views/format.ts'
import { moderates } from '../../views/permissions.ts'
import { payAttention } from './attention.ts'
import { linkToHost } from './host-link.ts'
import { createMember } from './member.ts'
import { createViewport } from './viewport.ts'
import { Who } from './who.tsx'

/** Address of links that lead to the widget's own way of signing in. */
const signInHere = '#sign-in'

type EmbedPage = Extract<PageState, { page: 'embed' }>

/** Brings a widget's frame to life. */
function startFrame({ embed, thread: packed }: EmbedPage): void {
  const find = (id: string) => document.getElementById(id)!
  const link = linkToHost(embed.host, hear)
  const viewport = createViewport(link)
  const initial = unpack(packed, pageText(document))
  const id = initial.thread.id
  const standsAlone = window.parent === window
  let { there } = embed
  let wasLive = false
  let told = -1
  const tools = later(() => loadStyles(embed.tools))

  const api = createApi({
    token: () => member.token,
    async fetch(...request) {
      const asked = member.token
      const answer = await fetch(...request)
      if (answer.status === 401 && asked !== undefined && asked === member.token) member.lost()
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
    onStatus(status) {
      if (status.kind === 'live') wasLive = true
      draw()
    },
    onChange: draw,
    onViewer(viewer, token) {
      member.changed(viewer, token)
      draw()
    },
    onPosted: (number) => link.send({ numinex: 'posted', thread: id, number }),
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
    switch (message.numinex) {
      case 'look':
        return look(message)
      case 'show':
        return attention.show(message.live)
      case 'user':
        return void member.vouch(message.token).catch(reportError)
      case 'reveal':
        return view.reveal(message.number)
    }
  }

  function draw(): void {
    const { state, live, session } = view
    const count = countPosts(state) - (embed.shown.headless === true ? 1 : 0)
    const me = session.viewer?.id
    const note = connectionNote(live.status, wasLive, Date.now())
    // A widget that rests is not in trouble.
    const resting = live.status.kind === 'offline' && navigator.onLine
    const bar = (
      <EmbedBar
        posts={count}
        viewers={state.viewers}
        typing={state.typing.filter((typist) => typist.id !== me)}
        connection={resting ? undefined : note}
        who={<Who viewer={session.viewer} signIn={signInHere} mayLeave={member.way !== 'host'} />}
      />
    )
    const place = find('bar')
    if (!place.hasAttribute('data-alive')) place.replaceChildren()
    place.setAttribute('data-alive', '')
    render(bar, place)
    find('empty').hidden = count > 0
    const closed = state.thread.locked && !moderates(session.viewer)
    find('reply-root').hidden = closed
    find('locked').hidden = !closed
    if (count !== told) link.send({ numinex: 'count', posts: count })
    told = count
  }

  const attention = payAttention(view.live, standsAlone)
  find('reply-root').addEventListener('click', () => view.reply(find('compose')))
  document.addEventListener('click', (event) => {
    const target = event.target instanceof Element ? event.target : null
    if (target?.closest(`a[href="${signInHere}"]`)) {
      event.preventDefault()
      signIn.use((one) => one.open()).catch(reportError)
    } else if (target?.closest('[data-action=sign-out]')) void member.signOut()
  })
  setInterval(() => {
    if (view.live.status.kind === 'waiting') draw()
  }, 1000)

  const main = find('main')
  new ResizeObserver(() => {
    link.send({ numinex: 'size', height: Math.ceil(main.getBoundingClientRect().bottom + window.scrollY) })
  }).observe(main)

  draw()
  link.send({ numinex: 'hello' })
  link.send({ numinex: 'ready', posts: told })
  member.resume().catch(reportError)
  if (embed.at !== null) view.reveal(embed.at)
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

function look({ theme, styles }: Extract<ToFrame, { numinex: 'look' }>): void {
  const root = document.documentElement
  if (theme === 'light' || theme === 'dark') root.dataset['theme'] = theme
  const given: Record<string, string | undefined> = checkedStyles(styles)
  for (const name of Object.keys(styleProperties)) root.style.setProperty(name, given[name] ?? null)
}

document.documentElement.classList.add('alive')
startFrame(JSON.parse(document.getElementById('state')!.textContent) as EmbedPage)
