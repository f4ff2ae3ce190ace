import { sql } from 'kysely'
import type { Tx } from '../store/database.ts'

/**
 * Gives what one account wrote and how it reacted to another. A change of author takes no `seq`, for it is not a change of
 * any thread's text: pages that are open show the new name when they are next loaded.
 */
export async function handOver(tx: Tx, from: string, to: string): Promise<void> {
  // Client ids find the first row of a retried request. Where both used the same one, the account's own keeps it.
  await tx
    .updateTable('posts')
    .set({ client_id: null })
    .where('author_id', '=', from)
    .where('client_id', 'in', tx.selectFrom('posts').select('client_id').where('author_id', '=', to))
    .execute()
  await tx.updateTable('posts').set({ author_id: to }).where('author_id', '=', from).execute()
  await tx.updateTable('revisions').set({ editor_id: to }).where('editor_id', '=', from).execute()
  // Both may have reacted alike to a post.
  await sql`
    insert into reactions (thread_id, number, emoji, user_id, created_at)
    select thread_id, number, emoji, ${to}, created_at from reactions where user_id = ${from}
    on conflict do nothing`.execute(tx)
  await tx.deleteFrom('reactions').where('user_id', '=', from).execute()
}
