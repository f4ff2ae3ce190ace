import { JSDOM } from 'jsdom'

/** What the HTML of a post may consist of. Written down apart from the renderer, so that each checks the other. */
const elements: Record<string, readonly string[]> = {
  A: ['href', 'rel', 'class', 'title'],
  BLOCKQUOTE: ['class', 'title'],
  BR: [],
  CODE: ['class'],
  DIV: ['class', 'role', 'tabindex', 'aria-label'],
  EM: [],
  H3: [],
  H4: [],
  H5: [],
  H6: [],
  HR: [],
  LI: ['class'],
  OL: ['start'],
  P: ['class', 'data-embed'],
  PRE: ['tabindex'],
  S: [],
  SPAN: ['class', 'role', 'aria-label', 'title'],
  STRONG: [],
  TABLE: [],
  TBODY: [],
  TD: ['class'],
  TH: ['class'],
  THEAD: [],
  TR: [],
  UL: [],
}

const mathElements = new Set(
  (
    'math mrow mi mn mo ms mtext mspace mfrac msqrt mroot msub msup msubsup munder mover munderover mmultiscripts ' +
    'mprescripts none mtable mtr mtd mstyle mpadded mphantom menclose'
  ).split(' '),
)
const mathAttributes = new Set(
  (
    'accent accentunder class columnalign depth display displaystyle fence form height largeop linethickness lspace ' +
    'mathbackground mathcolor mathsize mathvariant maxsize minsize movablelimits notation rspace scriptlevel separator ' +
    'stretchy symmetric voffset width'
  ).split(' '),
)

const values: Record<string, RegExp> = {
  href: /^(https?:\/\/[^/\\]|mailto:.|\/t\/[1-9A-HJ-NP-Za-km-z]{10}(\/\d+)?\/?$)/i,
  rel: /^nofollow ugc noopener$/,
  class:
    /^((hljs(-[a-z_-]+)?|language-[a-z0-9][a-z0-9+#.-]*|(function|class|inherited)_+|[a-z]+_+|math(-[a-z-]+)?|tml-[a-z-]+|mathcal|mathscr|upstrike|downstrike|sout|post-ref|citation|quotation|verified|unverified|image-link|embed|table|task(-box)?|align-(left|center|right))( |$))+$/,
  'data-embed': /^\d$/,
  tabindex: /^0$/,
  role: /^(group|img)$/,
  'aria-label': /^(Table|Done|To do)$/,
  start: /^\d{1,9}$/,
}

/** Reads HTML as a browser does and hands over its tree. */
export function createReader(): (html: string) => Element {
  const { document } = new JSDOM('<!doctype html><body></body>').window
  return (html) => {
    const holder = document.createElement('div')
    holder.innerHTML = html
    return holder
  }
}

/** Everything in a tree that is not on the list, in words; empty where all is well. */
export function violations(root: Element): string[] {
  const found: string[] = []
  for (const element of root.querySelectorAll('*')) {
    const math = element.namespaceURI === 'http://www.w3.org/1998/Math/MathML'
    const inHtml = element.namespaceURI === 'http://www.w3.org/1999/xhtml'
    // Within the text of a formula, browsers take MathML's own tags for unknown HTML: those names do nothing either.
    const asMath = math || (inHtml && mathElements.has(element.localName) && element.closest('math') !== null)
    if (
      asMath ? !mathElements.has(element.localName) : !inHtml || !Object.hasOwn(elements, element.tagName)
    ) {
      found.push(`<${element.tagName}> in ${String(element.namespaceURI)}`)
      continue
    }
    for (const { name, value } of element.attributes) {
      const listed = asMath ? mathAttributes.has(name) : elements[element.tagName]!.includes(name)
      if (!listed) found.push(`${name}= on <${element.tagName}>`)
      else if (values[name] && !values[name].test(value)) found.push(`${name}=${JSON.stringify(value)}`)
    }
  }
  const comments = root.ownerDocument.createTreeWalker(root, 128)
  if (comments.nextNode()) found.push('a comment')
  return found
}
