import { storable } from '../../shared/http.ts'
import { isAllowedLink } from '../../shared/markdown-links.ts'
import { createBoundedParser } from './bounded-parser.ts'
import { escapeLineStarts, escapeText } from './html-escape.ts'
import type { SourceText } from './records.ts'

/** Elements within elements, quotes and lists within one another, emphasis within emphasis: what lies deeper is plain. */
const maxDepth = 120
const maxContainers = 12
const maxFrames = 8

/** Inline markup that is open, with what it holds so far. */
interface Frame {
  tag: string
  href: string | undefined
  text: string
}

/** A quote, a list item, or the whole. */
interface Container {
  tag: string
  blocks: string[]
  /** Of a list: the number of its next item; null where they have none. */
  next: number | null
}

/**
 * The Markdown, in the dialect of posts, that shows what a comment's HTML shows. It takes time in proportion to its
 * length. Whatever the HTML is, nothing of it stays HTML: scripts and styles are dropped, links are kept where posts may
 * have them, images become links.
 */
export function htmlToMarkdown({ html, base, lines = false }: Extract<SourceText, { html: string }>): string {
  const dollars = (html.match(/\$|&dollar;|&#0*36;|&#x0*24;/g)?.length ?? 0) > 1
  const containers: Container[] = [{ tag: '', blocks: [], next: null }]
  let frames: Frame[] = [{ tag: '', href: undefined, text: '' }]
  /** Elements whose content nobody reads. */
  let silent = 0
  let heading = ''
  let pre: { text: string; language: string } | undefined
  let code: string | undefined
  /** Text that is not written yet: the parser gives each entity by itself. */
  let waiting = ''

  const parser = createBoundedParser(
    {
      onopentag(name, attributes) {
        takeText()
        if (unread.has(name)) silent++
        if (silent > 0) return
        if (pre || code !== undefined) {
          if (pre) pre.language ||= languageOf(attributes['class'])
          if (name === 'br') onText('\n')
          return
        }
        if (name === 'pre') {
          endBlock()
          pre = { text: '', language: languageOf(attributes['class']) }
        } else if (name === 'code' || name === 'tt' || name === 'kbd' || name === 'samp') code = ''
        else if (name === 'br') append('\n')
        else if (name === 'hr') {
          endBlock()
          addBlock('***')
        } else if (name === 'img') image(attributes)
        else if (name === 'iframe' || name === 'video' || name === 'audio') player(attributes)
        else if (name === 'input' && attributes['type'] === 'checkbox')
          append('checked' in attributes ? '[x] ' : '[ ] ')
        else if (name === 'td' || name === 'th') append(top().text.trim() === '' ? '' : ' \\| ')
        else if (markOf[name] !== undefined || name === 'a') openFrame(name, attributes['href'])
        else if (blocks.has(name)) openBlock(name)
      },
      ontext(text) {
        if (silent === 0) waiting += text
      },
      onclosetag(name) {
        takeText()
        if (unread.has(name)) silent = Math.max(0, silent - 1)
        else if (silent > 0) return
        else if (name === 'pre') endPre()
        else if (pre) return
        else if (name === 'code' || name === 'tt' || name === 'kbd' || name === 'samp') endCode()
        else if (code !== undefined) return
        else if (markOf[name] !== undefined || name === 'a') closeFrame(name)
        else if (blocks.has(name)) closeBlock(name)
      },
    },
    {},
    maxDepth,
  )
  parser.write(html)
  parser.end()
  takeText()
  endPre()
  endCode()
  while (containers.length > 1) closeContainer()
  endBlock()
  return storable(containers[0]!.blocks.join('\n\n')).trim()

  function top(): Frame {
    return frames.at(-1)!
  }

  function append(text: string): void {
    top().text += text
  }

  function takeText(): void {
    const text = waiting
    waiting = ''
    if (text !== '') onText(text)
  }

  function onText(text: string): void {
    if (pre) pre.text += text
    else if (code !== undefined) code += text
    else if (lines) {
      const [first, ...rest] = text.split(/\r?\n[^\S\n]*\r?\n\s*/)
      append(escaped(first!))
      for (const paragraph of rest) {
        endBlock()
        append(escaped(paragraph))
      }
    } else append(escaped(text.replace(/\s+/g, ' ')))
  }

  function escaped(text: string): string {
    return escapeText(text, { dollars, inLink: frames.some(({ tag }) => tag === 'a') })
  }

  function openFrame(tag: string, href?: string): void {
    if (frames.length <= maxFrames && !(tag === 'a' && frames.some((frame) => frame.tag === 'a')))
      frames.push({ tag, href, text: '' })
  }

  function closeFrame(tag: string): void {
    const at = frames.findLastIndex((frame) => frame.tag === tag)
    if (at <= 0) return
    // What was opened within ends with it.
    while (frames.length > at) foldFrame()
  }

  function foldFrame(): void {
    const { tag, href, text } = frames.pop()!
    append(tag === 'a' ? linked(text, href) : marked(text, markOf[tag]!))
  }

  function linked(text: string, href: string | undefined): string {
    const url = addressOf(href)
    const shown = text.trim()
    if (url === undefined) return text
    // An address that stands for itself, whole or, as Disqus shows it, cut short.
    const plain = shown
      .replaceAll('\\', '')
      .replace(/^<(.*)>$/s, '$1')
      .replace(/(\.\.\.|…)$/, '')
    const named = shown === '' || (/^(https?:\/\/|www\.)\S+$/i.test(plain) && sameStart(url, plain))
    const link = named ? `<${url}>` : `[${shown.replace(/\s*\n\s*/g, ' ')}](${url})`
    return within(text, link)
  }

  function addressOf(href: string | undefined): string | undefined {
    const text = storable(href ?? '').trim()
    const from = base !== undefined && URL.canParse(base) ? base : undefined
    if (text === '' || !URL.canParse(text, from)) return undefined
    const url = new URL(text, from).href.replace(/[()<>\\`*[\]\s]/g, percentEscape)
    return isAllowedLink(url) ? url : undefined
  }

  function image({ src, alt }: Record<string, string>): void {
    const text = escaped((alt ?? '').replace(/\s+/g, ' ').trim()) || 'image'
    const url = frames.some((frame) => frame.tag === 'a') ? undefined : addressOf(src)
    append(url === undefined ? text : `![${text}](${url})`)
  }

  function player({ src }: Record<string, string>): void {
    const url = addressOf(src)
    if (url !== undefined) append(`<${url}>`)
  }

  /** Ends the paragraph; markup that is open goes on in the next. */
  function endBlock(): void {
    const open = frames.slice(1)
    while (frames.length > 1) foldFrame()
    const text = tidy(top().text)
    frames = [{ tag: '', href: undefined, text: '' }, ...open.map((frame) => ({ ...frame, text: '' }))]
    if (text === '') return
    addBlock(heading === '' ? escapeLineStarts(text) : `${heading} ${text.replace(/\s*\n\s*/g, ' ')}`)
  }

  function addBlock(text: string): void {
    containers.at(-1)!.blocks.push(text)
  }

  function openBlock(name: string): void {
    endBlock()
    if (/^h[1-6]$/.test(name)) heading = '#'.repeat(Number(name[1]))
    if (containerTags.has(name) && containers.length <= maxContainers) {
      // Items stand in lists, whatever the HTML says.
      if (name === 'li' && !/^[uo]l$/.test(containers.at(-1)!.tag)) return
      containers.push({ tag: name, blocks: [], next: name === 'ol' ? 1 : null })
    }
  }

  function closeBlock(name: string): void {
    endBlock()
    if (/^h[1-6]$/.test(name)) heading = ''
    const at = containers.findLastIndex((container) => container.tag === name)
    if (at > 0) while (containers.length > at) closeContainer()
  }

  function closeContainer(): void {
    endBlock()
    const { tag, blocks: inner } = containers.pop()!
    const outer = containers.at(-1)!
    if (inner.length === 0) return
    if (tag === 'blockquote')
      outer.blocks.push(
        inner
          .join('\n\n')
          .replace(/^(?=.)/gm, '> ')
          .replace(/^$/gm, '>'),
      )
    else if (tag === 'li') {
      const mark = outer.next === null ? '- ' : `${outer.next++}. `
      outer.blocks.push(mark + inner.join('\n\n').replace(/\n(?=[^\n])/g, `\n${' '.repeat(mark.length)}`))
    } else outer.blocks.push(inner.join('\n'))
  }

  function endCode(): void {
    if (code === undefined) return
    const text = code.replace(/\s+/g, ' ').trim()
    code = undefined
    if (text === '') return
    const fence = '`'.repeat(longestRun(text) + 1)
    const pad = /^`|`$/.test(text) ? ' ' : ''
    append(fence + pad + text + pad + fence)
  }

  function endPre(): void {
    if (!pre) return
    const text = pre.text.replace(/^\r?\n|\s+$/g, '').replace(/\r\n?/g, '\n')
    const { language } = pre
    pre = undefined
    if (text === '') return
    const fence = '`'.repeat(Math.max(3, longestRun(text) + 1))
    addBlock(`${fence}${language}\n${text}\n${fence}`)
  }
}

const unread = new Set('script style head title noscript template object svg math select textarea'.split(' '))
const containerTags = new Set(['blockquote', 'ul', 'ol', 'li'])
const blocks = new Set(
  (
    'p div blockquote ul ol li h1 h2 h3 h4 h5 h6 table tr dl dt dd section article header footer aside main figure ' +
    'figcaption details summary address center'
  ).split(' '),
)
const markOf: Record<string, string | undefined> = {
  b: '**',
  strong: '**',
  i: '*',
  em: '*',
  cite: '*',
  s: '~~',
  del: '~~',
  strike: '~~',
}

/** Emphasis stands around words: not around nothing, and with no space at its inner sides. */
function marked(text: string, mark: string): string {
  const inner = text.trim()
  if (inner === '') return text
  return within(text, mark + inner + mark)
}

/** `inner` with the white space around it that `text` has. */
function within(text: string, inner: string): string {
  const start = text.length - text.trimStart().length
  return text.slice(0, start) + inner + (start === text.length ? '' : text.slice(text.trimEnd().length))
}

function sameStart(url: string, shown: string): boolean {
  const bare = (address: string) => address.replace(/^https?:\/\/(www\.)?|^www\./i, '').replace(/\/$/, '')
  return bare(url).startsWith(bare(shown))
}

/** Lines without spaces at their ends, and no line that would end the paragraph. */
function tidy(text: string): string {
  return text
    .split('\n')
    .map((line) => line.replace(/[^\S\n]+/g, ' ').trim())
    .filter((line) => line !== '')
    .join('\n')
}

/** What would end a link in Markdown; all of it is ASCII. */
function percentEscape(char: string): string {
  return `%${char.charCodeAt(0).toString(16).padStart(2, '0').toUpperCase()}`
}

function longestRun(text: string): number {
  return (text.match(/`+/g) ?? []).reduce((longest, run) => Math.max(longest, run.length), 0)
}

function languageOf(classes: string | undefined): string {
  return /(?:^|\s)(?:language|lang|highlight-source)-([\w+#-]{1,30})/.exec(classes ?? '')?.[1] ?? ''
}
