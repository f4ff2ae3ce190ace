/**
 * What the loader in a host page and the widget's frame say to each other, and what both know of the frame's address.
 * Small on purpose: the loader is two kilobytes. A message is an object whose `numinex` names its type.
 */

/** Custom properties that a host page may set on the element or above it, `--numinex-` before each. */
export const styleNames = 'accent accent-text background surface text muted line font font-size radius'.split(
  ' ',
)
export type Styles = Record<string, string>

const longestStyle = 200
const isStyle = {
  // Names, hex, and the functions that hold numbers only: nothing that could load or reach anything.
  color:
    /^(?:#[\da-f]{3,8}|[a-z]{3,30}|(?:rgb|hsl|hwb|lab|lch|oklab|oklch)a?\([\d\s.,%/+a-z-]{1,80}\)|color\([a-z\d\s.,%/-]{1,80}\))$/i,
  // Quotes in pairs: an open one would go on into what follows.
  font: /^(?:[\w\s,-]|"[\w\s-]*"|'[\w\s-]*')+$/,
  length: /^\d{1,3}(?:\.\d{1,4})?(?:px|rem|em|%)?$/,
}

/** Custom properties from values in the order of `styleNames`: those that hold what they may. */
export function checkedStyles(given: unknown): Styles {
  const checked: Styles = {}
  if (!Array.isArray(given)) return checked
  for (const [i, name] of styleNames.entries()) {
    const value = given[i] as unknown
    if (typeof value !== 'string' || value.length > longestStyle) continue
    const kind = name === 'font' ? 'font' : name === 'font-size' || name === 'radius' ? 'length' : 'color'
    if (isStyle[kind].test(value.trim())) checked[`--numinex-${name}`] = value.trim()
  }
  return checked
}

/** A message's fields, each by an example of its type. */
type Fields = Record<string, number | string | boolean | object>

/** Messages of the loader. */
export const toFrame = {
  /**
   * The page around the frame, whenever it is other than before: how it looks, whether the widget is near the view and has
   * its turn to be live, the token by which the host's server vouches for the reader (empty for nobody), and the fragment
   * of its address. `theme` is what the element wants ("light", "dark" or nothing), `scheme` what its surroundings are
   * ("light" or "dark"), `styles` values in the order of `styleNames`.
   */
  page: { theme: '', scheme: '', styles: [], live: true, token: '', hash: '' },
  /** Scroll so that this post begins `to` below the top of the window, where it is shown. `reveal` answers. */
  find: { number: 0, to: 0 },
} satisfies Record<string, Fields>

/** Messages of the frame; most of them are events of the element too. Sizes are in CSS pixels. */
export const toHost = {
  /** Its script runs: it wants to be told everything. */
  hello: {},
  /** How high it is. */
  size: { height: 0 },
  /** It is there to be used. `posts` does not count the root of a page's own thread. */
  ready: { posts: 0 },
  count: { posts: 0 },
  /** The reader has posted. */
  post: { thread: '', number: 0 },
  /** Something went wrong that the host's developer should know of. */
  error: { code: '', message: '' },
  /** The host's page should sign its reader in, or give a fresh token: `reason` is "wanted", "expired" or "refused". */
  signin: { reason: '' },
  /** Scroll the page by so much: content above the view changed its height. */
  shift: { by: 0 },
  /** Scroll so that what is at `top` in the frame is `to` below the top of the window. */
  reveal: { top: 0, to: 0 },
} satisfies Record<string, Fields>

type Shape = Record<string, Fields>
type Value<E> = E extends number ? number : E extends string ? string : E extends boolean ? boolean : unknown
export type MessageOf<S extends Shape> = {
  [T in keyof S]: { numinex: T } & { -readonly [F in keyof S[T]]: Value<S[T][F]> }
}[keyof S]
export type ToFrame = MessageOf<typeof toFrame>
export type ToHost = MessageOf<typeof toHost>

interface Named {
  numinex: string
  [field: string]: unknown
}

/** The message, when it is one of `shape`. The sender's origin and window are checked before. */
export function parseMessage<S extends Shape>(shape: S, data: unknown): MessageOf<S> | undefined {
  if (!Object.hasOwn(shape, (data as Named | null)?.numinex as string)) return undefined
  const fields = shape[(data as Named).numinex]!
  for (const field in fields) if (typeof (data as Named)[field] !== typeof fields[field]) return undefined
  return data as MessageOf<S>
}

/** Where the frame is, below the server's origin. */
export const framePath = '/embed/frame'

/** Widgets of one page that hold a connection at a time. */
export const liveWidgets = 8

/** Fragment of a host page's address that names a post of its thread. */
export const postFragment = /^#numinex-(\d{1,9})$/
