import fs from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { build } from 'vite'

export interface StreamServer {
  readonly url: string
  /** The built files that the page's script loads before it does anything. */
  readonly atOnce: readonly string[]
  read(file: string): string
  stop(): void
}

interface Chunk {
  file: string
  isEntry?: boolean
  imports?: string[]
}

// As the server's own pages have it.
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; base-uri 'none'"

/** Builds the page of `stream-page.ts` as the client is built, and serves it. */
export async function startStreamServer(): Promise<StreamServer> {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'numinex-stream-'))
  const at = (name: string) => path.resolve(import.meta.dirname, '../..', name)
  const input = { main: at('test/helpers/stream-page.ts'), styles: at('client/app/main.css') }
  await build({
    configFile: at('vite.config.ts'),
    logLevel: 'warn',
    build: { outDir: directory, rolldownOptions: { input } },
  })
  const read = (file: string) => fs.readFileSync(path.join(directory, file), 'utf8')
  const chunks = JSON.parse(read('.vite/manifest.json')) as Record<string, Chunk>
  const entry = (end: string) =>
    Object.values(chunks).find(({ file, isEntry }) => isEntry && file.endsWith(end))!
  const filesOf = ({ file, imports = [] }: Chunk): string[] => [
    file,
    ...imports.flatMap((name) => filesOf(chunks[name]!)),
  ]
  const html = page(entry('.css').file, entry('.js').file)

  const server = createServer((request, response) => {
    const name = new URL(request.url!, 'http://localhost').pathname.slice(1)
    const type = types[path.extname(name)]
    response.writeHead(200, { 'content-type': type ?? 'text/html', 'content-security-policy': policy })
    response.end(type === undefined ? html : read(name))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    atOnce: filesOf(entry('.js')),
    read,
    stop() {
      server.close()
      server.closeAllConnections()
      fs.rmSync(directory, { recursive: true, force: true })
    },
  }
}

const types: Record<string, string> = { '.js': 'text/javascript', '.css': 'text/css' }

/** A thread of five posts, the third of which is being written. */
function page(style: string, script: string): string {
  const words = '<p>What others have said before, at some length. It goes on and on.</p>'.repeat(12)
  const post = (number: number) =>
    `<article class="post" id="p${number}" data-depth="1"${number === 3 ? ' data-kind="ai" data-state="streaming"' : ''}>` +
    '<div class="main"><header class="by"><h3 class="who">Ada</h3></header>' +
    `<div class="body"><div class="text" dir="auto">${number === 3 ? '' : words}</div></div></div>` +
    '<div class="foot"><button class="action">Reply</button></div></article>'
  return (
    `<!doctype html><html lang="en"><head><title>A stream</title><link rel="stylesheet" href="/${style}">` +
    `<script type="module" src="/${script}"></script></head><body><main>` +
    `<div class="posts" id="posts">${[1, 2, 3, 4, 5].map(post).join('')}</div></main></body></html>`
  )
}
