/**
 * What of a page its readers do not see. It is a place to hide words that are meant for a model, so it is left out
 * where the page itself says it is hidden. Style sheets in other files are not asked.
 */

/** Whether an element is hidden, with all that is in it. */
export function isHidden(name: string, attributes: Readonly<Record<string, string>>): boolean {
  if (attributes['hidden'] !== undefined || attributes['aria-hidden']?.trim().toLowerCase() === 'true')
    return true
  if (name === 'dialog' && attributes['open'] === undefined) return true
  return attributes['style'] !== undefined && hides(attributes['style'])
}

function hides(style: string): boolean {
  const said = declarations(style)
  const is = (property: string, value: RegExp) => value.test(said.get(property) ?? '')
  const colour = said.get('color')
  return (
    is('display', /^none$/) ||
    is('visibility', /^(hidden|collapse)$/) ||
    is('content-visibility', /^hidden$/) ||
    is('opacity', /^(?=.*\d)0*\.?0*%?$/) ||
    // Up to a pixel.
    is('font-size', /^(0|0?\.\d+|1)(px|pt|em|rem|%)?$/) ||
    is('font', /(^|\s)0(px|pt|em|rem|%)?([\s/]|$)/) ||
    is('color', /^transparent$|^rgba\(.*[,/]\s*0(\.0+)?%?\s*\)$/) ||
    (colour !== undefined &&
      (colour === said.get('background') || colour === said.get('background-color'))) ||
    is('transform', /scale[xy]?\(\s*0/) ||
    is('clip', /^rect\(\s*(0|1px)/) ||
    is('clip-path', /^inset\(\s*(50|100)%/) ||
    ['text-indent', 'left', 'right', 'top', 'margin-left', 'margin-top'].some((each) =>
      is(each, /^-\d{3,}/),
    ) ||
    (is('overflow', /^(hidden|clip)$/) &&
      ['height', 'width', 'max-height', 'max-width'].some((each) => is(each, /^[01](px)?$/)))
  )
}

function declarations(style: string): Map<string, string> {
  const said = new Map<string, string>()
  for (const each of style.toLowerCase().split(';')) {
    const at = each.indexOf(':')
    if (at === -1) continue
    const value = each
      .slice(at + 1)
      .replace('!important', '')
      .trim()
    if (value !== '') said.set(each.slice(0, at).trim(), value)
  }
  return said
}

/** Classes and ids that a page's own style sheet hides. */
export interface Hidden {
  readonly classes: ReadonlySet<string>
  readonly ids: ReadonlySet<string>
}

/**
 * Reads what simple rules say: `.name { display: none }`. A name that some rule shows again (for wide windows, or
 * together with another class) counts as shown, or more of a page would be lost than is hidden.
 */
export function hiddenByStyles(css: string): Hidden {
  const hidden = new Set<string>()
  const shown = new Set<string>()
  let depth = 0
  let from = 0
  let selector = ''
  const text = css.replace(/\/\*[^]*?(?:\*\/|$)/g, '')
  for (const { 0: brace, index } of text.matchAll(/[{}]/g)) {
    const between = text.slice(from, index)
    from = index + 1
    if (brace === '{') {
      depth++
      selector = between.slice(between.lastIndexOf(';') + 1)
      continue
    }
    const said = declarations(between)
    const display = said.get('display')
    if (display === 'none' || said.get('visibility') === 'hidden') {
      // Not what a rule for some media hides: printing may hide all that is worth reading.
      if (depth === 1)
        for (const each of selector.split(',')) if (/^[.#][\w-]+$/.test(each.trim())) hidden.add(each.trim())
    } else if (display !== undefined || said.get('visibility') === 'visible') {
      for (const [name] of selector.matchAll(/[.#][\w-]+/g)) shown.add(name)
    }
    selector = ''
    depth = Math.max(0, depth - 1)
  }
  const named = (mark: string) =>
    new Set([...hidden].filter((each) => each[0] === mark && !shown.has(each)).map((each) => each.slice(1)))
  return { classes: named('.'), ids: named('#') }
}
