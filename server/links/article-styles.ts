import { compoundOf, namesIn, rulesOf, selectorsOf, type Compound, type Rule } from './article-css.ts'
import { effectsOf, type Effects } from './article-hidden.ts'
import { pixelsOf } from './article-lengths.ts'

/** A style sheet in a page. */
export interface Sheet {
  readonly css: string
  /** What its element says it is for; empty for everything. */
  readonly media: string
}

/** What a selector is asked about. */
export interface Named {
  readonly tag: string
  readonly id: string
  readonly classes: readonly string[]
}

/** Tells of an element whether its page's style sheets hide it; `own` is what its own style does. */
export type StyleSieve = (element: Named, own: Effects) => boolean

type Properties = Set<string>

/**
 * Reads what simple rules say: `p.name { display: none }`. A name that some rule shows again (for wide windows, or together
 * with another class) counts as shown, or more of a page would be lost than is hidden.
 */
export function sieveOf(sheets: readonly Sheet[]): StyleSieve {
  /** What hides, by the most telling part of its selector. */
  const hides = new Map<string, { compound: Compound; properties: Properties }[]>()
  /** Properties by which something is shown again, by class, id or tag. */
  const shows = new Map<string, Properties>()
  const rules = sheets.flatMap(({ css, media }) =>
    rulesOf(css).map(({ path, declarations }) => ({
      path: media.trim() === '' ? path : [`@media ${media}`, ...path],
      declarations,
    })),
  )
  const moving = shownByKeyframes(rules)

  for (const { path, declarations } of rules) {
    const conditions = path.slice(0, -1)
    const selector = path.at(-1)!
    if (
      selector.startsWith('@') ||
      conditions.some((each) => isForPrint(each) || /^@[\w-]*keyframes\b/i.test(each))
    )
      continue
    const effects = effectsOf(declarations)
    if (effects.size === 0) continue
    const spared = sparedBy(declarations, moving)
    const hidden = new Set(
      [...effects].flatMap(([property, hidden]) => (hidden && !spared(property) ? property : [])),
    )
    const shown = [...effects].flatMap(([property, hidden]) => (hidden ? [] : property))
    for (const each of selectorsOf(selector)) {
      const compound = compoundOf(each)
      if (hidden.size > 0 && compound && conditions.every(alwaysHolds)) note(compound, hidden)
      if (shown.length === 0) continue
      for (const name of compound?.id === undefined && compound?.classes.length === 0
        ? [compound.tag!]
        : namesIn(each))
        shows.set(name, new Set([...(shows.get(name) ?? []), ...shown]))
    }
  }

  function note(compound: Compound, properties: Properties): void {
    const { tag, id, classes } = compound
    const key = id !== undefined ? `#${id}` : classes.length > 0 ? `.${classes[0]}` : tag!
    const list = hides.get(key)
    if (list) list.push({ compound, properties })
    else hides.set(key, [{ compound, properties }])
  }

  return ({ tag, id, classes }, own) => {
    if (hides.size === 0) return false
    const names = [`#${id}`, ...classes.map((each) => `.${each}`)]
    const isShown = (property: string, by: readonly string[]) =>
      own.get(property) === false || by.some((name) => shows.get(name)?.has(property) === true)
    const hidesBy = (key: string, shownBy: readonly string[]) =>
      (hides.get(key) ?? []).some(
        ({ compound, properties }) =>
          (compound.tag === undefined || compound.tag === tag) &&
          (compound.id === undefined || compound.id === id) &&
          compound.classes.every((each) => classes.includes(each)) &&
          [...properties].some((property) => !isShown(property, shownBy)),
      )
    // What is said of a tag counts less than what is said of a name.
    return names.some((name) => hidesBy(name, names)) || hidesBy(tag, [tag, ...names])
  }
}

/** Printing may hide all that is worth reading. */
function isForPrint(condition: string): boolean {
  return (
    /^@media\b/i.test(condition) && /\bprint\b/i.test(condition) && !/\b(screen|all|not)\b/i.test(condition)
  )
}

/** Whether what is within holds in a window of some width. Other conditions are those of some readers alone. */
function alwaysHolds(condition: string): boolean {
  if (/^@(?:layer|supports|scope|starting-style)\b/i.test(condition)) return true
  const media = /^@media\b(.*)$/is.exec(condition)?.[1]?.toLowerCase()
  if (media === undefined) return false
  return media.split(',').some((query) =>
    query
      .split(/\band\b/)
      .map((each) => each.trim())
      .every((each) => {
        if (/^(?:only\s+)?(?:screen|all)$/.test(each)) return true
        const least =
          /^\(\s*min-width\s*:\s*([^)]*)\)$/.exec(each)?.[1] ??
          /^\(\s*width\s*>=?\s*([^)]*)\)$/.exec(each)?.[1]
        return least !== undefined && (pixelsOf(least.trim()) ?? Infinity) <= wideEnough
      }),
  )
}
/** Pixels that the windows of most readers have. */
const wideEnough = 800

/** Properties that keyframes show, by their name. */
function shownByKeyframes(rules: readonly Rule[]): ReadonlyMap<string, Properties> {
  const shown = new Map<string, Properties>()
  for (const { path, declarations } of rules) {
    const name = /^@[\w-]*keyframes\s+(\S+)/i.exec(path.at(-2) ?? '')?.[1]?.toLowerCase()
    if (name === undefined) continue
    const properties = [...effectsOf(declarations)].flatMap(([property, hides]) => (hides ? [] : property))
    shown.set(name, new Set([...(shown.get(name) ?? []), ...properties]))
  }
  return shown
}

/** What a rule hides for a moment only: until an animation has shown it, or until somebody opens it. */
function sparedBy(
  declarations: Rule['declarations'],
  moving: ReadonlyMap<string, Properties>,
): (property: string) => boolean {
  const names = declarations.flatMap(([property, value]) =>
    /^(-webkit-)?animation(-name)?$/.test(property) ? value.split(/[\s,]+/) : [],
  )
  const opens = declarations.some(([property]) => property.startsWith('transition'))
  return (property) =>
    (property === 'overflow' && opens) || names.some((name) => moving.get(name)?.has(property) === true)
}
