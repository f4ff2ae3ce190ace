import type { Bus } from '../bus/bus.ts'
import { sqlState, transact, type Db } from '../store/database.ts'
import { publishAccountChange } from './changes.ts'
import { handOver } from './hand-over.ts'
import { accountTables } from './tables.ts'

/**
 * Gives what a guest wrote to the account that the guest has just signed up for or signed in to, and ends the guest's
 * sessions.
 */
export async function adoptGuest(
  { db, bus }: { db: Db; bus: Bus },
  guestId: string,
  userId: string,
): Promise<void> {
  await transact(db, async (tx) => {
    await handOver(tx, guestId, userId)
    await accountTables(tx).deleteFrom('sessions').where('user_id', '=', guestId).execute()
  })
  await removeGuest(db, guestId)
  await publishAccountChange(bus, { userId: guestId })
}

async function removeGuest(db: Db, guestId: string): Promise<void> {
  try {
    await db.deleteFrom('users').where('id', '=', guestId).where('kind', '=', 'guest').execute()
  } catch (error) {
    // A post that was on its way from another tab has come in since: it keeps its author.
    if (sqlState(error) !== '23503') throw error
  }
}
