import type { MarkdownIt, StateCore, Token } from 'markdown-it'
import { citationsOf, sourceLink, unverified, type Citations } from './markdown-citations.ts'
import { markdownLimits } from './markdown-limits.ts'
import { mathText } from './markdown-math.ts'
import { quotePairs, type QuotePair } from './markdown-quote-pairs.ts'

/**
 * With `env.citations.quotes`, quoted passages are looked for in what was read: block quotes, and text between double quotation
 * marks of any language. Short ones are left alone: they are words and names, not quotations.
 */
export function addQuotations(md: MarkdownIt): void {
  md.core.ruler.push('quotations', (state) => {
    const citations = citationsOf(state)
    if (citations?.quotes === undefined) return
    const check = createCheck(state, citations)
    let depth = 0
    for (let at = 0; at < state.tokens.length; at++) {
      const token = state.tokens[at]!
      if (token.type === 'blockquote_open' && ++depth === 1) markBlock(state, at, check)
      else if (token.type === 'blockquote_close') depth -= 1
      else if (depth === 0 && token.type === 'inline' && token.children)
        token.children = markInline(state, token.children, check)
    }
  })
}

/** What became of a passage: its attributes, and where it stands. Undefined for one that is too short to be checked. */
type Check = (
  passage: string,
) => { attrs: [string, string][]; link?: { href: string; text: string } } | undefined

function createCheck({ env }: StateCore, citations: Citations): Check {
  let left: number = markdownLimits.quotations
  return (passage) => {
    if (passage.length < markdownLimits.quotation && weight(passage) < markdownLimits.quotation)
      return undefined
    if (left-- <= 0) return { attrs: unverified('quotation', 'Not checked: there are too many quotations') }
    const source = citations.quotes!(passage)
    if (source === null) return { attrs: unverified('quotation', 'Not found in what the AI read') }
    const link = sourceLink(citations, env['thread'], source)
    return { attrs: [['class', 'quotation verified']], ...(link && { link }) }
  }
}

/** The length of a passage, in which a character of Chinese, Japanese or Korean counts for two. */
function weight(passage: string): number {
  return passage.length + (passage.match(/[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]/g)?.length ?? 0)
}

function markBlock(state: StateCore, start: number, check: Check): void {
  const { tokens } = state
  const open = tokens[start]!
  const end = tokens.findIndex(
    (token, at) => at > start && token.type === 'blockquote_close' && token.level === open.level,
  )
  const inside = tokens.slice(start + 1, end)
  const lines = inside
    .map((token) =>
      token.type === 'inline' ? passageOf(token.children ?? []) : token.nesting === 0 ? token.content : '',
    )
    .join('\n')
    .split('\n')
    .filter((line) => line.trim() !== '')
  // Whose words they are may stand beneath them.
  if (lines.length > 1 && /^\s*[—–-]/.test(lines.at(-1)!)) lines.pop()
  const found = check(lines.join('\n').trim())
  if (found === undefined) return
  open.attrs = found.attrs
  const around = [
    ...inside,
    ...tokens.slice(Math.max(0, start - 2), start),
    ...tokens.slice(end + 1, end + 3),
  ]
  const last = inside.findLast((token) => token.type === 'inline' && token.children)
  if (!found.link || !last || around.some((token) => token.children?.some(isCitation))) return
  last.children!.push(textToken(state, ' '), ...linkTokens(state, found.link))
}

function markInline(state: StateCore, children: Token[], check: Check): Token[] {
  let result = children
  // From the last to the first, so that a cut leaves the places before it as they are.
  for (const { open, close } of quotePairs(children).filter(isLong(children)).toReversed()) {
    const before = splitAt(state, result, open.token, open.offset)
    const rest = [...before.right, ...result.slice(open.token + 1)]
    const shift = open.token
    const end = close.token - shift
    const endOffset = close.token === open.token ? close.offset + 1 - open.offset : close.offset + 1
    const after = splitAt(state, rest, end, endOffset)
    const quoted = [...rest.slice(0, end), ...after.left]
    const found = check(passageOf(quoted).slice(1, -1))
    if (found === undefined) continue
    const head = [...result.slice(0, open.token), ...before.left]
    const tail = [...after.right, ...rest.slice(end + 1)]
    const cited = quoted.some(isCitation) || isCitedAfter(tail) || isCitedBefore(head.toReversed())
    result = [...head, ...wrap(state, quoted, found, cited), ...tail]
  }
  return result
}

