import { declarationsOf, type Declaration } from './article-css.ts'
import { pixelsOf } from './article-lengths.ts'

/**
 * What of a page its readers do not see. It is a place to hide words that are meant for a model, so it is left out
 * where the page itself says it is hidden. This is a sieve and no wall: style sheets in other files are not asked, nor how
 * a text looks before what is behind it.
 */

/** By property, whether it hides what it is said of. */
export type Effects = ReadonlyMap<string, boolean>

/** Whether an element is hidden, with all that is in it; `style` is what its own style does. */
export function isHidden(
  name: string,
  attributes: Readonly<Record<string, string>>,
  style: Effects,
): boolean {
  if (['hidden', 'inert', 'popover'].some((each) => attributes[each] !== undefined)) return true
  if (attributes['aria-hidden']?.trim().toLowerCase() === 'true') return true
  if (name === 'dialog' && attributes['open'] === undefined) return true
  return [...style.values()].includes(true)
}

/** What an element's own style does. */
export function effectsOfStyle(style: string | undefined): Effects {
  return effectsOf(style === undefined ? [] : declarationsOf(style))
}

/** Letters and whole elements up to this size are not there to be seen; in pixels, and parts of the whole. */
const tiny = { letter: 2, box: 1, opacity: 0.1, scale: 0.1 }
/** So far beside their place they are out of the window, in pixels: to the left and above, to the right and below. */
const away = { before: -300, behind: 1_000, below: 3_000 }

const isFar = (value: string) => {
  const pixels = pixelsOf(value)
  return pixels !== undefined && (pixels <= away.before || pixels >= away.behind)
}
const isFarDown = (value: string) => {
  const pixels = pixelsOf(value)
  return pixels !== undefined && (pixels <= away.before || pixels >= away.below)
}
const isAtMost = (value: string, most: number, percent?: number) => {
  const pixels = pixelsOf(value, percent)
  return pixels !== undefined && pixels <= most
}

