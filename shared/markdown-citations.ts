import type { MarkdownIt, StateCore, StateInline, Token } from 'markdown-it'
import { isAllowedLink } from './markdown-links.ts'

/** Where a quotation stands: a post (of another thread where it says so) or a section of a document. */
export type QuoteSource = { thread?: string; number: number } | { document: number; section: number }

/** What an AI participant has read, for checking what it cites. */
export interface Citations {
  /** Posts of the thread. */
  readonly posts: ReadonlySet<number>
  /** Sections of documents, by the document's number. */
  readonly sections: ReadonlyMap<number, { readonly url: string; readonly sections: ReadonlySet<number> }>
  /** Finds a passage in what was read; null where it is not there. Without it quotations are not marked. */
  quotes?(passage: string): QuoteSource | null
}

/**
 * With `env.citations`, `[#17]`, `[doc §3]` and `[doc 2 §3]` are checked: what was read is linked, anything else is marked.
 * Several may stand in one pair of brackets. They come before links, so that no definition or address can pose as one.
 */
export function addCitations(md: MarkdownIt): void {
  md.inline.ruler.before('post_reference', 'citation', (state, silent) => {
    const citations = citationsOf(state)
    const found = citations && state.src[state.pos] === '[' ? citationAt(state.src, state.pos) : undefined
    if (citations === undefined || found === undefined || state.pos + found.length > state.posMax)
      return false
    if (!silent) pushCitation(state, citations, found.parts)
    state.pos += found.length
    return true
  })
  md.core.ruler.push('citations', (state) => {
    const citations = citationsOf(state)
    if (citations === undefined) return
    for (const token of state.tokens) {
      if (token.type === 'inline' && token.children)
        token.children = finishReferences(token.children, citations)
    }
  })
}

/** What the text of a state is checked against, where it is checked. */
export function citationsOf({ env }: StateInline | StateCore): Citations | undefined {
  return env['citations'] as Citations | undefined
}

/** A part of what stands between brackets. */
type CitationPart =
  | { text: string; kind: 'between' }
  | { text: string; kind: 'post'; number: number }
  | { text: string; kind: 'section'; document: number | undefined; from: number; to: number }

const postPart = /#([1-9]\d{0,9})/y
const sectionPart =
  /(?:(doc(?:ument)?)\.?[ \u00a0]?(\d{1,2})?,?[ \u00a0]?)?§{1,2}[ \u00a0]?(\d{1,5})(?:[–-]§?(\d{1,5}))?/iy
const between = /[ \u00a0]?[,;][ \u00a0]?/y

function citationAt(src: string, start: number): { parts: CitationPart[]; length: number } | undefined {
  const parts: CitationPart[] = []
  let at = start + 1
  let named: { document: number | undefined } | undefined
  const read = (pattern: RegExp) => {
    pattern.lastIndex = at
    const match = pattern.exec(src)
    if (match) at += match[0].length
    return match
  }
  for (;;) {
    const post = read(postPart)
    const section = post ? null : read(sectionPart)
    if (post) parts.push({ kind: 'post', text: post[0], number: Number(post[1]) })
    else if (section) {
      if (section[1] !== undefined)
        named = { document: section[2] === undefined ? undefined : Number(section[2]) }
      // `§4` on its own goes on with the document before it.
      if (named === undefined) return undefined
      const from = Number(section[3])
      parts.push({ kind: 'section', text: section[0], ...named, from, to: Number(section[4] ?? from) })
    } else return undefined
    if (src[at] === ']') return { parts, length: at + 1 - start }
    const comma = read(between)
    if (comma === null) return undefined
    parts.push({ kind: 'between', text: comma[0] })
  }
}

/** A citation alone holds its brackets; several share theirs. None is within a link: brackets within a link's text undo the link. */
function pushCitation(state: StateInline, citations: Citations, parts: readonly CitationPart[]): void {
  const alone = parts.length === 1
  const text = (content: string) => void (state.push('text', '', 0).content = content)
  if (!alone) text('[')
  for (const part of parts) {
    if (part.kind === 'between') {
      text(part.text)
      continue
    }
    const href = hrefOf(state, citations, part)
    const verified = href !== undefined
    const linked = verified && isAllowedLink(href)
    const open = linked ? state.push('link_open', 'a', 1) : state.push('citation_open', 'span', 1)
    if (linked) open.attrs = [['href', href], ...(part.kind === 'post' ? [postClass()] : [])]
    else if (verified) open.attrs = [['class', 'citation']]
    else open.attrs = unverified('citation', 'Not among what the AI read')
    open.meta = { citation: true }
    text(alone ? `[${part.text}]` : part.text)
    if (linked) state.push('link_close', 'a', -1)
    else state.push('citation_close', 'span', -1)
  }
  if (!alone) text(']')
}

/** Made anew each time: a token's attributes are changed in place. */
function postClass(): [string, string] {
  return ['class', 'post-ref']
}

/** The attributes of what could not be verified. */
export function unverified(name: string, title: string): [string, string][] {
  return [
    ['class', `${name} unverified`],
    ['title', title],
  ]
}

function hrefOf({ env }: StateInline, citations: Citations, part: CitationPart): string | undefined {
  if (part.kind === 'post')
    return citations.posts.has(part.number) ? postHref(env['thread'], part.number) : undefined
  if (part.kind !== 'section') return undefined
  const { sections } = citations
  // Without a number it must be clear which document is meant.
  const document =
    part.document !== undefined
      ? sections.get(part.document)
      : sections.size === 1
        ? [...sections.values()][0]
        : undefined
  if (document === undefined || part.to < part.from || part.to - part.from >= document.sections.size)
    return undefined
  for (let section = part.from; section <= part.to; section++) {
    if (!document.sections.has(section)) return undefined
  }
  return document.url
}

function postHref(thread: unknown, number: number): string | undefined {
  return typeof thread === 'string' ? `/t/${thread}/${number}` : undefined
}

/** Where a quotation's source is, and how it is cited; undefined where no safe link leads there. */
export function sourceLink(
  citations: Citations,
  thread: unknown,
  source: QuoteSource,
): { href: string; text: string } | undefined {
  if ('number' in source) {
    const href = postHref(source.thread ?? thread, source.number)
    if (href === undefined || !isAllowedLink(href)) return undefined
    return { href, text: source.thread === undefined ? `[#${source.number}]` : `[${href}]` }
  }
  const url = citations.sections.get(source.document)?.url
  if (url === undefined || !isAllowedLink(url)) return undefined
  const name = citations.sections.size === 1 ? 'doc' : `doc ${source.document}`
  return { href: url, text: `[${name} §${source.section}]` }
}

/** Names links that are citations; and a bare `#17` is a link only where that post was read. */
function finishReferences(children: Token[], { posts }: Citations): Token[] {
  let dropped = false
  return children.filter((token) => {
    if (token.type === 'link_open') {
      if (token.meta?.['citation'] === true) token.attrJoin('class', 'citation')
      else if (token.attrGet('class') === 'post-ref') {
        dropped = !posts.has(Number(/\d+$/.exec(String(token.attrGet('href')))?.[0]))
        return !dropped
      }
    } else if (token.type === 'link_close' && dropped) {
      dropped = false
      return false
    }
    return true
  })
}