/** Whether a pair may hold a quotation at all: most hold a word or two, and are not worth taking the text apart. */
function isLong(children: readonly Token[]) {
  return ({ open, close }: QuotePair) => {
    const between = children.slice(open.token, close.token)
    const length = between.reduce((sum, { content }) => sum + content.length, close.offset - open.offset)
    return length * 2 >= markdownLimits.quotation
  }
}

function wrap(
  state: StateCore,
  quoted: Token[],
  found: NonNullable<ReturnType<Check>>,
  cited: boolean,
): Token[] {
  const link = cited ? undefined : found.link
  // The quotation itself leads to its source, which takes no room; but links do not nest.
  const whole = link !== undefined && !quoted.some((token) => token.type === 'link_open')
  const open = new state.Token(whole ? 'link_open' : 'quotation_open', whole ? 'a' : 'span', 1)
  open.attrs = whole ? [['href', link.href], ...found.attrs, ...relOf(link.href)] : found.attrs
  const close = new state.Token(whole ? 'link_close' : 'quotation_close', whole ? 'a' : 'span', -1)
  const source = link !== undefined && !whole ? [textToken(state, ' '), ...linkTokens(state, link)] : []
  return [open, ...quoted, close, ...source]
}

/** The text token at a place, in two; empty halves are left away. */
function splitAt(
  state: StateCore,
  tokens: readonly Token[],
  at: number,
  offset: number,
): { left: Token[]; right: Token[] } {
  const { content } = tokens[at]!
  const half = (text: string) => (text === '' ? [] : [textToken(state, text)])
  return { left: half(content.slice(0, offset)), right: half(content.slice(offset)) }
}

/** What is read of a passage, without citations in it. */
function passageOf(children: readonly Token[]): string {
  let text = ''
  let citation: Token | undefined
  let depth = 0
  for (const token of children) {
    if (citation === undefined && isCitation(token)) [citation, depth] = [token, 0]
    if (citation !== undefined) {
      depth += token.nesting
      if (depth === 0) citation = undefined
    } else if (token.type === 'math') text += mathText(token)
    else text += token.type.endsWith('break') ? '\n' : token.content
  }
  return text
}

function isCitation(token: Token): boolean {
  return token.meta?.['citation'] === true
}

function isQuotation(token: Token): boolean {
  return token.nesting === 1 && String(token.attrGet('class')).startsWith('quotation ')
}

/** Whether a citation stands a few words before a quotation that no other one goes before. `tokens` are read backwards. */
function isCitedBefore(tokens: readonly Token[]): boolean {
  const at = firstNear(tokens, isCitation)
  return at >= 0 && !/[”"»“」』]\s*$/.test(tokens[at + 1]?.content ?? '')
}

/** Whether a citation stands a few words after a quotation, before the next one begins. */
function isCitedAfter(tokens: readonly Token[]): boolean {
  const at = firstNear(tokens, (token) => isCitation(token) || isQuotation(token))
  return at >= 0 && isCitation(tokens[at]!)
}

function firstNear(tokens: readonly Token[], wanted: (token: Token) => boolean): number {
  let distance = 0
  return tokens.findIndex((token) => {
    const near = distance <= nearby
    distance += token.content.length
    return near && wanted(token)
  })
}
/** UTF-16 units. */
const nearby = 40

function textToken(state: StateCore, content: string): Token {
  const token = new state.Token('text', '', 0)
  token.content = content
  return token
}

function linkTokens(state: StateCore, link: { href: string; text: string }): Token[] {
  const open = new state.Token('link_open', 'a', 1)
  open.attrs = [['href', link.href], ['class', 'citation'], ...relOf(link.href)]
  open.meta = { citation: true }
  return [open, textToken(state, link.text), new state.Token('link_close', 'a', -1)]
}

function relOf(href: string): [string, string][] {
  return href.startsWith('/') ? [] : [['rel', 'nofollow ugc noopener']]
}