/** Properties that hide by themselves. */
const hiding: Readonly<Record<string, (value: string) => boolean>> = {
  display: (value) => value === 'none',
  visibility: (value) => /^(hidden|collapse)$/.test(value),
  'content-visibility': (value) => value === 'hidden',
  opacity: (value) => isAtMost(value, tiny.opacity, 0.01),
  filter: (value) => {
    const given = /\bopacity\(([^()]*)\)/.exec(value)?.[1]
    return given !== undefined && isAtMost(given.trim(), tiny.opacity, 0.01)
  },
  'font-size': (value) => isAtMost(value, tiny.letter, 0.16),
  font: (value) => {
    const size = value.split(/[\s/]+/).find((each) => /^[+-]?[\d.]+[a-z%]|^[+-]?0*\.?0+$|^calc\(/.test(each))
    return size !== undefined && isAtMost(size, tiny.letter, 0.16)
  },
  'line-height': (value) => isAtMost(value, 0, 0.16),
  zoom: (value) => isAtMost(value, tiny.scale, 0.01),
  '-webkit-text-fill-color': isTransparent,
  transform: isTransformedAway,
  translate: (value) => value.split(/\s+/).some(isFar),
  scale: (value) => value.split(/\s+/).slice(0, 2).some(isScaledAway),
  clip: (value) => /^rect\(\s*(0|1px)/.test(value),
  'clip-path': isClippedAway,
  'text-indent': (value) => isFar(value) || (pixelsOf(value, 10) ?? 0) >= away.behind,
  left: isFar,
  right: isFar,
  top: isFarDown,
  bottom: isFarDown,
  'margin-left': isFar,
  'margin-right': isFar,
  'margin-top': isFarDown,
}

/** What declarations do. Of one property that is said twice, each counts: browsers pass over those that they cannot read. */
export function effectsOf(declarations: readonly Declaration[]): Effects {
  const effects = new Map<string, boolean>()
  const note = (property: string, hides: boolean) =>
    void effects.set(property, hides || effects.get(property) === true)
  for (const [property, value] of declarations) {
    if (Object.hasOwn(hiding, property)) note(property, hiding[property]!(value))
  }
  const said = new Map(declarations)
  const colour = said.get('color')
  if (colour !== undefined) {
    const asBehind = colour === said.get('background') || colour === said.get('background-color')
    note('color', asBehind || (declarations.some(isTransparentColour) && !showsBackground(said)))
  }
  const sizes = ['height', 'width', 'max-height', 'max-width'].flatMap((each) => said.get(each) ?? [])
  const cuts = ['overflow', 'overflow-x', 'overflow-y'].some((each) =>
    /^(hidden|clip)\b/.test(said.get(each) ?? ''),
  )
  if (sizes.length > 0 || said.has('overflow'))
    note('overflow', cuts && sizes.some((size) => isAtMost(size, tiny.box, 10)))
  return effects
}

const isTransparentColour = ([property, value]: Declaration) => property === 'color' && isTransparent(value)

/** Letters may be holes through which a picture is seen. */
function showsBackground(said: ReadonlyMap<string, string>): boolean {
  const clips = ['background-clip', '-webkit-background-clip'].some((each) => said.get(each) === 'text')
  const pictures = ['background', 'background-image'].map((each) => said.get(each) ?? '')
  return clips && pictures.some((each) => /gradient\(|url\(/.test(each))
}

function isTransparent(colour: string): boolean {
  if (colour === 'transparent' || /^#(?:[0-9a-f]{3}[01]|[0-9a-f]{6}[01][0-9a-f])$/.test(colour)) return true
  const given = /^(?:rgba?|hsla?|hwb|lab|lch|oklab|oklch|color)\((.*)\)$/.exec(colour)?.[1]
  const alpha = given?.includes('/') ? given.split('/')[1] : given?.split(',')[3]
  return alpha !== undefined && isAtMost(alpha.trim(), tiny.opacity, 0.01)
}

function isScaledAway(value: string): boolean {
  const by = pixelsOf(value, 0.01)
  return by !== undefined && Math.abs(by) <= tiny.scale
}

function isTransformedAway(transform: string): boolean {
  return [...transform.matchAll(/([a-z0-9]+)\(((?:[^()]|\([^()]*\))*)\)/g)].some(([, name, list = '']) => {
    const given = list.split(',').map((each) => each.trim())
    const [a, b, c, d, x, y] = given
    switch (name) {
      case 'scale':
      case 'scalex':
      case 'scaley':
      case 'scale3d':
        return given.slice(0, 2).some(isScaledAway)
      case 'translate':
      case 'translatex':
      case 'translatey':
      case 'translate3d':
        return given.slice(0, 2).some(isFar)
      case 'rotatex':
      case 'rotatey':
        return /^[+-]?(90|270)deg$|^[+-]?0?\.[27]5turn$/.test(a!)
      case 'matrix':
        return (
          (Number(a) === 0 && Number(b) === 0) ||
          (Number(c) === 0 && Number(d) === 0) ||
          isFar(x ?? '') ||
          isFar(y ?? '')
        )
      case undefined:
      default:
        return false
    }
  })
}

function isClippedAway(path: string): boolean {
  const [, shape, given = ''] = /^([a-z]+)\(([^)]*)/.exec(path) ?? []
  const numbers = given.split(/[\s,]+/).flatMap((each) => pixelsOf(each, 10) ?? [])
  const [top = 0, right = top, bottom = top, left = right] = numbers
  switch (shape) {
    case 'inset':
      return top + bottom >= away.behind || left + right >= away.behind
    case 'circle':
    case 'ellipse':
      return numbers.length > 0 && top <= tiny.box
    case 'polygon':
    case 'rect':
    case 'xywh':
      return numbers.length > 0 && numbers.every((each) => each === 0)
    case undefined:
    default:
      return false
  }
}
