import { Parser } from 'htmlparser2'

/** What the head of a page says of it, as it says it: nothing here is checked or cleaned. */
export interface Head {
  /** `<title>`. */
  readonly title: string | undefined
  /** `content` of `<meta>` by `property` or `name`, in lower case; the first of each. */
  readonly meta: ReadonlyMap<string, string>
  /** `href` of `<base>`. */
  readonly base: string | undefined
}

/** Reads the head of a page from its text, piece by piece, and no further than its end. */
export async function readHead(text: AsyncIterable<string>): Promise<Head> {
  const meta = new Map<string, string>()
  let title: string | undefined
  let base: string | undefined
  let inTitle = false
  let drawings = 0
  let depth = 0
  let ended = false

  const parser = new Parser({
    onopentag(name, { property, name: key, content, href }) {
      if (++depth > maxDepth || bodyTags.has(name)) end()
      else if (name === 'svg') drawings++
      else if (name === 'title' && drawings === 0 && title === undefined) {
        inTitle = true
        title = ''
      } else if (name === 'base') base ??= href
      else if (name === 'meta' && content !== undefined) {
        const label = (property ?? key)?.trim().toLowerCase()
        if (label !== undefined && wanted.has(label) && !meta.has(label)) meta.set(label, content)
      }
    },
    ontext(piece) {
      if (inTitle) title += piece
    },
    onclosetag(name) {
      depth--
      if (name === 'title') inTitle = false
      else if (name === 'svg') drawings--
      else if (name === 'head') end()
    },
  })
  // A paused parser leaves the rest of the piece alone.
  const end = () => {
    ended = true
    parser.pause()
  }
  for await (const piece of text) {
    parser.write(piece)
    if (ended) break
  }
  if (!ended) parser.end()
  return { title, meta, base }
}

// Heads are flat. The parser takes longer for each tag the more are open: a megabyte of `<li><ul>` would hold up the
// whole server for half a minute.
const maxDepth = 64

// The tags of head and body may be left out; these then tell that the body has begun. A `div` does not: careless
// pages have some among their metadata.
const bodyTags: ReadonlySet<string> = new Set([
  'body',
  'main',
  'article',
  'section',
  'header',
  'nav',
  'h1',
  'h2',
  'p',
])

const wanted: ReadonlySet<string> = new Set([
  'og:title',
  'og:site_name',
  'og:description',
  'og:image',
  'og:image:url',
  'og:image:secure_url',
  'twitter:title',
  'twitter:description',
  'twitter:image',
  'twitter:image:src',
  'application-name',
  'description',
])
