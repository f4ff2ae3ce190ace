import { apiKey } from '@better-auth/api-key'
import { betterAuth } from 'better-auth'
import { APIError, createAuthMiddleware } from 'better-auth/api'
import { anonymous, bearer, genericOAuth } from 'better-auth/plugins'
import type { Logger } from 'pino'
import type { Bus } from '../bus/bus.ts'
import type { Db } from '../store/database.ts'
import { databaseHooks } from './database-hooks.ts'
import { adoptGuest } from './guests.ts'
import { limits } from '../../shared/limits.ts'
import type { Role } from '../threads/access.ts'
import { accountLimits, keyPrefix, keyStartLength } from './limits.ts'
import { checkedName, guestName } from './names.ts'
import { columns } from './tables.ts'
import {
  isWidgetToken,
  roleInWidget,
  widgetPaths,
  widgetSessions,
  type WidgetSessionApi,
} from './widget-sessions.ts'

export interface AuthParts {
  readonly db: Db
  readonly bus: Bus
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>
  /** Where browsers find the server: its origin. */
  readonly publicUrl: string
  /** Signs sessions; at least 32 characters. */
  readonly secret: string
  /** Further origins that may sign people in with cookies; a function is asked for each request. */
  readonly trustedOrigins?: string[] | ((request?: Request) => string[])
  readonly oauth?: OAuthProviders
}

/** Where people may sign in besides here. */
export interface OAuthProviders {
  readonly github?: OAuthClient
  readonly google?: OAuthClient
  /** `discoveryUrl` is the provider's openid-configuration. It is fetched at the start, the only request made then. */
  readonly oidc?: OAuthClient & { readonly id: string; readonly name: string; readonly discoveryUrl: string }
}

export interface OAuthClient {
  readonly clientId: string
  readonly clientSecret: string
}

/** What of the auth library the rest of accounts uses. */
export interface Auth {
  handler(request: Request): Promise<Response>
  readonly api: WidgetSessionApi & {
    getSession(context: { headers: Headers; query?: { disableRefresh: true } }): Promise<unknown>
  }
}

/** The auth library over our own database connection. Makes no request and no query by itself, an OIDC provider's discovery aside. */
export function openAuth(parts: AuthParts): Auth {
  const { db, publicUrl, secret, oauth } = parts
  const auth: Auth = betterAuth({
    appName: 'Numinex',
    baseURL: publicUrl,
    basePath: '/api/auth',
    secret,
    trustedOrigins: trustedOrigins(parts),
    // A hook that runs inside the library's transaction must not ask `db`: the embedded database has one connection.
    database: { db, type: 'postgres', transaction: true },
    user: {
      ...columns.user,
      additionalFields: {
        kind: { type: 'string', input: false, required: false },
        role: { type: 'string', input: false, required: false },
        banned: { type: 'boolean', input: false, required: false },
        banExpires: { type: 'date', input: false, required: false, fieldName: 'ban_expires' },
      },
    },
    session: {
      ...columns.session,
      additionalFields: { siteId: { type: 'string', input: false, required: false, fieldName: 'site_id' } },
      expiresIn: accountLimits.sessionLifetime,
      updateAge: accountLimits.sessionRenewal,
    },
    account: columns.account,
    verification: columns.verification,
    emailAndPassword: {
      enabled: true,
      minPasswordLength: limits.passwordMin,
      maxPasswordLength: limits.passwordMax,
    },
    socialProviders: {
      ...(oauth?.github && { github: { ...oauth.github } }),
      ...(oauth?.google && { google: { ...oauth.google } }),
    },
    plugins: [
      guests(parts),
      bearer({ requireSignature: true }),
      apiKeys(),
      widgetSessions(),
      ...oidc(oauth?.oidc),
    ],
    hooks: {
      before: createAuthMiddleware(async ({ path, headers, context }) => {
        if (path === '/sign-in/anonymous')
          refuseForeignGuest(headers, (origin) => context.isTrustedOrigin(origin))
        if (!widgetPaths.has(path)) await refuseLesser(auth, path, headers)
      }),
      after: createAuthMiddleware(async ({ path, context, json }) => {
        const found = path === '/get-session' ? (context.returned as Found | null | undefined) : undefined
        return isWidgetToken(found?.session?.token) ? json(asInWidget(found!)) : undefined
      }),
    },
    databaseHooks: databaseHooks(parts),
    // Requests are limited by address before they come here; the library would have to trust forwarding headers.
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
    logger: { log: logTo(parts.log) },
    // What breaks inside is ours to log: the library would write it to standard error as it is.
    onAPIError: { throw: true },
    advanced: {
      cookiePrefix: 'numinex',
      useSecureCookies: publicUrl.startsWith('https:'),
      defaultCookieAttributes: { httpOnly: true, sameSite: 'lax' },
      disableOriginCheck: false,
      disableCSRFCheck: false,
      ipAddress: { disableIpTracking: true },
      database: { joins: true },
    },
  })
  return auth
}

