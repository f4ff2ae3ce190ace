import type { MarkdownIt, StateCore, Token } from 'markdown-it'
import { limits } from './limits.ts'
import { postOfUrl } from './markdown-links.ts'

/** Something that a post shows at an embed. */
export type Ref = { kind: 'link'; url: string } | { kind: 'post'; thread: string; number: number }

/**
 * An address alone on its line, in a paragraph of the top level, becomes a paragraph of its own whose `data-embed` is
 * its place in `env.refs`. Lines around it stay paragraphs.
 */
export function addEmbeds(md: MarkdownIt, origin: string): void {
  md.core.ruler.push('embeds', (state) => {
    const refs: Ref[] = []
    state.env['refs'] = refs
    const tokens: Token[] = []
    for (let at = 0; at < state.tokens.length; at++) {
      const [open, inline] = [state.tokens[at]!, state.tokens[at + 1]]
      const split =
        open.type === 'paragraph_open' && open.level === 0 && inline?.children
          ? splitParagraph(state, inline.children, refs, origin)
          : undefined
      if (split === undefined) tokens.push(open)
      else {
        tokens.push(...split)
        at += 2
      }
    }
    state.tokens = tokens
  })
}

/** The paragraphs that take a paragraph's place; undefined where nothing in it is an embed. */
function splitParagraph(
  state: StateCore,
  children: Token[],
  refs: Ref[],
  origin: string,
): Token[] | undefined {
  const before = refs.length
  const tokens: Token[] = []
  let text: Token[] = []
  const flush = () => {
    if (text.length > 0) tokens.push(...paragraph(state, text))
    text = []
  }
  for (const { line, end } of lines(children)) {
    const address = loneAddress(line)
    const ref =
      address !== undefined && refs.length < limits.embedsPerPost ? refOf(address.href, origin) : undefined
    if (address === undefined || ref === undefined) {
      text.push(...line, ...(end ? [end] : []))
      continue
    }
    if (text.at(-1)?.type.endsWith('break')) text.pop()
    flush()
    const tokensOfLink = address.link ?? linkTokens(state, address.href)
    tokens.push(
      ...paragraph(state, tokensOfLink, [
        ['class', 'embed'],
        ['data-embed', String(refs.length)],
      ]),
    )
    refs.push(ref)
  }
  flush()
  return refs.length > before ? tokens : undefined
}

/** The lines of inline text, cut at those breaks that lie in no markup. */
function lines(children: readonly Token[]): { line: Token[]; end?: Token }[] {
  const found: { line: Token[]; end?: Token }[] = [{ line: [] }]
  let depth = 0
  for (const token of children) {
    depth += token.nesting
    if (depth === 0 && (token.type === 'softbreak' || token.type === 'hardbreak')) {
      found.at(-1)!.end = token
      found.push({ line: [] })
    } else found.at(-1)!.line.push(token)
  }
  return found
}

/** A bare address, `<address>`, or a path on this server, with nothing else on its line. */
function loneAddress(line: readonly Token[]): { href: string; link?: Token[] } | undefined {
  const tokens = line.filter((token) => token.type !== 'text' || token.content.trim() !== '')
  const [first] = tokens
  if (first?.type === 'text' && tokens.length === 1 && /^\/t\/\S+$/.test(first.content.trim())) {
    return { href: first.content.trim() }
  }
  if (first?.type !== 'link_open' || first.info !== 'auto' || tokens.length !== 3) return undefined
  return { href: String(first.attrGet('href')), link: tokens }
}

function refOf(href: string, origin: string): Ref | undefined {
  const post = postOfUrl(href, origin)
  if (post) return { kind: 'post', ...post }
  return /^https?:/i.test(href) && href.length <= limits.urlMax ? { kind: 'link', url: href } : undefined
}

function linkTokens(state: StateCore, href: string): Token[] {
  const open = new state.Token('link_open', 'a', 1)
  open.attrs = [['href', href]]
  const text = new state.Token('text', '', 0)
  text.content = href
  return [open, text, new state.Token('link_close', 'a', -1)]
}

function paragraph(state: StateCore, children: Token[], attrs: [string, string][] | null = null): Token[] {
  const open = new state.Token('paragraph_open', 'p', 1)
  open.attrs = attrs
  const inline = new state.Token('inline', '', 0)
  inline.children = children
  const close = new state.Token('paragraph_close', 'p', -1)
  open.block = inline.block = close.block = true
  return [open, inline, close]
}
