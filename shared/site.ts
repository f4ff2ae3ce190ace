import * as z from 'zod/mini'
import { displayName, webUrl } from './http.ts'
import { limits } from './limits.ts'

/** Ids of sites are like those of threads. */
export const siteId = z.string().check(z.regex(/^[1-9A-HJ-NP-Za-km-z]{10}$/))

/**
 * Who may embed: an origin (`https://example.org`, with a port where it is not the scheme's own), or all hosts below one
 * (`https://*.example.org`, which is not that host itself).
 */
export const originPattern = z.string().check(
  z.maxLength(limits.originMax),
  z.overwrite((value: string) => asBrowsersWrite(value) ?? value),
  z.refine((value: string) => asBrowsersWrite(value) !== undefined, {
    error: ({ input }) =>
      `“${String(input)}” is not an origin such as https://example.org or https://*.example.org`,
  }),
)

/** Without the default port, and names of other scripts in their ASCII form; undefined for what is no pattern. */
function asBrowsersWrite(value: string): string | undefined {
  const [, scheme, wildcard = '', host] = /^(https?):\/\/(\*\.)?([^/?#@\\\s]+)\/?$/i.exec(value.trim()) ?? []
  if (host === undefined || !URL.canParse(`${scheme}://${host}`)) return undefined
  const url = new URL(`${scheme}://${host}`)
  // It is written into a header, so nothing may be in it that says something there. And nothing is below an address.
  if (!hostSyntax.test(url.host) || (wildcard !== '' && addressSyntax.test(url.hostname))) return undefined
  return `${url.protocol}//${wildcard}${url.host}`
}

const hostSyntax = /^(?:[a-z\d_-]+(?:\.[a-z\d_-]+)*|\[[\da-f:]+\])(?::\d+)?$/
const addressSyntax = /^\[|(?:^|\.)\d+$/

/** A host as addresses of pages hold it: small letters, ASCII, its port unless it is one that schemes imply. */
function asHost(value: string): string | undefined {
  const given = value.trim()
  const url = `http://${given.replace(/:443$/, '')}`
  if (!/^[^/?#@\\\s]+$/.test(given) || !URL.canParse(url)) return undefined
  const { host } = new URL(url)
  return hostSyntax.test(host) ? host : undefined
}

/** The first of the aliases that is none, in words. */
function wrongAlias(aliases: Record<string, string>): string | undefined {
  for (const [alias, host] of Object.entries(aliases)) {
    for (const name of [alias, host]) {
      if (asHost(name) === undefined) return `“${name}” is not the name of a host such as www.example.org`
    }
    // So that one step is enough, and none goes round in a circle.
    if (Object.hasOwn(aliases, host)) return `“${host}” cannot stand for ${alias}: it is an alias itself`
  }
  return undefined
}

/** What makes two addresses one page. Fragments and the scheme never count. */
export const pageRules = z.strictObject({
  /** Parameters of the query that name a page; all others are dropped. */
  keep: z._default(
    z.array(z.string().check(z.regex(/^[\w.~-]+$/), z.maxLength(60))).check(z.maxLength(20)),
    [],
  ),
  /** Other names (host, with its port if it has one) for hosts: the key is the alias. */
  aliases: z._default(
    z.record(z.string().check(z.maxLength(255)), z.string().check(z.maxLength(255))).check(
      z.overwrite((aliases: Record<string, string>) =>
        Object.fromEntries(
          Object.entries(aliases).map(([alias, host]) => [asHost(alias) ?? alias, asHost(host) ?? host]),
        ),
      ),
      z.refine((aliases) => Object.keys(aliases).length <= limits.originsPerSite, {
        error: `are more than ${limits.originsPerSite}`,
      }),
      z.refine((aliases) => wrongAlias(aliases) === undefined, {
        error: ({ input }) => wrongAlias(input as Record<string, string>) ?? '',
      }),
    ),
    {},
  ),
  /** Whether `/a/` and `/a` are one page. */
  trailingSlash: z._default(z.boolean(), true),
  /** Whether `/a/index.html` (or `.htm`, `.php`) and `/a/` are one page. */
  index: z._default(z.boolean(), true),
})
export type PageRules = z.infer<typeof pageRules>

export const themes = ['auto', 'light', 'dark'] as const
export const sorts = ['oldest', 'newest'] as const

/** How widgets of the site look where their elements say nothing else. */
export const siteDefaults = z.strictObject({
  theme: z._default(z.enum(themes), 'auto'),
  sort: z._default(z.enum(sorts), 'oldest'),
  collapsed: z._default(z.boolean(), false),
  readOnly: z._default(z.boolean(), false),
  locale: z._default(
    z.string().check(z.regex(/^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$|^$/), z.maxLength(35)),
    '',
  ),
})
export type SiteDefaults = z.infer<typeof siteDefaults>

const origins = z.array(originPattern).check(
  z.refine((list) => list.length > 0, { error: 'are needed: at least one' }),
  z.maxLength(limits.originsPerSite),
  z.overwrite((list: string[]) => [...new Set(list)]),
)

export const addSite = z.strictObject({
  name: displayName,
  origins,
  rules: z._default(pageRules, { keep: [], aliases: {}, trailingSlash: true, index: true }),
  defaults: z._default(siteDefaults, {
    theme: 'auto',
    sort: 'oldest',
    collapsed: false,
    readOnly: false,
    locale: '',
  }),
})
export type AddSite = z.input<typeof addSite>
export type NewSite = z.infer<typeof addSite>
/** What is left out stays as it is; rules and defaults are given whole. */
export const changeSite = z.strictObject({
  name: z.optional(displayName),
  origins: z.optional(origins),
  rules: z.optional(pageRules),
  defaults: z.optional(siteDefaults),
})
export type ChangeSite = z.input<typeof changeSite>
export type SiteChange = z.infer<typeof changeSite>

export const keyAlgorithms = ['HS256', 'EdDSA'] as const

/** A key that a site's server signs its people's tokens with. Of HS256 the server makes the secret; of EdDSA it gets the public key (PEM). */
export const addSiteKey = z.discriminatedUnion('algorithm', [
  z.strictObject({ algorithm: z.literal('HS256'), name: displayName }),
  z.strictObject({
    algorithm: z.literal('EdDSA'),
    name: displayName,
    publicKey: z.string().check(z.maxLength(limits.publicKeyMax)),
  }),
])
export type AddSiteKey = z.infer<typeof addSiteKey>

export const siteKey = z.object({
  id: z.string(),
  name: z.string(),
  algorithm: z.enum(keyAlgorithms),
  createdAt: z.string(),
})
export type SiteKey = z.infer<typeof siteKey>

export const site = z.object({
  id: siteId,
  name: z.string(),
  origins: z.array(z.string()),
  rules: pageRules,
  defaults: siteDefaults,
  keys: z.array(siteKey),
  threads: z.int(),
  createdAt: z.string(),
})
export type Site = z.infer<typeof site>

export const siteList = z.object({ sites: z.array(site) })
export const siteAnswer = z.object({ site })
/** `secret` is told this once. */
export const siteKeyAnswer = z.object({ key: siteKey, secret: z.optional(z.string()) })
export type NewSiteKey = z.infer<typeof siteKeyAnswer>

/** Makes the thread of a page, or finds it. */
export const openPage = z.strictObject({
  url: webUrl,
  title: z.optional(z.string().check(z.maxLength(2_000))),
})
export type OpenPage = z.infer<typeof openPage>

/** A session for a widget. `token` is a bearer token; `expiresAt` says until when it holds. */
export const widgetSession = z.object({
  user: z.object({
    id: z.string(),
    name: z.string(),
    kind: z.enum(['person', 'guest', 'ai']),
    role: z.enum(['guest', 'member', 'moderator', 'admin']),
  }),
  token: z.string(),
  expiresAt: z.string(),
})
export type WidgetSession = z.infer<typeof widgetSession>

/** A token (JWT) by which the host page's own server vouches for its reader. */
export const signInByToken = z.strictObject({
  site: siteId,
  token: z.string().check(z.maxLength(limits.tokenMax)),
})

/** A widget begins a sign-in in another window: the window gets the challenge, the secret stays with the widget. */
export const startPopup = z.strictObject({ host: originPattern })
export const popupStarted = z.object({ secret: z.string(), challenge: z.string(), expiresAt: z.string() })
export type PopupStarted = z.infer<typeof popupStarted>
/** The reader agrees in that window, and gets a code for the widget. */
export const grantPopup = z.strictObject({ challenge: z.string().check(z.maxLength(100)) })
export const popupGranted = z.object({ code: z.string(), expiresAt: z.string() })
export type PopupGranted = z.infer<typeof popupGranted>
export const finishPopup = z.strictObject({
  secret: z.string().check(z.maxLength(100)),
  code: z.string().check(z.maxLength(20)),
})
