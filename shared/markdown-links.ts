import type { MarkdownIt, StateCore, StateInline, Token } from 'markdown-it'
import { lastPostNumber, threadIdPattern } from './post-names.ts'

/** A post by its name, as its address gives it; a thread alone means its first post. */
export interface PostName {
  thread: string
  number: number
}

/** What a link says about itself: written by users, not vouched for, and no way back to this page's window. */
const rel = 'nofollow ugc noopener'

/** Links to http, https and mailto and to this server's own threads; what goes elsewhere stays text. */
export function addLinks(md: MarkdownIt): void {
  md.validateLink = isAllowedLink
  // An address is shown as it was written: decoding its escapes or its punycode helps only those who imitate another.
  md.normalizeLinkText = (text) => text
  md.linkify.set({ fuzzyLink: false, fuzzyEmail: false, fuzzyIP: false })
  for (const schema of ['ftp:', '//', 'mailto:']) md.linkify.add(schema, null)
  md.core.ruler.push('links', (state) => eachInline(state, finishLinks))
}

/** `#17` in text is a link to that post of the thread that `env.thread` names. */
export function addPostReferences(md: MarkdownIt): void {
  md.inline.ruler.before('link', 'post_reference', (state, silent) => {
    const { thread } = state.env
    const reference = typeof thread === 'string' && state.linkLevel === 0 ? referenceAt(state) : undefined
    if (reference === undefined) return false
    if (!silent) {
      const open = state.push('link_open', 'a', 1)
      open.attrs = [
        ['href', `/t/${String(thread)}/${reference}`],
        ['class', 'post-ref'],
      ]
      state.push('text', '', 0).content = `#${reference}`
      state.push('link_close', 'a', -1)
    }
    state.pos += 1 + reference.length
    return true
  })
}

function referenceAt(state: StateInline): string | undefined {
  const { src, pos, posMax } = state
  if (src[pos] !== '#' || !(pos === 0 || /[\s()[\]{}<>"'“”‘’«»„,;:!*_~|…–—-]/u.test(src[pos - 1]!)))
    return undefined
  const digits = /^[1-9]\d{0,9}(?![\p{L}\p{N}_#])/u.exec(src.slice(pos + 1, Math.min(posMax, pos + 13)))?.[0]
  return digits !== undefined && isPostNumber(Number(digits)) ? digits : undefined
}

function isPostNumber(number: number): boolean {
  return number >= 1 && number <= lastPostNumber
}

/** An address with a user's name in it is refused: `https://bank.example@elsewhere.example` only serves to mislead. */
export function isAllowedLink(url: string): boolean {
  if (postOfPath(url) !== undefined) return true
  if (!/^(https?:\/\/[^/\\]|mailto:.)/i.test(url) || !URL.canParse(url)) return false
  const { username, password } = new URL(url)
  return username === '' && password === ''
}

/** The post that an address on this server names: `/t/:thread` or `/t/:thread/:number`, whole or from the root. */
export function postOfUrl(url: string, origin: string): PostName | undefined {
  if (url.startsWith('/')) return postOfPath(url)
  if (!URL.canParse(url)) return undefined
  const parsed = new URL(url)
  return parsed.origin === origin ? postOfPath(parsed.pathname) : undefined
}

function postOfPath(path: string): PostName | undefined {
  const [, thread = '', digits = '1'] = /^\/t\/(\w{10})(?:\/([1-9]\d{0,9}))?\/?$/.exec(path) ?? []
  const number = Number(digits)
  return threadIdPattern.test(thread) && isPostNumber(number) ? { thread, number } : undefined
}

/** Calls `change` with the children of each run of inline text and keeps what it returns. */
export function eachInline(state: StateCore, change: (children: Token[], state: StateCore) => Token[]): void {
  for (const token of state.tokens) {
    if (token.type === 'inline' && token.children) token.children = change(token.children, state)
  }
}

/**
 * Says of links what they are, and makes links of images: a post loads nothing from elsewhere.
 * A link without an address keeps its text alone.
 */
function finishLinks(children: Token[], state: StateCore): Token[] {
  const finished: Token[] = []
  /** The link that is open: null is one without an address. Links do not nest. */
  let link: Token | null | undefined
  for (const token of children) {
    if (token.type === 'link_open') {
      link = isAllowedLink(String(token.attrGet('href') ?? '')) ? token : null
      if (link === null) continue
      if (link.attrGet('class') === null) link.attrSet('rel', rel)
    } else if (token.type === 'link_close') {
      const closed = link
      link = undefined
      if (closed === null) continue
    } else if (token.type === 'image') {
      finished.push(...imageLink(token, state, link !== undefined))
      continue
    }
    finished.push(token)
  }
  return finished
}

function imageLink(image: Token, state: StateCore, inLink: boolean): Token[] {
  const href = String(image.attrGet('src') ?? '')
  const text = new state.Token('text', '', 0)
  text.content = plainText(image.children ?? []).trim() || href
  if (inLink || !isAllowedLink(href)) return [text]
  const open = new state.Token('link_open', 'a', 1)
  open.attrs = [
    ['href', href],
    ['class', 'image-link'],
    ['rel', rel],
  ]
  return [open, text, new state.Token('link_close', 'a', -1)]
}

/** What is read of inline text when all its markup is taken away. */
function plainText(children: readonly Token[]): string {
  return children
    .map((token) => {
      if (token.type === 'image') return plainText(token.children ?? [])
      return token.type === 'softbreak' || token.type === 'hardbreak' ? ' ' : token.content
    })
    .join('')
}
