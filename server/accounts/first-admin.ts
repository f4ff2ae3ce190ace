import { sql } from 'kysely'
import type { Tx } from '../store/database.ts'

/**
 * Makes the first account that signed up admin, once and for all: the key of the settings row is the claim, so of two
 * sign-ups at once only one gets it. It goes to the oldest account that can sign in, not to the caller's: should the server stop
 * between a sign-up and this, the next sign-up settles it for the right one.
 */
export async function appointFirstAdmin(db: Tx): Promise<void> {
  await sql`
    with claim as (
      insert into settings (key, value)
      select 'first-admin', users.id
      from users
      where users.kind = 'person' and exists (select from accounts where accounts.user_id = users.id)
      order by users.created_at, users.id
      limit 1
      on conflict do nothing
      returning value
    )
    update users set role = 'admin' from claim where users.id = claim.value`.execute(db)
}
