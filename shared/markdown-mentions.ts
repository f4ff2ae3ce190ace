import type { MarkdownIt, Token } from 'markdown-it'
import { limits } from './limits.ts'
import { markdownLimits } from './markdown-limits.ts'

/**
 * Collects in `env.mentions` the handles that a text names as `@handle`: in lower case, each once, in order. Names in
 * code, links, addresses, formulas and quotes call nobody, and neither does an escaped `\@`.
 */
export function addMentions(md: MarkdownIt): void {
  // Before escaped characters are joined to the text around them.
  md.core.ruler.before('text_join', 'mentions', (state) => {
    const found = new Set<string>()
    let quotes = 0
    for (const token of state.tokens) {
      if (token.type === 'blockquote_open') quotes += 1
      else if (token.type === 'blockquote_close') quotes -= 1
      else if (quotes === 0 && token.type === 'inline') collect(token.children ?? [], found)
    }
    state.env['mentions'] = [...found].slice(0, markdownLimits.mentions)
  })
}

function collect(children: readonly Token[], found: Set<string>): void {
  let links = 0
  /** The character before a token, where no markup lies between. */
  let before = ''
  for (const token of children) {
    if (token.type === 'link_open') links += 1
    else if (token.type === 'link_close') links -= 1
    if (token.type === 'text' && links === 0) {
      for (const { 1: handle, index } of (before + token.content).matchAll(mention)) {
        if (index >= before.length && handle!.length <= limits.handleMax) found.add(handle!.toLowerCase())
      }
    }
    before = token.type.startsWith('text') ? token.content.slice(-1) : ''
  }
}

// Scripts that set no spaces between words may stand right before and after a name; other letters make it a part of
// something else, as in addresses.
const mention =
  /(?<!(?![\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}])[\p{L}\p{N}_@/.+\\-])@([a-z][a-z0-9-]*[a-z0-9])(?!(?![\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}])[\p{L}\p{N}_@]|[./]\w)/giu
