import { renderToString } from 'preact-render-to-string'
import type { EmbedState } from '../../client/page-state.ts'
import { EmbedBar } from '../../client/views/embed-bar.tsx'
import { threadPath } from '../../client/views/format.ts'
import type { Styles } from '../../shared/widget.ts'
import type { ProblemCode } from '../../shared/errors.ts'
import type { ThreadSnapshot } from '../../shared/http.ts'
import { countPosts } from '../../shared/thread-state.ts'
import { hashOf, type Inline } from '../http/security-headers.ts'
import type { BuiltClient } from './assets.ts'
import type { PostCache } from './post-cache.ts'
import { scriptJson } from './text.ts'
import { numbered, packThread, renderPosts } from './thread-posts.tsx'

export interface EmbedFrameData {
  readonly assets: BuiltClient['frame']
  /** Without a slash at the end. */
  readonly publicUrl: string
  /** The thread; of a page that has none yet, what it will be, with nothing but its root. */
  readonly snapshot: ThreadSnapshot
  readonly embed: EmbedState
  readonly theme: 'light' | 'dark' | undefined
  readonly styles: Styles
  /** A language tag; empty for the server's own. */
  readonly locale: string
  /** Whether the comments are folded away at first. */
  readonly collapsed: boolean
}

/** A widget's frame, piece by piece. It can be read before any of its script runs. */
export async function* renderEmbedFrame(
  { cache }: { cache: PostCache },
  data: EmbedFrameData,
): AsyncGenerator<string, void, void> {
  const { snapshot, embed, collapsed } = data
  const { thread } = snapshot
  const posts = numbered(snapshot)
  const count = countPosts({ posts }) - (embed.shown.headless === true ? 1 : 0)

  yield openFrame(data)
  yield renderToString(
    <div id="bar" class="bar">
      <EmbedBar posts={count} />
    </div>,
  )
  if (collapsed) yield `<details id="all" class="all"><summary class="button">Show the comments</summary>`
  yield renderToString(<Compose embed={embed} />)
  yield '<div id="posts" class="posts">'
  yield* renderPosts({ cache, thread: thread.id, posts }, embed.shown)
  yield `</div>${renderToString(<Below data={data} empty={count === 0} />)}`
  if (collapsed) yield '</details>'
  yield* closeFrame(data, `"thread":${await packThread(snapshot)}`)
}

function openFrame({ assets, theme, styles, locale, snapshot }: EmbedFrameData): string {
  const head = (
    <>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <title>{snapshot.thread.title}</title>
      <meta name="robots" content="noindex" />
      <meta name="color-scheme" content="light dark" />
      {/* Links lead out of the frame. */}
      <base target="_blank" />
      {assets.styles.map((href) => (
        <link rel="stylesheet" href={href} />
      ))}
      <style dangerouslySetInnerHTML={{ __html: styleText({ assets, styles }) }} />
      {assets.modules.map((href) => (
        <link rel="modulepreload" href={href} />
      ))}
      {assets.scripts.map((src) => (
        <script type="module" src={src} />
      ))}
    </>
  )
  const attributes = `${theme === undefined ? '' : ` data-theme="${theme}"`} lang="${locale || 'en'}"`
  return `<!doctype html><html${attributes}><head>${renderToString(head)}</head><body class="widget"><main id="main">`
}

function styleText({ assets, styles }: Pick<EmbedFrameData, 'assets' | 'styles'>): string {
  return assets.css + styleRule(styles)
}

/** What stands inline in a frame: its styles, and what tells its size. */
export function frameInline(data: Pick<EmbedFrameData, 'assets' | 'styles' | 'embed'>): Inline {
  return { scripts: [hashOf(tellSize(data.embed.host))], styles: [hashOf(styleText(data))] }
}

/** Its values were checked: they hold nothing that could end the rule. */
function styleRule(styles: Styles): string {
  const declarations = Object.entries(styles).map(([name, value]) => `${name}:${value}`)
  return `:root{${declarations.join(';')}}`
}

function Compose({ embed }: { embed: EmbedState }) {
  return (
    <div id="compose" class="compose" hidden={embed.readOnly}>
      <button type="button" id="reply-root" class="button">
        {embed.shown.branch === undefined ? 'Write a comment' : 'Reply'}
      </button>
      <p id="locked" class="note" hidden>
        This thread is locked: it takes no replies for now.
      </p>
    </div>
  )
}

function Below({ data, empty }: { data: EmbedFrameData; empty: boolean }) {
  const { publicUrl, snapshot, embed } = data
  const path = embed.there ? threadPath(snapshot.thread.id) : '/'
  return (
    <>
      <p id="empty" class="empty" hidden={!empty}>
        {embed.readOnly ? 'No comments yet.' : 'No comments yet. Yours can be the first.'}
      </p>
      <footer class="bottom">
        <a href={publicUrl + path}>{embed.there ? 'This thread on its own page' : 'Numinex'}</a>
      </footer>
      <button type="button" id="pill" class="pill" hidden></button>
      <button type="button" id="quote-selection" class="quote-selection" hidden>
        Quote
      </button>
      <p id="announce" class="unseen" role="status"></p>
      <p id="replies" class="unseen" role="status"></p>
    </>
  )
}

function* closeFrame({ embed }: EmbedFrameData, thread: string): Generator<string> {
  yield `</main><script>${tellSize(embed.host)}</script>`
  const head = scriptJson({ page: 'embed', viewer: null, embed })
  yield `<script type="application/json" id="state">${head.slice(0, -1)},${thread}}</script></body></html>`
}

/**
 * The host page learns the height with the first paint, before any other script is loaded, and whenever it changes. It is 0
 * until the browser has given the frame its place. Observers wait for the frame to be drawn, which nothing without height is:
 * so the first height is waited for by a timer.
 */
function tellSize(host: string): string {
  const tell = `parent.postMessage({numinex:'size',height},${scriptJson(host)})`
  const height = 'Math.ceil(main.getBoundingClientRect().bottom+scrollY)'
  const look = `()=>{const height=${height};if(height)${tell};else setTimeout(look,9)}`
  return `if(parent!==window){const main=document.getElementById('main'),look=${look};look();new ResizeObserver(look).observe(main)}`
}

/** What is shown in the place of comments that cannot be: harmless wherever it is framed. The host page hears of it too. */
export function renderEmbedNotice(data: { publicUrl: string; code: ProblemCode; reason: string }): {
  html: string
  inline: Inline
} {
  const { publicUrl, code, reason } = data
  const content = renderToString(
    <main id="main">
      <p>
        <strong>The comments cannot be shown.</strong> {reason}
      </p>
      {code === 'page-not-allowed' && (
        <p>
          Whoever runs <a href={publicUrl}>{publicUrl}</a> can allow it: on the page “Admin”, under “Sites”.
        </p>
      )}
    </main>,
  )
  const message = scriptJson({ numinex: 'error', code, message: reason })
  // To whoever framed it: it says nothing that they could not find out.
  const script = `if(parent!==window)parent.postMessage(${message},'*');${tellSize('*')}`
  const style = `:root{color-scheme:light dark}body{margin:0;font:.9375rem/1.5 system-ui,sans-serif;overflow:hidden}main{padding:1rem;border:1px solid;border-radius:.5rem}p{margin:0}`
  const html = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Comments</title><meta name="robots" content="noindex"><base target="_blank"><style>${style}</style></head><body>${content}<script>${script}</script></body></html>`
  return { html, inline: { scripts: [hashOf(script)], styles: [hashOf(style)] } }
}
