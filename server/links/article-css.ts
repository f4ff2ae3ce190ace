/** As much of CSS as it takes to know what a page hides. What cannot be read is passed over, as browsers do. */

/** A property and its value, both in lower case. */
export type Declaration = readonly [name: string, value: string]

export interface Rule {
  /** What stands before each brace that it is in, the outermost first: at-rules, and then its selector. */
  readonly path: readonly string[]
  readonly declarations: readonly Declaration[]
}

/** The rules of a style sheet, in the order in which they end. Blocks that are left open end with it. */
export function rulesOf(css: string): Rule[] {
  const rules: Rule[] = []
  const open: { prelude: string; declarations: Declaration[] }[] = []
  const close = () => {
    const path = open.map(({ prelude }) => prelude)
    rules.push({ path, declarations: open.pop()!.declarations })
  }
  // Signs that hid style sheets from the browsers of the last century are passed over by those of today.
  for (const [text, mark] of cutAt(css.replace(/<!--|-->/g, ' '), '{};')) {
    if (mark === '{') {
      open.push({ prelude: text.trim(), declarations: [] })
      if (open.length > deepest) break
      continue
    }
    open.at(-1)?.declarations.push(...declarationsOf(text))
    if (mark === '}' && open.length > 0) close()
  }
  while (open.length > 0) close()
  return rules
}

/** Blocks in each other, which nobody writes by hand. */
const deepest = 16

export function declarationsOf(style: string): Declaration[] {
  return [...cutAt(style, ';')].flatMap(([text]): Declaration[] => {
    const at = text.indexOf(':')
    if (at === -1) return []
    const name = unescape(text.slice(0, at)).trim().toLowerCase()
    const value = unescape(text.slice(at + 1)).toLowerCase()
    return [[name, value.replace(/!\s*important\s*$/, '').trim()]]
  })
}

/** Cuts where one of the marks stands outside of strings and brackets. Comments are left out. The last piece has no mark. */
function* cutAt(css: string, marks: string): Generator<[text: string, mark: string | undefined]> {
  let text: string[] = []
  let brackets = 0
  for (const [token] of css.matchAll(tokens)) {
    if (token.startsWith('/*')) continue
    if (brackets === 0 && marks.includes(token)) {
      yield [text.join(''), token]
      text = []
      continue
    }
    if (token === '(' || token === '[') brackets++
    else if (token === ')' || token === ']') brackets = Math.max(0, brackets - 1)
    text.push(token)
  }
  yield [text.join(''), undefined]
}

const tokens =
  /\/\*[^]*?(?:\*\/|$)|\\[^]?|"(?:[^"\\\n]|\\[^])*"?|'(?:[^'\\\n]|\\[^])*'?|[{};,()[\]/]|[^\\"'/{};,()[\]]+/g

/** Any letter of CSS may be written by its number. */
export function unescape(text: string): string {
  return text.replace(/\\(?:([0-9a-f]{1,6})\s?|([^\n]))/gi, (_, hex: string | undefined, letter: string) => {
    if (hex === undefined) return letter
    const code = parseInt(hex, 16)
    return code === 0 || code > 0x10ffff ? '\ufffd' : String.fromCodePoint(code)
  })
}

/** A selector of an element's own tag, id and classes. */
export interface Compound {
  readonly tag: string | undefined
  readonly id: string | undefined
  readonly classes: readonly string[]
}

const identifier = String.raw`(?:[\w-]|[^\0-\x7f]|\\[0-9a-f]{1,6}\s?|\\[^\n])+`
const simpleSelector = new RegExp(`([.#]?)(${identifier})`, 'iy')
const outermost = /^(?:(?:html|body|:root)(?:\s*>\s*|\s+))+/i

/** Undefined where it asks for more. */
export function compoundOf(selector: string): Compound | undefined {
  const text = selector.trim().replace(outermost, '')
  let tag: string | undefined
  let id: string | undefined
  const classes: string[] = []
  simpleSelector.lastIndex = 0
  while (simpleSelector.lastIndex < text.length) {
    const at = simpleSelector.lastIndex
    const found = simpleSelector.exec(text)
    if (found === null) return undefined
    const name = unescape(found[2]!)
    if (found[1] === '.') classes.push(name)
    else if (found[1] === '#') id = name
    else if (at > 0) return undefined
    else tag = name.toLowerCase()
  }
  return text === '' ? undefined : { tag, id, classes }
}

/** The selectors of a list. */
export function selectorsOf(prelude: string): string[] {
  return [...cutAt(prelude, ',')].map(([each]) => each.trim())
}

/** The classes and ids that a selector speaks of, with their marks. */
export function namesIn(selector: string): string[] {
  return [...selector.matchAll(new RegExp(`[.#]${identifier}`, 'gi'))].map(([name]) => unescape(name))
}
