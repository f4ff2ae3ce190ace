import { createHmac, randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Another site, whose pages hold widgets: what the demo shows, and what tests look at. */
export interface HostSite {
  readonly port: number
  /** Requests that the browser made for pages of this site, as "GET /path". */
  readonly requests: readonly string[]
  /** The site's id on the server and a key (HS256), so that this host can vouch for its readers. */
  site: { readonly id: string; readonly key: { readonly id: string; readonly secret: string } } | undefined
  close(): Promise<void>
}

export interface HostSiteParts {
  /** Origin of the Numinex server. */
  readonly numinex: string
  /** The same as this host's own process gets at it, where that is another address. */
  readonly inside?: string
  /** 0 for a free one. */
  readonly port?: number
}

/** Starts the site on loopback. It answers under every host name that leads there. */
export async function startHostSite(parts: HostSiteParts): Promise<HostSite> {
  const requests: string[] = []
  const host = {
    port: 0,
    requests,
    site: undefined as HostSite['site'],
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`)
    answer({ ...parts, site: host.site }, request, response).catch((error: unknown) => {
      response.writeHead(500).end(String(error))
    })
  })
  await new Promise<void>((resolve) => server.listen(parts.port ?? 0, '127.0.0.1', resolve))
  host.port = (server.address() as AddressInfo).port
  return host
}

async function answer(
  parts: HostSiteParts & Pick<HostSite, 'site'>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', `http://${request.headers.host}`)
  const send = (type: string, body: string, headers: Record<string, string> = {}) =>
    response.writeHead(200, { 'content-type': `${type}; charset=utf-8`, ...headers }).end(body)
  if (url.pathname === '/favicon.ico') return void response.writeHead(204).end()
  if (url.pathname === '/host.css') return void send('text/css', css)
  if (url.pathname === '/host.js') return void send('text/javascript', script)
  if (url.pathname === '/token')
    return void send('text/plain', token(parts, url.searchParams.get('as') ?? 'Ada'))
  const page = await pageOf(parts, url)
  if (page === undefined) return void response.writeHead(404).end('not found')
  send('text/html', page.html, page.headers)
}

interface Page {
  html: string
  headers?: Record<string, string>
}

async function pageOf({ numinex, inside = numinex }: HostSiteParts, url: URL): Promise<Page | undefined> {
  const thread = (attributes = '', inside = '') => `<numinex-thread${attributes}>${inside}</numinex-thread>`
  const attributes = url.searchParams.get('attributes') ?? ''
  const signOn = url.searchParams.has('as') ? ` data-as="${escapeHtml(url.searchParams.get('as')!)}"` : ''
  switch (url.pathname) {
    case '/':
      return { html: list(numinex) }
    case '/strict':
      // What a page with a content policy has to allow, and nothing else.
      return {
        html: essay(numinex, thread(signOn)),
        headers: {
          'content-security-policy': `default-src 'none'; style-src 'self'; script-src 'self' ${numinex}; frame-src ${numinex}; connect-src 'self' ${numinex}`,
        },
      }
    case '/isolated':
      return {
        html: essay(numinex, thread(signOn)),
        headers: {
          'cross-origin-opener-policy': 'same-origin',
          'cross-origin-embedder-policy': 'require-corp',
        },
      }
    case '/many':
      return {
        html: page(
          numinex,
          'Fifty widgets',
          Array.from(
            { length: 50 },
            (_, i) => `<h2>${i + 1}</h2>${thread(` url="${url.origin}/many/${i + 1}"`)}`,
          ).join(''),
        ),
      }
    case '/included': {
      // As a host's server or build would put the comments into its page.
      const asked = `${inside}/embed/html?url=${encodeURIComponent(`${url.origin}/included`)}`
      const comments = await fetch(asked).then((found) => (found.ok ? found.text() : ''))
      return { html: essay(numinex, thread('', comments)) }
    }
  }
  if (!url.pathname.startsWith('/essays/')) return undefined
  return { html: essay(numinex, thread(`${signOn} ${attributes}`)) }
}

/** A token of this host (JWT) for a reader of its own. */
function token({ site }: Pick<HostSite, 'site'>, name: string): string {
  if (site === undefined) return ''
  const now = Math.floor(Date.now() / 1000)
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const header = part({ alg: 'HS256', typ: 'JWT', kid: site.key.id })
  const claims = part({
    aud: site.id,
    sub: `reader-${name.toLowerCase()}`,
    name,
    iat: now,
    exp: now + 300,
    jti: randomUUID(),
  })
  const signature = createHmac('sha256', site.key.secret).update(`${header}.${claims}`).digest('base64url')
  return `${header}.${claims}.${signature}`
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}

function page(numinex: string, title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="stylesheet" href="/host.css">
<script src="${numinex}/embed.js" async></script>
<script src="/host.js" defer></script>
</head>
<body>
<header><a href="/">The Margin</a> <button type="button" id="scheme">Light or dark</button></header>
<main>
${body}
</main>
<footer>The Margin is a made-up magazine.</footer>
</body>
</html>`
}

function list(numinex: string): string {
  const items = ['walking', 'maps', 'proofs'].map(
    (name) =>
      `<li><a href="/essays/${name}">${titles[name]}</a> <small><numinex-count url="/essays/${name}">…</numinex-count> comments</small></li>`,
  )
  const counts = `<script src="${numinex}/embed-count.js" async></script>`
  return page(numinex, 'The Margin', `<h1>The Margin</h1><ul>${items.join('')}</ul>${counts}`)
}

const titles: Record<string, string> = {
  walking: 'On walking the long way round',
  maps: 'What a map leaves out',
  proofs: 'A proof is a walk someone else can take',
}

function essay(numinex: string, thread: string): string {
  return page(
    numinex,
    titles['walking']!,
    `<article><h1>${titles['walking']}</h1>${text}</article><h2>Comments</h2>${thread}`,
  )
}

const text = [
  'There are two roads from the station to my house. One takes nine minutes and passes a wall, a second wall, and a car park. The other takes twenty-five and passes a canal, a bakery, and a school at the hour when it lets out. I have a watch, so I know which is shorter. I do not think I know which is longer.',
  'Distance on foot is made of what happens. A street where nothing happens is all length; it has to be got through. A street where something keeps happening is hardly there at all: the next thing has begun before the last one is over, and one arrives without having travelled.',
  'People who plan cities measure the first road and call the second a detour. They are not wrong about the metres. But a detour is a judgement about what the walk was for, and it was made by someone who was not walking.',
  'I took the short way for a year. I can remember three of those days. I took the long way for a year, and could draw you the bakery window in March.',
]
  .map((paragraph) => `<p>${paragraph}</p>`)
  .join('\n')

const css = `
:root { color-scheme: light dark; --page: light-dark(#fffdf8, #16181d); --ink: light-dark(#23211d, #e4e2dc); }
:root[data-scheme=light] { color-scheme: light; }
:root[data-scheme=dark] { color-scheme: dark; }
body { margin: 0; background: var(--page); color: var(--ink); font: 1.0625rem/1.65 Georgia, serif; }
header, main, footer { max-width: 42rem; margin-inline: auto; padding: 1rem; }
header { display: flex; justify-content: space-between; }
a { color: inherit; }
h1 { line-height: 1.2; }
footer { padding-block: 3rem; font-size: .875rem; }
numinex-thread { --numinex-accent: #a5432a; --numinex-radius: 2px; }
@media (prefers-color-scheme: dark) { :root:not([data-scheme=light]) numinex-thread { --numinex-accent: #e8a48f; } }
:root[data-scheme=dark] numinex-thread { --numinex-accent: #e8a48f; }
`

const script = `
const root = document.documentElement
document.getElementById('scheme').addEventListener('click', () => {
  root.dataset.scheme = getComputedStyle(root).colorScheme === 'dark' || root.dataset.scheme === 'dark' ? 'light' : 'dark'
})
// A host with readers of its own says who is there: at once, and whenever the widget asks for a fresh token.
for (const thread of document.querySelectorAll('numinex-thread')) {
  window.events ??= []
  for (const type of ['ready', 'post', 'count', 'error', 'signin'])
    thread.addEventListener(type, (event) => window.events.push([type, event.detail]))
  const as = thread.dataset.as
  if (as === undefined) continue
  const vouch = async () => thread.setAttribute('user-token', await (await fetch('/token?as=' + encodeURIComponent(as))).text())
  thread.addEventListener('signin', vouch)
  vouch()
}
`
