import type { MarkdownIt, StateBlock, StateCore, Token } from 'markdown-it'
import { markdownLimits } from './markdown-limits.ts'
import { eachInline } from './markdown-links.ts'

/** Makes HTML of code in a language by its name; empty where it does not know the language. */
export type Highlighter = (code: string, language: string) => string

/**
 * Bounds how deep blocks and emphasis go. What would lie deeper stays as lines of text: the parser on its own
 * drops it. It matters to the reader of a narrow screen, and to programs that walk the tree by recursion.
 */
export function addNestingLimits(md: MarkdownIt): void {
  // A list adds two levels at once.
  md.set({ maxNesting: markdownLimits.blockNesting + 2 })
  md.block.ruler.before('table', 'nesting', deepLines)
  md.core.ruler.push('nesting', (state) => eachInline(state, shallow))
}

function deepLines(state: StateBlock, startLine: number, endLine: number, silent: boolean): boolean {
  if (silent || state.level < markdownLimits.blockNesting) return false
  let line = startLine + 1
  while (line < endLine && !state.isEmpty(line) && state.sCount[line]! >= state.blkIndent) line++
  const open = state.push('paragraph_open', 'p', 1)
  const inline = state.push('inline', '', 0)
  inline.content = state.getLines(startLine, line, state.blkIndent, false).trim()
  inline.children = []
  open.map = inline.map = [startLine, line]
  state.push('paragraph_close', 'p', -1)
  state.line = line
  return true
}

function shallow(children: Token[]): Token[] {
  let depth = 0
  return children.filter((token) => {
    if (token.nesting === -1) depth -= 1
    const keep = token.tag === 'a' || token.nesting === 0 || depth < markdownLimits.inlineNesting
    if (token.nesting === 1) depth += 1
    return keep
  })
}

/** A post is a part of a page that has a title and a heading of its own: its `#` is the page's third level. */
export function addHeadings(md: MarkdownIt): void {
  md.core.ruler.push('headings', ({ tokens }) => {
    for (const token of tokens) {
      if (token.type.startsWith('heading_')) token.tag = `h${Math.min(6, Number(token.tag.slice(1)) + 2)}`
    }
  })
}

/** Tables scroll within their own frame, and align by class: style attributes are forbidden on our pages. */
export function addTables(md: MarkdownIt): void {
  md.core.ruler.push('tables', ({ tokens }) => {
    for (const token of tokens) {
      const align = /^text-align:(left|center|right)$/.exec(String(token.attrGet('style')))?.[1]
      if (align !== undefined) token.attrs = [['class', `align-${align}`]]
    }
  })
  md.renderer.rules['table_open'] = () =>
    '<div class="table" role="group" tabindex="0" aria-label="Table"><table>\n'
  md.renderer.rules['table_close'] = () => '</table></div>\n'
}

/** `- [ ]` and `- [x]`. The box is a picture with a name, not a control that does nothing. */
export function addTasks(md: MarkdownIt): void {
  // Before escaped characters are joined to the text around them: `\\[ ]` is no task.
  md.core.ruler.before('text_join', 'tasks', (state) => {
    const { tokens } = state
    for (let at = 2; at < tokens.length; at++) {
      const [item, paragraph, inline] = [tokens[at - 2]!, tokens[at - 1]!, tokens[at]!]
      if (item.type !== 'list_item_open' || paragraph.type !== 'paragraph_open' || !inline.children) continue
      const first = inline.children[0]
      const mark = first?.type === 'text' ? /^\[([ xX])\][ \t]+/.exec(first.content) : null
      if (!first || !mark) continue
      first.content = first.content.slice(mark[0].length)
      item.attrJoin('class', 'task')
      inline.children.unshift(taskBox(state, mark[1] !== ' '))
    }
  })
  md.renderer.rules['task_box'] = (tokens, at) => {
    const { content, info } = tokens[at]!
    return `<span class="task-box" role="img" aria-label="${info}">${content.trim()}</span> `
  }
}

function taskBox(state: StateCore, done: boolean): Token {
  const box = new state.Token('task_box', 'span', 0)
  box.content = done ? '☑ ' : '☐ '
  box.info = done ? 'Done' : 'To do'
  return box
}

/** Code can be scrolled with the keyboard, and is coloured as far as `limits` allow. */
export function addCode(md: MarkdownIt, highlight: Highlighter | undefined): void {
  const { escapeHtml, unescapeAll } = md.utils
  const show = (language: string | undefined, html: string) =>
    `<pre tabindex="0"><code class="${language === undefined ? 'hljs' : `language-${language} hljs`}">${html}</code></pre>\n`
  md.core.ruler.push('code', ({ tokens }) => {
    let total = 0
    for (const token of tokens) {
      if (token.type !== 'fence') continue
      // The one place where the writer's text gets into a class; it must stay one class, and look like a language.
      const language = /^[a-z0-9][a-z0-9+#.-]{0,29}$/.exec(
        unescapeAll(token.info).trim().split(/\s/)[0]!.toLowerCase(),
      )?.[0]
      total += token.content.length
      const colour = language !== undefined && total <= markdownLimits.highlighted
      token.meta = { language, html: colour ? highlight?.(token.content, language) : undefined }
    }
  })
  md.renderer.rules['fence'] = (tokens, at) => {
    const { meta, content } = tokens[at]!
    const { language, html } = meta as { language?: string; html?: string }
    return show(language, html || escapeHtml(content))
  }
  md.renderer.rules['code_block'] = (tokens, at) => show(undefined, escapeHtml(tokens[at]!.content))
}
