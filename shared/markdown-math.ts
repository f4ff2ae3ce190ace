import type { MarkdownIt, StateBlock, StateInline, Token } from 'markdown-it'
import { markdownLimits } from './markdown-limits.ts'

/** Makes HTML of a formula; null where its TeX has a mistake. */
export type MathRenderer = (tex: string, display: boolean) => string | null

/** TeX: `$…$` and `$$…$$` in text, blocks between `$$`, and fences called `math`. */
export function addMath(md: MarkdownIt, render: MathRenderer | undefined): void {
  md.inline.ruler.after('escape', 'math', inlineMath)
  md.block.ruler.before('fence', 'math', blockMath, { alt: ['paragraph', 'reference', 'blockquote', 'list'] })
  md.core.ruler.push('math', (state) => {
    let [formulas, total] = [0, 0]
    for (const token of state.tokens.flatMap((token) => [token, ...(token.children ?? [])])) {
      if (token.type === 'fence' && /^\s*math\s*$/i.test(token.info)) token.type = 'math_block'
      if (token.type !== 'math_block' && token.type !== 'math') continue
      formulas += 1
      total += token.content.length
      const within = formulas <= markdownLimits.formulas && total <= markdownLimits.formulasTotal
      const html = within
        ? render?.(token.content.trim(), token.type === 'math_block' || token.markup === '$$')
        : undefined
      token.meta = { html, name: html === null ? 'math-error' : 'math-source' }
    }
  })
  const show = (token: Token) => formulaHtml(token) ?? sourceHtml(token, md.utils.escapeHtml)
  md.renderer.rules['math'] = (tokens, at) =>
    `<span class="${tokens[at]!.markup === '$$' ? 'math math-display' : 'math'}">${show(tokens[at]!)}</span>`
  md.renderer.rules['math_block'] = (tokens, at) =>
    `<div class="math math-display" tabindex="0">${show(tokens[at]!)}</div>\n`
}

/** What is read of a formula: what its HTML says, which is what a reader can select, or else its source. */
export function mathText(token: Token): string {
  const html = formulaHtml(token)
  if (html === undefined) return token.content
  return html
    .replace(/<[^>]*>/g, '')
    .replace(/&(amp|lt|gt|quot);/g, (_, name: keyof typeof entities) => entities[name])
}
const entities = { amp: '&', lt: '<', gt: '>', quot: '"' }

function formulaHtml(token: Token): string | undefined {
  const html = token.meta?.['html']
  return typeof html === 'string' ? html : undefined
}

function sourceHtml(token: Token, escapeHtml: (text: string) => string): string {
  return `<code class="${String(token.meta?.['name'])}">${escapeHtml(token.content.trim())}</code>`
}

/**
 * A single dollar opens a formula where no letter, digit or dollar stands before it and no space after it. The next
 * dollar must close it: no space before it, no letter or digit after it. So "$5 and $10" are prices.
 */
function inlineMath(state: StateInline, silent: boolean): boolean {
  const { src, pos } = state
  if (src[pos] !== '$' || (pos > 0 && /[\p{L}\p{N}$]/u.test(src[pos - 1]!))) return false
  const mark = src[pos + 1] === '$' ? '$$' : '$'
  const start = pos + mark.length
  const end = closingDollars(state, start, mark)
  if (end === undefined) return false
  const content = src.slice(start, end)
  if (mark === '$' ? !standsAlone(content, src[end + 1]) : content.trim() === '') return false
  if (!silent) {
    const token = state.push('math', 'span', 0)
    token.content = content
    token.markup = mark
  }
  state.pos = end + mark.length
  return true
}

function closingDollars({ src, posMax }: StateInline, start: number, mark: string): number | undefined {
  const last = Math.min(
    posMax - mark.length,
    start + (mark === '$' ? markdownLimits.inlineFormula : markdownLimits.formula),
  )
  for (let at = start; at <= last; at++) {
    if (src[at] === '\\') at += 1
    else if (src[at] === '\n' && mark === '$') return undefined
    else if (src.startsWith(mark, at)) return at
  }
  return undefined
}

function standsAlone(content: string, after: string | undefined): boolean {
  if (content === '' || /^\s|\s$/.test(content) || (after !== undefined && /[\p{L}\p{N}$]/u.test(after)))
    return false
  const price =
    /^\d/.test(content) && /\s/.test(content) && /\p{L}{2}/u.test(content) && !/[\\^_={}]/.test(content)
  return !price
}

/** Lines from one that begins with `$$` to the first that ends with it, without an empty line or other `$$` between. */
function blockMath(state: StateBlock, startLine: number, endLine: number, silent: boolean): boolean {
  if (state.sCount[startLine]! - state.blkIndent >= 4) return false
  const lineText = (line: number) =>
    state.src.slice(state.bMarks[line]! + state.tShift[line]!, state.eMarks[line]).trim()
  if (!lineText(startLine).startsWith('$$')) return false
  const limit = Math.min(endLine, startLine + markdownLimits.mathLines)
  for (let line = startLine; line < limit; line++) {
    const text = line === startLine ? lineText(line).slice(2) : lineText(line)
    const outside = line > startLine && (text === '' || state.sCount[line]! < state.blkIndent)
    const close = text.indexOf('$$')
    if (outside || (close >= 0 && close !== text.length - 2)) return false
    if (close < 0) continue
    const content = state
      .getLines(startLine, line + 1, state.sCount[startLine]!, false)
      .trim()
      .slice(2, -2)
    if (content.trim() === '' || content.length > markdownLimits.formula) return false
    if (silent) return true
    const token = state.push('math_block', 'div', 0)
    token.content = content
    token.map = [startLine, line + 1]
    state.line = line + 1
    return true
  }
  return false
}
