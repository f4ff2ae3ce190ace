import { createHash, randomBytes, randomInt } from 'node:crypto'
import { sql } from 'kysely'
import { Problem } from '../../shared/errors.ts'
import type { PopupGranted, PopupStarted } from '../../shared/site.ts'
import type { Db } from '../store/database.ts'
import { signInLimits } from './sign-in-limits.ts'

// A widget's reader signs in in a window of the server's own, which hands a code to the widget. The widget keeps a secret,
// whose hash, the challenge, the window is opened with. So neither the address of the window nor the code alone is worth
// anything: a session is given to who has the secret, by a reader who has seen the host's name and brought the code back.

/** Without what is easily taken for something else: 31 characters, so eight of them are some 40 bits. */
const alphabet = 'ABCDEFGHJKMNPQRSTUVWXYZ23456789'
const codeLength = 8
const secretBytes = 32
/** SHA-256 as base64url. What is not like it is not asked of the database, which takes no NUL. */
const challengeForm = /^[\w-]{43}$/

const after = (seconds: number) => sql<Date>`now() + make_interval(secs => ${seconds})`
const stillHolds = sql<boolean>`expires_at > now()`

/** Begins a sign-in for a widget in a page of the origin `host`. */
export async function startGrant(db: Db, host: string): Promise<PopupStarted> {
  const secret = randomBytes(secretBytes).toString('base64url')
  const challenge = hash(secret)
  const row = await db
    .insertInto('sign_in_grants')
    .values({ challenge, host, code: null, user_id: null, expires_at: after(signInLimits.popup) })
    .returning('expires_at')
    .executeTakeFirstOrThrow()
  return { secret, challenge, expiresAt: row.expires_at.toISOString() }
}

/** The origin of the page that a challenge's widget is in; undefined where there is no such sign-in, or no longer. */
export async function hostOfGrant(db: Db, challenge: string): Promise<string | undefined> {
  if (!challengeForm.test(challenge)) return undefined
  const row = await db
    .selectFrom('sign_in_grants')
    .select('host')
    .where('challenge', '=', challenge)
    .where(stillHolds)
    .where('attempts', '<', signInLimits.popupAttempts)
    .executeTakeFirst()
  return row?.host
}

/** The reader agrees; asking again gives another code. Throws `code-refused` where the sign-in has run out. */
export async function grant(db: Db, challenge: string, userId: string): Promise<PopupGranted> {
  if (!challengeForm.test(challenge)) throw ranOut()
  const code = Array.from({ length: codeLength }, () => alphabet[randomInt(alphabet.length)]).join('')
  const row = await db
    .updateTable('sign_in_grants')
    .set({
      code: codeHash(challenge, code),
      user_id: userId,
      expires_at: after(signInLimits.popupCode),
    })
    .where('challenge', '=', challenge)
    .where(stillHolds)
    .where('attempts', '<', signInLimits.popupAttempts)
    .returning('expires_at')
    .executeTakeFirst()
  if (row === undefined) throw ranOut()
  const half = codeLength / 2
  return { code: `${code.slice(0, half)}-${code.slice(half)}`, expiresAt: row.expires_at.toISOString() }
}

/**
 * Takes a code for the secret that its sign-in began with; each is good once. Throws `code-refused` for any other, for
 * the right one after too many wrong ones, and for one that has run out.
 */
export async function redeem(
  db: Db,
  secret: string,
  code: string,
): Promise<{ userId: string; host: string }> {
  const challenge = hash(secret)
  const given = codeHash(challenge, code.toUpperCase().replace(/[^A-Z0-9]/g, ''))
  // Counted before it is looked at, so that those who try many at once gain nothing.
  const tried = await db
    .updateTable('sign_in_grants')
    .set({ attempts: sql`attempts + 1` })
    .where('challenge', '=', challenge)
    .where('code', 'is not', null)
    .where(stillHolds)
    .where('attempts', '<', signInLimits.popupAttempts)
    .returning(['code', 'attempts'])
    .executeTakeFirst()
  if (tried === undefined) throw ranOut()
  if (tried.code !== given) throw wrong(signInLimits.popupAttempts - tried.attempts)
  // Of two that come at once, one removes it.
  const taken = await db
    .deleteFrom('sign_in_grants')
    .where('challenge', '=', challenge)
    .where('code', '=', given)
    .returning(['user_id', 'host'])
    .executeTakeFirst()
  // Whoever has a code has agreed, so the row names them.
  if (taken === undefined) throw ranOut()
  return { userId: taken.user_id!, host: taken.host }
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}

/** A code's hash is good for its own sign-in only. */
function codeHash(challenge: string, code: string): string {
  return hash(`${challenge} ${code}`)
}

function ranOut(): Problem {
  return new Problem('code-refused', { detail: 'This sign-in has run out. Begin anew in the comments.' })
}

function wrong(left: number): Problem {
  if (left === 0) return ranOut()
  return new Problem('code-refused', { detail: 'The code is not right. Look at it once more.' })
}
