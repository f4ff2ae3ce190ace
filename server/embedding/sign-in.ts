import type { Logger } from 'pino'
import { Problem } from '../../shared/errors.ts'
import type { PopupGranted, PopupStarted, WidgetSession } from '../../shared/site.ts'
import type { Accounts, Identity } from '../accounts/accounts.ts'
import { adoptGuest } from '../accounts/guests.ts'
import { siteUser } from '../accounts/site-users.ts'
import type { Bus } from '../bus/bus.ts'
import { claimByEmail } from '../importing/claim.ts'
import type { Db } from '../store/database.ts'
import { verifyHostToken } from './host-tokens.ts'
import { grant, redeem, startGrant } from './popup-grants.ts'
import { signInLimits } from './sign-in-limits.ts'
import type { SiteKeys } from './site-keys.ts'
import type { Sites } from './sites.ts'
import { useToken } from './used-tokens.ts'

export interface WidgetSignInParts {
  readonly db: Db
  readonly bus: Bus
  readonly log: Pick<Logger, 'error' | 'warn'>
  readonly accounts: Pick<Accounts, 'openWidgetSession'>
  readonly sites: Pick<Sites, 'byOrigin'>
  readonly siteKeys: Pick<SiteKeys, 'of'>
}

/**
 * Signs in whom a site's server vouches for. What they wrote as the guest `before` comes with them, and what was imported
 * for the site under their address. Throws `token-refused` with what is wrong, `site-not-found`, and `banned`.
 */
export async function signInByToken(
  parts: WidgetSignInParts,
  { site, token }: { site: string; token: string },
  before: Identity | null,
): Promise<WidgetSession> {
  const { db, siteKeys } = parts
  const known = await db.selectFrom('sites').select('id').where('id', '=', site).executeTakeFirst()
  if (known === undefined) throw new Problem('site-not-found')
  const reader = await verifyHostToken({ keysOf: siteKeys.of, now: Date.now }, site, token)
  await useToken(db, site, reader)
  const userId = await siteUser(db, site, reader)
  const session = await open(parts, { userId, siteId: site, seconds: signInLimits.tokenSession }, before)
  const { email } = reader
  if (email !== undefined) {
    await afterwards(parts, userId, () => claimByEmail({ db }, { siteId: site, userId, email }))
  }
  return session
}

/** Begins a sign-in in another window. `ownHost`: the page is one of the server's own. Throws `page-not-allowed`. */
export async function startPopupSignIn(
  parts: WidgetSignInParts,
  host: string,
  ownHost: boolean,
): Promise<PopupStarted> {
  // Readers are shown this name, so it is none that a stranger could make up.
  if (!ownHost && (await parts.sites.byOrigin(host)) === undefined) throw new Problem('page-not-allowed')
  return startGrant(parts.db, host)
}

/**
 * The reader, signed in on the site itself, lets a widget be signed in too. Throws `sign-in-required` for nobody and for
 * guests, `forbidden` for who is no person with a session of the site, and `code-refused` when the time has run out.
 */
export async function grantPopupSignIn(
  { db }: Pick<WidgetSignInParts, 'db'>,
  challenge: string,
  identity: Identity | null,
): Promise<PopupGranted> {
  if (identity === null || identity.actor.kind === 'guest') {
    throw new Problem('sign-in-required', { detail: 'Sign in with an account first.' })
  }
  // Neither a key nor a widget makes another session out of its own.
  if (identity.sessionId === null || identity.inWidget === true || identity.actor.kind !== 'person') {
    throw new Problem('forbidden')
  }
  return grant(db, challenge, identity.actor.id)
}

/** The widget brings the code. Throws `code-refused` and `banned`. */
export async function finishPopupSignIn(
  parts: WidgetSignInParts,
  { secret, code }: { secret: string; code: string },
  before: Identity | null,
): Promise<WidgetSession> {
  const { userId, host } = await redeem(parts.db, secret, code)
  const siteId = (await parts.sites.byOrigin(host))?.id ?? null
  return open(parts, { userId, siteId, seconds: signInLimits.popupSession }, before)
}

async function open(
  { db, bus, log, accounts }: WidgetSignInParts,
  terms: Parameters<Accounts['openWidgetSession']>[0],
  before: Identity | null,
): Promise<WidgetSession> {
  const session = await accounts.openWidgetSession(terms)
  if (before?.actor.kind === 'guest') {
    await afterwards({ log }, terms.userId, () => adoptGuest({ db, bus }, before.actor.id, terms.userId))
  }
  return session
}

/** The session stands already, and its reader has come to write: what was theirs before must not stop them. */
async function afterwards(
  { log }: Pick<WidgetSignInParts, 'log'>,
  user: string,
  work: () => Promise<unknown>,
): Promise<void> {
  try {
    await work()
  } catch (error) {
    log.error({ err: error, user }, 'what was written before was not given to its author')
  }
}
