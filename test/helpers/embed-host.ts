import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { build } from 'vite'

/** Pages of other sites, and a server whose frames only speak the widget's protocol: what is tested is what lies between. */
export interface EmbedHosts {
  /** Origin of the server of the widgets. */
  readonly numinex: string
  /** Origin of the host pages, on another host name. */
  readonly blog: string
  /** Origin of a stranger. */
  readonly stranger: string
  /** Paths and queries that the widgets' server was asked for. */
  readonly asked: readonly string[]
  /** While this is set, the widgets' server answers this way to what the pages ask of it. */
  broken: 'frames' | 'counts' | undefined
  /** Puts a page at a path of every host; gives its address on the blog. */
  put(path: string, body: string, options?: { head?: string; headers?: Record<string, string> }): string
  /** Forgets pages and what was asked. */
  clear(): void
  close(): void
}

/** The scripts that are included here, built from their sources. */
async function bundle(entry: string): Promise<string> {
  const client = path.resolve(import.meta.dirname, '../../client')
  const built = await build({
    configFile: false,
    root: client,
    publicDir: false,
    logLevel: 'warn',
    build: {
      write: false,
      target: ['chrome111', 'firefox114', 'safari16.4'],
      lib: { entry: `${client}/embed/loader/${entry}`, formats: ['iife'], name: 'numinex' },
    },
  })
  const [{ output }] = [built].flat() as unknown as [{ output: [{ code: string }] }]
  return output[0].code
}

/** Starts them on loopback. All host names below `localhost` lead there. */
export async function startEmbedHosts(): Promise<EmbedHosts> {
  const scripts: Record<string, string> = {
    '/embed.js': await bundle('loader.ts'),
    '/embed-count.js': await bundle('count-loader.ts'),
  }
  const pages = new Map<string, { html: string; headers: Record<string, string> }>()
  const asked: string[] = []

  const server = createServer((request, response) => {
    const url = new URL(request.url!, `http://${request.headers.host}`)
    const send = (type: string, body: string, headers: Record<string, string> = {}) =>
      void response.writeHead(200, { 'content-type': `${type}; charset=utf-8`, ...headers }).end(body)
    const script = scripts[url.pathname]
    if (script !== undefined) return send('text/javascript', script)
    const page = pages.get(url.pathname)
    if (page !== undefined) return send('text/html', page.html, page.headers)
    if (!url.pathname.startsWith('/embed/')) return void response.writeHead(204).end()
    asked.push(request.url!)
    if (url.pathname === '/embed/frame')
      return send('text/html', hosts.broken === 'frames' ? '' : frame(url.searchParams))
    const open = { 'access-control-allow-origin': '*' }
    if (hosts.broken === 'counts') return void response.writeHead(503, open).end('{}')
    // Of what has a number in its name, so many; of the rest, nothing is known.
    const names = [...url.searchParams.getAll('url'), ...url.searchParams.getAll('thread')]
    const counts = names.flatMap((name) => /\d+$/.exec(name)?.map((count) => [name, Number(count)]) ?? [])
    send('application/json', JSON.stringify({ counts: Object.fromEntries(counts) as unknown }), open)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const origin = (name: string) => `http://${name}.localhost:${port}`

  const hosts: EmbedHosts = {
    numinex: origin('numinex'),
    blog: origin('blog'),
    stranger: origin('stranger'),
    asked,
    broken: undefined,
    put(at, body, { head = `<script src="${origin('numinex')}/embed.js" async></script>`, headers } = {}) {
      const html = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A page</title>${head}</head><body>${body}</body></html>`
      pages.set(at, { html, headers: headers ?? {} })
      return origin('blog') + at
    },
    clear() {
      pages.clear()
      asked.length = 0
      hosts.broken = undefined
    },
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
  return hosts
}

/** What a test may do in a frame. */
export interface FakeFrame {
  /** What its host page said, in order. */
  heard: { numinex: string; [field: string]: unknown }[]
  say(message: object): void
  /** How high it says it is. */
  height(): number
  /** How often it has said so. */
  sizes: number
}

/** A frame of posts 2 to 31, each of them as high, in pixels, as the parameter `tall` in the address of its page says. */
function frame(query: URLSearchParams): string {
  const url = query.get('url') ?? ''
  const tall = URL.canParse(url) ? Number(new URL(url).searchParams.get('tall') ?? 100) : 100
  const posts = Array.from({ length: 30 }, (_, i) => `<article id="p${i + 2}">Post ${i + 2}</article>`)
  return `<!doctype html><style>body{margin:0;overflow:hidden}article{height:${tall}px}</style>${posts.join('')}
<script>
const host = ${JSON.stringify(query.get('host'))}
window.heard = []
window.say = (message) => parent.postMessage(message, host)
addEventListener('message', ({ origin, source, data }) => {
  if (origin !== host || source !== parent) return
  heard.push(data)
  if (data.numinex !== 'find') return
  const { top } = document.getElementById('p' + data.number).getBoundingClientRect()
  say({ numinex: 'reveal', top, to: data.to })
})
window.height = () => document.body.getBoundingClientRect().height
window.sizes = 0
// Observers report once when they begin, at some time: what a test has said meanwhile must stand.
let told
const tellSize = () => {
  if (told === height()) return
  told = height()
  sizes++
  say({ numinex: 'size', height: told })
}
tellSize()
new ResizeObserver(tellSize).observe(document.body)
say({ numinex: 'hello' })
say({ numinex: 'ready', posts: 30 })
</script>`
}
