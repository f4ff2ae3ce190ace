import MarkdownIt, { type Token } from 'markdown-it'
import {
  addCode,
  addHeadings,
  addNestingLimits,
  addTables,
  addTasks,
  type Highlighter,
} from './markdown-blocks.ts'
import { addCitations, type Citations } from './markdown-citations.ts'
import { addEmbeds, type Ref } from './markdown-embeds.ts'
import { markdownLimits } from './markdown-limits.ts'
import { addLinks, addPostReferences } from './markdown-links.ts'
import { addMath, mathText, type MathRenderer } from './markdown-math.ts'
import { addMentions } from './markdown-mentions.ts'
import { addQuotations } from './markdown-quotations.ts'

/** A post's Markdown, read once. */
export interface Rendered {
  /** Safe to show as it is, provided that `highlight` and `math` return safe HTML. */
  html: string
  /** What a reader reads of it, on one line: for excerpts, searching and checking quotes. */
  text: string
  /** What its embeds show: `refs[N]` at `data-embed="N"`. */
  refs: Ref[]
  /** The handles of those whom it calls by `@handle`, in lower case. */
  mentions: string[]
}

export interface RenderedAt {
  /** The id of the thread that the text stands in; without it `#17` stays text. */
  thread?: string | undefined
  /** Of an AI's text: what it has read, which its citations and quotations are checked against. */
  citations?: Citations | undefined
}

export interface Markdown {
  render(body: string, at?: RenderedAt): Rendered
}

/**
 * The dialect of posts: CommonMark with tables, strikethrough, tasks, bare links, TeX, `#17` and embeds, without HTML
 * and without anything that loads by itself. `publicUrl` is this server's address, for telling its own posts from
 * pages elsewhere. What `highlight` and `math` return is put in as it is. It never throws, whatever the text.
 */
export function createMarkdown(options: {
  publicUrl: string
  highlight?: Highlighter
  math?: MathRenderer
}): Markdown {
  const md = new MarkdownIt({ html: false, linkify: true, breaks: true, typographer: false })
  // The order counts: each pushes its core rule behind those before it.
  addNestingLimits(md)
  addLinks(md)
  addPostReferences(md)
  addMath(md, options.math)
  addCode(md, options.highlight)
  addHeadings(md)
  addTables(md)
  addTasks(md)
  addEmbeds(md, new URL(options.publicUrl).origin)
  addMentions(md)
  addCitations(md)
  addQuotations(md)
  return {
    render(body, { thread, citations } = {}) {
      const env = { thread, citations, refs: [] as Ref[], mentions: [] as string[] }
      const tokens = md.parse(body, env)
      const html = md.renderer.render(tokens, md.options, env)
      const { refs, mentions } = env
      if (html.length > markdownLimits.html) return { ...asTyped(body, md.utils.escapeHtml), mentions }
      return { html, text: oneLine(tokens.map(readable).join('')), refs, mentions }
    },
  }
}

function asTyped(body: string, escapeHtml: (text: string) => string): Omit<Rendered, 'mentions'> {
  return { html: `<p>${escapeHtml(body).replace(/\r?\n/g, '<br>\n')}</p>\n`, text: oneLine(body), refs: [] }
}

function readable(token: Token): string {
  switch (token.type) {
    case 'inline':
      return `${(token.children ?? []).map(readable).join('')}\n`
    case 'math':
      return mathText(token)
    case 'math_block':
      return `${mathText(token)}\n`
    case 'softbreak':
    case 'hardbreak':
      return '\n'
    default:
      return token.content
  }
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}

/** The beginning of a text, at most `max` UTF-16 units long, cut at the end of a word where there is one. */
export function excerpt(text: string, max: number): string {
  if (text.length <= max) return text
  const head = text.slice(0, max)
  const space = head.lastIndexOf(' ')
  // Text without spaces is cut anywhere but within a character.
  const cut = space > max / 2 ? head.slice(0, space) : head.slice(0, -1).replace(/[\ud800-\udbff]$/, '')
  return `${cut.replace(/[\s,;:.!?–—-]+$/u, '')}…`
}
