import { renderToString } from 'preact-render-to-string'
import type { ComponentChildren } from 'preact'
import type { PageState, ShownState, Viewer } from '../../client/page-state.ts'
import { SignedIn } from '../../client/views/signed-in.tsx'
import { hashOf, type Inline } from '../http/security-headers.ts'
import type { Assets } from './assets.ts'
import { scriptJson } from './text.ts'

/** What every page needs to know. */
export interface Frame {
  readonly viewer: Viewer | null
  readonly assets: Assets
  /** Without a slash at the end. */
  readonly publicUrl: string
}

export interface Head {
  title: string
  description: string
  /** The page's one address, as a path. */
  path: string
  type?: 'website' | 'article'
  /** Not for search engines. */
  hidden?: boolean
  feed?: { path: string; title: string }
}

// Before anything is painted: the reader's own choice of light or dark. The one inline script.
const themeScript = `try{var t=localStorage.getItem('numinex:theme');if(t)document.documentElement.dataset.theme=t}catch{}`

/** What stands inline in every page and may run. The page's state may not: it is data, which no policy is about. */
export const pageInline: Inline = { scripts: [hashOf(themeScript)] }

/** Stands in a page for who reads it, where that is left open. Escaped text holds no such thing. */
const slot = '<!--who-->'

/** Puts who reads it into what `openPage` left open. */
export function fillIn(opened: string, viewer: Viewer | null, path: string): string {
  return opened.replace(slot, () => whoReads(viewer, path))
}

/** What a page says of who reads it. Nothing else in the page of a thread differs between readers. */
function whoReads(viewer: Viewer | null, path: string): string {
  // On the page for it, a link to sign in would only lead back here.
  const shown = viewer !== null || path !== signInPage
  const html = shown ? renderToString(<SignedIn viewer={viewer} path={path} />) : ''
  return `${html}<script type="application/json" id="viewer">${scriptJson(viewer)}</script>`
}

/** The page up to and with the opening tag of its `<main>`. Without a `viewer` it is left open who reads it. */
export function openPage(frame: Omit<Frame, 'viewer'> & Partial<Frame>, head: Head): string {
  const { viewer, assets, publicUrl } = frame
  const { title, description, path, type = 'website', hidden = false, feed } = head
  const address = publicUrl + path
  const parts = (
    <>
      <meta charset="utf-8" />
      <meta
        name="viewport"
        content="width=device-width, initial-scale=1, interactive-widget=resizes-content"
      />
      <title>{title}</title>
      <meta name="description" content={description} />
      {hidden && <meta name="robots" content="noindex" />}
      <link rel="canonical" href={address} />
      <meta property="og:site_name" content="Numinex" />
      <meta property="og:type" content={type} />
      <meta property="og:title" content={title} />
      <meta property="og:description" content={description} />
      <meta property="og:url" content={address} />
      <meta name="twitter:card" content="summary" />
      <meta name="color-scheme" content="light dark" />
      <meta name="theme-color" content="#fbfaf7" media="(prefers-color-scheme: light)" />
      <meta name="theme-color" content="#15181b" media="(prefers-color-scheme: dark)" />
      <link rel="icon" href="/icon.svg" type="image/svg+xml" />
      {feed !== undefined && (
        <link rel="alternate" type="application/atom+xml" href={feed.path} title={feed.title} />
      )}
      {assets.styles.map((href) => (
        <link rel="stylesheet" href={href} />
      ))}
      <script dangerouslySetInnerHTML={{ __html: themeScript }} />
      {assets.modules.map((href) => (
        <link rel="modulepreload" href={href} />
      ))}
      {assets.scripts.map((src) => (
        <script type="module" src={src} />
      ))}
    </>
  )
  const top = renderToString(<Top who={viewer === undefined ? slot : whoReads(viewer, path)} />)
  return `<!doctype html><html lang="en"><head>${renderToString(parts)}</head><body>${top}<main id="main">`
}

/** Path of the page where people sign in. */
export const signInPage = '/sign-in'

function Top({ who }: { who: string }) {
  return (
    <>
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <header class="top">
        <a class="brand" href="/">
          Numinex
        </a>
        <nav class="top-nav" aria-label="Site">
          <div id="who" dangerouslySetInnerHTML={{ __html: who }} />
          <button type="button" id="theme" class="action" hidden></button>
        </nav>
      </header>
    </>
  )
}

/** The page from the closing tag of its `<main>` on. */
export function closePage(state: string | ShownState<Exclude<PageState, { page: 'thread' }>>): string {
  const json = typeof state === 'string' ? state : scriptJson(state)
  return `</main><footer class="bottom"><p>Numinex: people and machines, reading together. <a href="/feed.xml">Feed</a></p></footer><script type="application/json" id="state">${json}</script></body></html>`
}

/** A whole page around `content`. */
export function renderPage(
  frame: Frame,
  head: Head,
  content: ComponentChildren,
  state?: Parameters<typeof closePage>[0],
): string {
  return openPage(frame, head) + renderToString(<>{content}</>) + closePage(state ?? { page: 'other' })
}
