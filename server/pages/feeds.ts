import { postPath, threadPath } from '../../client/views/format.ts'
import type { ThreadPage, ThreadSnapshot } from '../../shared/http.ts'
import { escapeText } from './text.ts'

const newestPosts = 50

interface Entry {
  path: string
  title: string
  author: string
  published: string
  updated: string
  html: string
}

/** Atom feed of threads. */
export function renderThreadsFeed(publicUrl: string, { threads }: ThreadPage): string {
  const entries = threads.map((thread): Entry => ({
    path: threadPath(thread.id),
    title: thread.title,
    author: thread.author.name,
    published: thread.createdAt,
    updated: thread.lastActivityAt,
    html: `<p>${escapeText(thread.excerpt)}</p>`,
  }))
  return feed(publicUrl, { title: 'Numinex', self: '/feed.xml', page: '/' }, entries)
}

/** Atom feed of a thread's newest posts. Deleted ones are not in it. */
export function renderPostsFeed(publicUrl: string, { thread, posts }: ThreadSnapshot): string {
  const entries = posts
    .filter(({ state }) => state !== 'deleted' && state !== 'streaming')
    .toSorted((a, b) => b.number - a.number)
    .slice(0, newestPosts)
    .map((post): Entry => ({
      path: postPath(thread.id, post.number),
      title: `#${post.number} ${post.author.name}${post.author.kind === 'ai' ? ' (AI)' : ''}`,
      author: post.author.name,
      published: post.createdAt,
      updated: post.editedAt ?? post.createdAt,
      html: post.html,
    }))
  const page = threadPath(thread.id)
  return feed(publicUrl, { title: thread.title, self: `${page}/feed.xml`, page }, entries)
}

/** The sitemap of the given threads. */
export function renderSitemap(
  publicUrl: string,
  threads: readonly { id: string; lastActivityAt: string }[],
): string {
  const places = threads.map(
    ({ id, lastActivityAt }) =>
      `<url><loc>${escapeText(publicUrl + threadPath(id))}</loc><lastmod>${escapeText(lastActivityAt)}</lastmod></url>`,
  )
  const home = `<url><loc>${escapeText(publicUrl)}/</loc></url>`
  return `<?xml version="1.0" encoding="utf-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">${home}${places.join('')}</urlset>\n`
}

function feed(
  publicUrl: string,
  { title, self, page }: { title: string; self: string; page: string },
  entries: Entry[],
) {
  const url = escapeText(publicUrl)
  const newest = entries
    .map(({ updated }) => updated)
    .reduce((a, b) => (a > b ? a : b), '1970-01-01T00:00:00.000Z')
  return `<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xml:base="${url}/">
<id>${url}${page}</id>
<title>${escapeText(title)}</title>
<updated>${escapeText(newest)}</updated>
<link rel="self" href="${url}${self}"/>
<link rel="alternate" type="text/html" href="${url}${page}"/>
${entries.map((entry) => entryXml(url, entry)).join('\n')}
</feed>
`
}

function entryXml(url: string, { path, title, author, published, updated, html }: Entry): string {
  return `<entry>
<id>${url}${path}</id>
<title>${escapeText(title)}</title>
<link rel="alternate" type="text/html" href="${url}${path}"/>
<author><name>${escapeText(author)}</name></author>
<published>${escapeText(published)}</published>
<updated>${escapeText(updated)}</updated>
<content type="html">${escapeText(html)}</content>
</entry>`
}
