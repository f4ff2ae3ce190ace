/**
 * What the loader in a host page and the widget's frame say to each other, and what both know of the frame's address.
 * Small on purpose: the loader is two kilobytes. A message is an object whose `numinex` names its type.
 */

/** Custom properties that a host page may set on the element or above it, and what each may hold. */
export const styleProperties = {
  '--numinex-accent': 'color',
  '--numinex-accent-text': 'color',
  '--numinex-background': 'color',
  '--numinex-surface': 'color',
  '--numinex-text': 'color',
  '--numinex-muted': 'color',
  '--numinex-line': 'color',
  '--numinex-font': 'font',
  '--numinex-font-size': 'length',
  '--numinex-radius': 'length',
} as const
export type StyleProperty = keyof typeof styleProperties
export type Styles = Partial<Record<StyleProperty, string>>

const longestStyle = 200
const styleValues: Record<(typeof styleProperties)[StyleProperty], RegExp> = {
  // Names, hex, and the functions that hold numbers only: nothing that could load or reach anything.
  color:
    /^(?:#[\da-f]{3,8}|[a-z]{3,30}|(?:rgb|hsl|hwb|lab|lch|oklab|oklch)a?\([\d\s.,%/+a-z-]{1,80}\)|color\([a-z\d\s.,%/-]{1,80}\))$/i,
  font: /^[\w\s"',-]+$/,
  length: /^\d{1,3}(?:\.\d{1,3})?(?:px|rem|em|%)?$/,
}

/** Those of the given properties that are on the list and hold what they may; everything else is left out. */
export function checkedStyles(given: unknown): Styles {
  const checked: Styles = {}
  if (typeof given !== 'object' || given === null) return checked
  for (const name of Object.keys(styleProperties) as StyleProperty[]) {
    const value = (given as Record<string, unknown>)[name]
    if (typeof value !== 'string' || value.length > longestStyle) continue
    if (styleValues[styleProperties[name]].test(value.trim())) checked[name] = value.trim()
  }
  return checked
}

type Check = (value: unknown) => boolean
const isText: Check = (value) => typeof value === 'string'
const isTextOrNull: Check = (value) => value === null || isText(value)
const isSize: Check = (value) => typeof value === 'number' && value >= 0 && value < 1e7
const isCount: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0
const isPlace: Check = (value) => typeof value === 'number' && Math.abs(value) < 1e7
const isFlag: Check = (value) => typeof value === 'boolean'
const isObject: Check = (value) => typeof value === 'object' && value !== null

/** Messages of the loader. Sizes are in CSS pixels. */
export const toFrame = {
  /** How it looks: `theme` is "light" or "dark". */
  look: { theme: isText, styles: isObject },
  /** Whether it is in view, and its turn to be live. */
  show: { live: isFlag },
  /** The token by which the host's server vouches for the reader; null when they signed out. */
  user: { token: isTextOrNull },
  /** Brings a post of the thread into view. */
  reveal: { number: isCount },
}

/** Messages of the frame. */
export const toHost = {
  /** Its script runs: it wants to be told everything. */
  hello: {},
  /** How high it is. */
  size: { height: isSize },
  /** It is there to be used. `posts` does not count the root of a page's own thread. */
  ready: { posts: isCount },
  count: { posts: isCount },
  /** The reader has posted. */
  posted: { thread: isText, number: isCount },
  /** Something went wrong that the host's developer should know of. */
  error: { code: isText, message: isText },
  /** The host's page should sign its reader in, or give a fresh token: `reason` is "wanted", "expired" or "refused". */
  'sign-in': { reason: isText },
  /** Scroll the page by so much: content above the view changed its height. */
  shift: { by: isPlace },
  /** Bring this part of the frame into view. */
  reveal: { top: isPlace, height: isSize },
}

type Shape = Record<string, Record<string, Check>>
interface Values {
  theme: 'light' | 'dark'
  styles: object
  live: boolean
  token: string | null
  number: number
  height: number
  posts: number
  thread: string
  code: string
  message: string
  reason: 'wanted' | 'expired' | 'refused'
  by: number
  top: number
}
export type MessageOf<S extends Shape> = {
  [T in keyof S]: { numinex: T } & { [F in keyof S[T]]: F extends keyof Values ? Values[F] : never }
}[keyof S]
export type ToFrame = MessageOf<typeof toFrame>
export type ToHost = MessageOf<typeof toHost>

/** The message, when it is one of `shape`. The sender's origin and window are checked before. */
export function parseMessage<S extends Shape>(shape: S, data: unknown): MessageOf<S> | undefined {
  const message = data as { numinex?: unknown } | null
  if (typeof message !== 'object' || message === null || typeof message.numinex !== 'string') return undefined
  if (!Object.hasOwn(shape, message.numinex)) return undefined
  const fields = shape[message.numinex]!
  for (const field in fields) {
    if (!fields[field]!((message as Record<string, unknown>)[field])) return undefined
  }
  return message as MessageOf<S>
}

/** Where the frame is, below the server's origin. */
export const framePath = '/embed/frame'

/**
 * Parameters of the frame's address. `host` is the origin of the page; either `thread` or `url` is there. What is left
 * out is as the site's admins chose.
 */
export interface FrameAddress {
  host: string
  thread?: string
  url?: string
  /** One branch only: that of this post. */
  post?: string
  title?: string
  theme?: 'light' | 'dark'
  /** JSON of `Styles`. */
  styles?: string
  locale?: string
  sort?: string
  /** "1" or "0". */
  collapsed?: string
  'read-only'?: string
  /** A post to bring into view, from the page's address: `#numinex-17`. */
  at?: string
}

/** Fragment of a host page's address that names a post of its thread. */
export const postFragment = /^#numinex-(\d{1,9})$/
