import { Parser } from 'htmlparser2'
import { parseHTML } from 'linkedom'
import { effectsOfStyle, isHidden, type Effects } from './article-hidden.ts'
import { sieveOf, type Sheet } from './article-styles.ts'
import { articleLimits } from './limits.ts'

export interface PageDocument {
  readonly document: Document
  readonly elements: number
  /** Pieces that the parser made of its text. */
  readonly pieces: number
}

/**
 * A document of what people can read of a page: without scripts, styles, controls, navigation and whatever is
 * hidden. A page of too many elements ends early.
 */
export function readDocument(html: string, options: { xhtml: boolean }): PageDocument {
  const { document } = parseHTML('<!doctype html><html><head></head><body></body></html>')
  const sheets: Sheet[] = []
  /** How much of style sheets may still be kept, in UTF-16 units. */
  let room: number = articleLimits.styleMax
  /** What the elements' own styles do, where they have any. */
  const own = new Map<Element, Effects>()
  let elements = 0
  let pieces = 0
  for (let rest = html; rest !== '';) rest = build(rest)
  if (sheets.length > 0) removeHidden(document, sheets, own)
  return { document, elements, pieces }

  /** Adds what `text` says, and gives what is to be read by a parser that has nothing open. */
  function build(text: string): string {
    /** The nodes of open elements; null for those that are left out. */
    const open: (Element | null)[] = []
    /** Text that is not in the document yet: the parser gives every odd character by itself. */
    const waiting: string[] = []
    let style: { media: string; pieces: string[] } | undefined
    let rest = ''
    const parent = () => (open.length > 0 ? open.at(-1)! : document.body)
    const flush = () => {
      if (waiting.length > 0) parent()?.append(waiting.join(''))
      waiting.length = 0
    }
    const parser = new Parser(
      {
        onopentag(name, attributes) {
          flush()
          const home = parent()
          style = name === 'style' ? { media: attributes['media'] ?? '', pieces: [] } : undefined
          open.push(home && place(name, attributes, home))
          if (elements >= articleLimits.elements) parser.pause()
          else if (open.length > articleLimits.depth) {
            // The parser takes longer for each tag the more are open. What is in something hidden stays hidden.
            if (open.at(-1)) rest = text.slice(parser.endIndex + 1)
            parser.pause()
          }
        },
        ontext(piece) {
          if (style && room > 0) {
            style.pieces.push(piece.slice(0, room))
            room -= piece.length
          }
          pieces++
          if (waiting.push(piece) >= articleLimits.joinedPieces) flush()
        },
        onclosetag() {
          flush()
          if (style && style.pieces.length > 0)
            sheets.push({ media: style.media, css: style.pieces.join('') })
          style = undefined
          open.pop()
        },
      },
      { recognizeSelfClosing: options.xhtml },
    )
    parser.write(text)
    if (rest === '' && elements < articleLimits.elements) parser.end()
    flush()
    return rest
  }

  /** The node for an element, put where it belongs. Null when it is left out. */
  function place(name: string, attributes: Record<string, string>, parent: Element): Element | null {
    // Pages that hide all of themselves do so until a script has run.
    if (name === 'html' || name === 'body') return document.body
    if (name === 'head') return document.head
    const effects = effectsOfStyle(attributes['style'])
    if (
      leftOut.has(name) ||
      leftOutRoles.has(attributes['role'] ?? '') ||
      isHidden(name, attributes, effects)
    )
      return null
    elements++
    const node = document.createElement(/^[a-z][a-z0-9-]*$/.test(name) ? name : 'span')
    for (const key of keptAttributes) {
      const value = attributes[key]
      if (value !== undefined) node.setAttribute(key, value)
    }
    const home = name === 'title' || name === 'meta' ? document.head : parent
    home.append(node)
    if (effects.size > 0) own.set(node, effects)
    return node
  }
}

function removeHidden(
  document: Document,
  sheets: readonly Sheet[],
  own: ReadonlyMap<Element, Effects>,
): void {
  const isHiddenByStyles = sieveOf(sheets)
  for (const element of document.body.querySelectorAll('*')) {
    const named = {
      tag: element.localName,
      id: element.getAttribute('id') ?? '',
      classes: (element.getAttribute('class') ?? '').split(/\s+/).filter((each) => each !== ''),
    }
    if (isHiddenByStyles(named, own.get(element) ?? nothing)) element.remove()
  }
}

const nothing: Effects = new Map()

const leftOut: ReadonlySet<string> = new Set([
  'applet',
  'audio',
  'base',
  'button',
  'canvas',
  'datalist',
  'embed',
  'frameset',
  'iframe',
  'input',
  'link',
  'map',
  'nav',
  'noembed',
  'noframes',
  'noscript',
  'object',
  'picture',
  'script',
  'select',
  'style',
  'svg',
  'template',
  'textarea',
  'video',
])

const leftOutRoles: ReadonlySet<string> = new Set(['menu', 'menubar', 'navigation', 'search'])

/** What the search for the article and the writing of its text ask for. */
const keptAttributes = [
  'alttext',
  'class',
  'content',
  'dir',
  'encoding',
  'href',
  'id',
  'itemprop',
  'lang',
  'name',
  'property',
  'rel',
  'role',
] as const