function trustedOrigins({ trustedOrigins: more }: AuthParts) {
  // The library asks once without a request, when it starts.
  return typeof more === 'function' ? (request?: Request) => Promise.resolve(more(request)) : (more ?? [])
}

function guests(parts: AuthParts) {
  return anonymous({
    generateName: ({ body }) => {
      const name = (body as { name?: unknown } | undefined)?.name
      return name === undefined || name === null ? guestName() : checkedName(name)
    },
    // Guests whose posts stay must stay, so it is ours to say when one goes.
    disableDeleteAnonymousUser: true,
    onLinkAccount: async ({ anonymousUser, newUser }) => {
      if (newUser.user['kind'] === 'guest' || newUser.user.id === anonymousUser.user.id) return
      try {
        await adoptGuest(parts, anonymousUser.user.id, newUser.user.id)
      } catch (error) {
        // The account stands already: an error would hide that, and keep its owner from signing in.
        parts.log.error(
          { err: error, guest: anonymousUser.user.id, user: newUser.user.id },
          'guest not adopted',
        )
      }
    },
    schema: { user: { fields: { isAnonymous: 'is_anonymous' } } },
  })
}

function apiKeys() {
  return apiKey({
    defaultPrefix: keyPrefix,
    startingCharactersConfig: { shouldStore: true, charactersLength: keyStartLength },
    maximumNameLength: accountLimits.apiKeyNameMax,
    keyExpiration: { maxExpiresIn: accountLimits.apiKeyDays },
    // One set of rate limits, the server's own, holds for everyone.
    rateLimit: { enabled: false },
    schema: { apikey: columns.apiKey },
  })
}

function oidc(provider: OAuthProviders['oidc']) {
  if (provider === undefined) return []
  const { id, name, discoveryUrl, clientId, clientSecret } = provider
  return [
    genericOAuth({
      config: [
        {
          providerId: id,
          name,
          discoveryUrl,
          clientId,
          clientSecret,
          scopes: ['openid', 'profile', 'email'],
          requireIdTokenVerification: true,
        },
      ],
    }),
  ]
}

/** Other origins must not make a reader a guest; the library checks only requests that bear cookies. */
function refuseForeignGuest(headers: Headers | undefined, trusted: (origin: string) => boolean): void {
  const origin = headers?.get('origin')
  const foreign = origin ? !trusted(origin) : headers?.get('sec-fetch-site') === 'cross-site'
  if (foreign)
    throw new APIError('FORBIDDEN', { code: 'INVALID_ORIGIN', message: 'The origin is not trusted' })
}

/** Guests come and go: what would outlive their session is for those who signed up. */
const membersOnly = new Set(['/api-key/create', '/link-social'])

/** Refuses what the session in `headers` is not good for, a guest's or a widget's. */
async function refuseLesser(auth: Auth, path: string, headers = new Headers()): Promise<void> {
  if (!headers.has('authorization') && !headers.has('cookie')) return
  const found = (await auth.api.getSession({ headers, query: { disableRefresh: true } })) as Found | null
  if (isWidgetToken(found?.session?.token)) {
    throw new APIError('FORBIDDEN', { code: 'FORBIDDEN', message: 'Not from within a widget' })
  }
  if (found?.user.kind === 'guest' && membersOnly.has(path)) {
    throw new APIError('FORBIDDEN', { code: 'FORBIDDEN', message: 'Sign up first' })
  }
}

interface Found {
  session?: { token: string }
  user: { kind?: string; role: Role }
}

/** Widgets are told the role that their reader has there. */
function asInWidget(found: Found): Found {
  return { ...found, user: { ...found.user, role: roleInWidget(found.user.role) } }
}

/** Warnings and errors only, and of what comes along only errors: the rest may hold addresses and tokens. */
function logTo(log: AuthParts['log']) {
  return (level: string, message: string, ...rest: unknown[]): void => {
    const err = rest.find((value) => value instanceof Error)
    if (err !== undefined) log.error({ err }, message)
    else if (level === 'error' || level === 'warn') log.warn(message)
  }
}
