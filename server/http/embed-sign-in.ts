import {
  finishPopup,
  grantPopup,
  popupGranted,
  popupStarted,
  signInByToken as tokenRequest,
  startPopup,
  widgetSession,
} from '../../shared/site.ts'
import { Problem } from '../../shared/errors.ts'
import type { Identity } from '../accounts/accounts.ts'
import {
  finishPopupSignIn,
  grantPopupSignIn,
  signInByToken,
  startPopupSignIn,
  type WidgetSignInParts,
} from '../embedding/sign-in.ts'
import { createSweeper } from '../embedding/sweep.ts'
import type { Ctx } from './context.ts'
import type { RateLimits } from './rate-limits.ts'
import { route, type Route } from './route.ts'

export interface EmbedSignInParts extends WidgetSignInParts {
  readonly rates: RateLimits
  isOwnOrigin(origin: string, host: string | undefined): boolean
}

const at = '/api/embed/sign-in'

/** How readers sign in in widgets. */
export function embedSignInRoutes(parts: EmbedSignInParts): Route[] {
  const { rates, isOwnOrigin } = parts
  const sweep = createSweeper(parts)
  return [
    route({
      method: 'post',
      path: `${at}/token`,
      summary:
        'Signs in whom the server of the host page vouches for; a guest, by bearer token, keeps what they wrote',
      body: tokenRequest,
      status: 200,
      answer: widgetSession,
      problems: ['token-refused', 'site-not-found', 'banned'],
      // There is nothing to guess, and each widget of a page comes by itself.
      limit: 'auth',
      handle: async ({ body }, c) => {
        noStore(c)
        await sweep()
        return signInByToken(parts, body, await bearer(c))
      },
    }),
    route({
      method: 'post',
      path: `${at}/popup`,
      summary: 'Begins a sign-in in another window, for a widget in a page of the origin `host`',
      body: startPopup,
      status: 200,
      answer: popupStarted,
      problems: ['page-not-allowed'],
      limit: 'write',
      handle: async ({ body: { host } }, c) => {
        noStore(c)
        await rates.take('sign-in', c.get('address'))
        if (host.includes('*'))
          throw new Problem('invalid', { detail: '/host: must be the origin of a page' })
        await sweep()
        return startPopupSignIn(parts, host, isOwnOrigin(host, c.req.header('host')))
      },
    }),
    route({
      method: 'post',
      path: `${at}/grant`,
      summary: 'The reader, signed in on the site itself, agrees; the code is for the widget',
      body: grantPopup,
      status: 200,
      answer: popupGranted,
      problems: ['sign-in-required', 'forbidden', 'code-refused'],
      limit: 'write',
      handle: async ({ body }, c) => {
        noStore(c)
        return grantPopupSignIn(parts, body.challenge, await c.get('identify')())
      },
    }),
    route({
      method: 'post',
      path: `${at}/code`,
      summary:
        'Ends a sign-in in another window: the widget gives its secret and the code, and gets a session',
      body: finishPopup,
      status: 200,
      answer: widgetSession,
      problems: ['code-refused', 'banned'],
      limit: 'write',
      handle: async ({ body }, c) => {
        noStore(c)
        await rates.take('sign-in', c.get('address'))
        return finishPopupSignIn(parts, body, await bearer(c))
      },
    }),
  ]
}

/** Whom the widget was before. A cookie does not say: widgets have none. */
async function bearer(c: Ctx): Promise<Identity | null> {
  return c.req.header('authorization') === undefined ? null : await c.get('identify')()
}

/** These answers carry tokens. */
function noStore(c: Ctx): void {
  c.header('cache-control', 'no-store')
}
