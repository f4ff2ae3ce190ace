import { createHash } from 'node:crypto'

/** Scripts and styles that stand within a page, each by its hash as a content policy names it (`hashOf`). */
export interface Inline {
  readonly scripts?: readonly string[]
  readonly styles?: readonly string[]
}

/** Names a text in a content policy: a script or style that says just this, and nothing else, may stand in the page. */
export function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`
}

/** What an answer says of itself that its security headers depend on. */
export interface Standing {
  /** Who may put it into a frame; nobody where it is undefined. */
  readonly frameAncestors?: string | undefined
  readonly inline?: Inline | undefined
}

/** Headers that a handler may have set in its own way. */
export const ownWay: ReadonlySet<string> = new Set([
  'content-security-policy',
  // A window that hands something back to its opener says so itself.
  'cross-origin-opener-policy',
  'cross-origin-resource-policy',
])

/**
 * Security headers of answers. Pages may load what this server serves and nothing else; scripts need to be files of ours,
 * or to say word for word what the page's policy names by its hash. Nobody may frame an answer unless its handler says who.
 */
export function securityHeadersOf(parts: {
  secure: boolean
  devClientUrl: string | undefined
}): (answer: Standing) => Readonly<Record<string, string>> {
  const { secure, devClientUrl: dev } = parts
  const devSockets = dev?.replace(/^http/, 'ws')
  /** Most answers have nothing inline, or what all pages have. */
  const known = new WeakMap<Inline, Readonly<Record<string, string>>>()
  const nothing: Inline = {}

  function make({ frameAncestors, inline }: Standing): Record<string, string> {
    const policy = [
      `default-src 'none'`,
      `script-src ${words(`'self'`, inline?.scripts, dev)}`,
      // Vite puts styles into the page while the client is developed. Hashes would forbid that.
      `style-src ${dev === undefined ? words(`'self'`, inline?.styles) : `'self' ${dev} 'unsafe-inline'`}`,
      `img-src 'self' data:`,
      `font-src 'self'`,
      `connect-src 'self'${dev === undefined ? '' : ` ${dev} ${devSockets}`}`,
      `manifest-src 'self'`,
      `form-action 'self'`,
      `base-uri 'none'`,
      `frame-ancestors ${frameAncestors ?? "'none'"}`,
    ].join('; ')
    const framed = frameAncestors !== undefined
    return {
      'content-security-policy': policy,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'strict-origin-when-cross-origin',
      ...(!framed && { 'x-frame-options': 'DENY' }),
      'cross-origin-opener-policy': 'same-origin',
      // A host page that asks for it of all that it holds may hold the frame, which holds nothing but files of ours.
      ...(framed && { 'cross-origin-embedder-policy': 'require-corp' }),
      'cross-origin-resource-policy': framed ? 'cross-origin' : 'same-origin',
      'permissions-policy': 'camera=(), microphone=(), geolocation=(), payment=(), usb=()',
      ...(secure && { 'strict-transport-security': 'max-age=31536000' }),
    }
  }

  return (answer) => {
    const { frameAncestors, inline = nothing } = answer
    if (frameAncestors !== undefined) return make(answer)
    let headers = known.get(inline)
    if (headers === undefined) known.set(inline, (headers = make(answer)))
    return headers
  }
}

function words(first: string, hashes: readonly string[] = [], last?: string): string {
  return [first, ...hashes, ...(last === undefined ? [] : [last])].join(' ')
}
