import { sql } from 'kysely'
import type { Logger } from 'pino'
import { accountTables } from '../accounts/tables.ts'
import type { Db } from '../store/database.ts'
import { signInLimits } from './sign-in-limits.ts'

const overdue = sql<boolean>`expires_at < now()`

/** Removes what signing in in widgets leaves behind and has run out: many sessions hold for an hour, and are not signed out of. */
export async function sweepSignIns(db: Db): Promise<void> {
  await db.deleteFrom('used_tokens').where(overdue).execute()
  await db.deleteFrom('sign_in_grants').where(overdue).execute()
  await accountTables(db).deleteFrom('sessions').where(overdue).execute()
}

/** Gives what is called at each sign-in, and sweeps now and then. It never throws. */
export function createSweeper({ db, log }: { db: Db; log: Pick<Logger, 'warn'> }): () => Promise<void> {
  let next = 0
  return async () => {
    if (Date.now() < next) return
    next = Date.now() + signInLimits.sweep * 1000
    await sweepSignIns(db).catch((error: unknown) =>
      log.warn({ err: error }, 'what has run out was not removed'),
    )
  }
}
