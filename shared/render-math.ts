import { Parser } from 'htmlparser2'
import temml from 'temml'

/**
 * TeX to MathML; null where the TeX has a mistake. What the translator makes is not trusted: only the elements,
 * attributes and values listed here get through, whatever a command may have put in. Style attributes, which our pages
 * forbid, become classes and MathML's own attributes where they carry meaning.
 */
export function renderMath(tex: string, display: boolean): string | null {
  try {
    return cleanMathml(temml.renderToString(tex, { ...settings, displayMode: display, throwOnError: true }))
  } catch {
    // A mistake in the TeX, or nesting too deep for the translator.
    return null
  }
}

// Sizes in em and pt, so that no formula can cover the page.
const settings = { trust: false, strict: false, maxExpand: 200, maxSize: [20, 240] as [number, number] }

const elements = new Set(
  (
    'math mrow mi mn mo ms mtext mspace mfrac msqrt mroot msub msup msubsup munder mover munderover mmultiscripts ' +
    'mprescripts none mtable mtr mtd mstyle mpadded mphantom menclose'
  ).split(' '),
)

const keyword = /^[a-z-]{1,30}$/
const length = /^[+-]?\d{0,4}(\.\d{1,6})?(em|ex|pt|px|cm|mm|mu|%)?$/
const colour = /^(#[0-9a-f]{3,8}|[a-z]{3,20})$/i

const attributes: Record<string, RegExp> = {
  accent: keyword,
  accentunder: keyword,
  columnalign: /^[a-z ]{1,100}$/,
  depth: length,
  display: /^block$/,
  displaystyle: keyword,
  fence: keyword,
  form: keyword,
  height: length,
  largeop: keyword,
  linethickness: length,
  lspace: length,
  mathbackground: colour,
  mathcolor: colour,
  mathsize: length,
  mathvariant: keyword,
  maxsize: length,
  minsize: length,
  movablelimits: keyword,
  notation: /^[a-z ]{1,60}$/,
  rspace: length,
  scriptlevel: /^[+-]?\d$/,
  separator: keyword,
  stretchy: keyword,
  symmetric: keyword,
  voffset: length,
  width: length,
}

/** The translator's classes that our style sheet knows. */
const classes = new Set(
  (
    'tml-display tml-left tml-right tml-tag tml-tageqn tml-jot tml-cancel upstrike downstrike sout tml-xcancel tml-overline ' +
    'tml-underline tml-fbox tml-vec tml-small mathcal mathscr'
  ).split(' '),
)

function cleanMathml(mathml: string): string {
  let html = ''
  const parser = new Parser(
    {
      onopentag(name, attribs) {
        if (elements.has(name)) html += `<${name}${cleanAttributes(attribs)}>`
      },
      ontext(text) {
        html += escape(text)
      },
      onclosetag(name) {
        if (elements.has(name)) html += `</${name}>`
      },
    },
    { xmlMode: true },
  )
  parser.end(mathml)
  return html
}

function cleanAttributes({ class: names = '', style = '', ...rest }: Record<string, string>): string {
  const kept = names.split(' ').filter((name) => classes.has(name))
  const attribs = Object.entries(rest)
  for (const declaration of style.split(';')) {
    const [property = '', value = ''] = declaration.split(':').map((part) => part.trim())
    if (property === 'color') attribs.push(['mathcolor', value])
    else if (property === 'background-color') attribs.push(['mathbackground', value])
    else kept.push(...classOfStyle(property, value))
  }
  let html = kept.length > 0 ? ` class="${kept.join(' ')}"` : ''
  for (const [name, value] of attribs) {
    if (Object.hasOwn(attributes, name) && attributes[name]!.test(value)) html += ` ${name}="${value}"`
  }
  return html
}

/** The few styles that a formula cannot be read right without: the rules of an array, frames, and columns set tight. */
function classOfStyle(property: string, value: string): string[] {
  const border = /^border(?:-(top|right|bottom|left))?$/.exec(property)
  if (border) return [border[1] === undefined ? 'math-box' : `math-rule-${border[1]}`]
  if (property === 'padding-left' || property === 'padding-right') {
    return Number.parseFloat(value) === 0
      ? [property === 'padding-left' ? 'math-tight-left' : 'math-tight-right']
      : []
  }
  if (property === 'width') return value === '100%' ? ['math-wide'] : value === '50%' ? ['math-half'] : []
  return property === 'font-weight' && value === 'bold' ? ['math-bold'] : []
}

function escape(text: string): string {
  return text.replace(/[&<>"]/g, (character) => escapes[character as keyof typeof escapes])
}
const escapes = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
