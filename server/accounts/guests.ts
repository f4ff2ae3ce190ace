import { sql } from 'kysely'
import type { Bus } from '../bus/bus.ts'
import { sqlState, transact, type Db } from '../store/database.ts'
import { publishAccountChange } from './changes.ts'
import { accountTables } from './tables.ts'

/**
 * Gives what a guest wrote to the account that the guest has just signed up for or signed in to, and ends the guest's
 * sessions. A change of author takes no `seq`, for it is not a change of any thread's text: pages that are open show the
 * new name when they are next loaded.
 */
export async function adoptGuest(
  { db, bus }: { db: Db; bus: Bus },
  guestId: string,
  userId: string,
): Promise<void> {
  await transact(db, async (tx) => {
    // Client ids find the first row of a retried request. Where both used the same one, the account's own keeps it.
    await tx
      .updateTable('posts')
      .set({ client_id: null })
      .where('author_id', '=', guestId)
      .where('client_id', 'in', tx.selectFrom('posts').select('client_id').where('author_id', '=', userId))
      .execute()
    await tx.updateTable('posts').set({ author_id: userId }).where('author_id', '=', guestId).execute()
    await tx.updateTable('revisions').set({ editor_id: userId }).where('editor_id', '=', guestId).execute()
    // Both may have reacted alike to a post.
    await sql`
      insert into reactions (thread_id, number, emoji, user_id, created_at)
      select thread_id, number, emoji, ${userId}, created_at from reactions where user_id = ${guestId}
      on conflict do nothing`.execute(tx)
    await tx.deleteFrom('reactions').where('user_id', '=', guestId).execute()
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
