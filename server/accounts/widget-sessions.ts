import { randomBytes } from 'node:crypto'
import { APIError, createAuthEndpoint } from 'better-auth/api'
import { setSessionCookie } from 'better-auth/cookies'
import * as z from 'zod'
import { Problem } from '../../shared/errors.ts'
import type { WidgetSession } from '../../shared/site.ts'
import { roles, type Role } from '../threads/access.ts'

// A widget's session lies in the storage of a frame in somebody else's page. So it is worth less than one of the site:
// it is for taking part in threads, and for nothing that would outlive or widen it.

/** What the token of a widget's session begins with. Other tokens are letters and digits only. */
const prefix = 'widget_'
const tokenBytes = 24

export interface WidgetSessionTerms {
  readonly userId: string
  /** The site that the widget is embedded in; null where it is in a page of our own. */
  readonly siteId: string | null
  /** How long it lasts, in seconds. It is never prolonged. */
  readonly seconds: number
}

export function isWidgetToken(token: string | undefined): boolean {
  return token?.startsWith(prefix) === true
}

/** What a person may do from within a widget: to moderate, but not to administrate. */
export function roleInWidget(role: Role): Role {
  return role === 'admin' ? 'moderator' : role
}

/** What of the auth library such a session may use. */
export const widgetPaths: ReadonlySet<string> = new Set(['/get-session', '/sign-out'])

/**
 * Makes the auth library make such sessions, for the server's own use. They are signed, looked up, ended and told of as
 * all others are.
 */
export function widgetSessions() {
  const createWidgetSession = createAuthEndpoint.serverOnly(
    {
      method: 'POST',
      body: z.object({ userId: z.string(), siteId: z.nullable(z.string()), seconds: z.number() }),
    },
    async (context) => {
      const { userId, siteId, seconds } = context.body
      const { internalAdapter } = context.context
      const user = await internalAdapter.findUserById(userId)
      if (user === null) throw new APIError('NOT_FOUND')
      const terms = {
        token: prefix + randomBytes(tokenBytes).toString('hex'),
        expiresAt: new Date(Date.now() + seconds * 1000),
        siteId,
      }
      const session = await internalAdapter.createSession(userId, false, terms, true)
      // The bearer plugin makes the token of this; nobody is sent the cookie.
      await setSessionCookie(context, { session, user })
      return { user, expiresAt: session.expiresAt }
    },
  )
  return { id: 'widget-sessions', endpoints: { createWidgetSession } }
}

/** The auth library with the above in it. */
export interface WidgetSessionApi {
  createWidgetSession(input: {
    body: WidgetSessionTerms
    returnHeaders: true
  }): Promise<{ headers: Headers | null | undefined; response: unknown }>
}

const made = z.object({
  user: z.object({
    id: z.string(),
    name: z.string(),
    kind: z.enum(['person', 'guest', 'ai']),
    role: z.enum(roles),
  }),
  expiresAt: z.date(),
})

/** Makes a session for a widget. Throws `banned`, `forbidden` for an AI participant, `not-found` for an unknown user. */
export async function openWidgetSession(
  api: WidgetSessionApi,
  terms: WidgetSessionTerms,
): Promise<WidgetSession> {
  const { headers, response } = await ask(api, terms)
  const { user, expiresAt } = made.parse(response)
  const token = headers?.get('set-auth-token')
  if (!token) throw new Error('the auth library gave no bearer token')
  return { user: { ...user, role: roleInWidget(user.role) }, token, expiresAt: expiresAt.toISOString() }
}

async function ask(api: WidgetSessionApi, terms: WidgetSessionTerms) {
  try {
    return await api.createWidgetSession({ body: terms, returnHeaders: true })
  } catch (error) {
    if (!(error instanceof APIError) || error.statusCode >= 500) throw error
    if (error.body?.code === 'BANNED') throw new Problem('banned', { cause: error })
    throw new Problem(error.statusCode === 404 ? 'not-found' : 'forbidden', { cause: error })
  }
}
