import { updateThread } from '../store/threads.ts'
import type { ThreadParts } from './parts.ts'
import { refreshEmbedders } from './posts.ts'
import { publishChanges } from './publish.ts'

/** A link's preview arrived, or will not: everything that shows the link is shown anew. */
export async function linkSettled(
  parts: Pick<ThreadParts, 'db' | 'bus' | 'log'>,
  link: string,
): Promise<void> {
  await refreshEmbedders(parts, { link })
  const threads = await parts.db.selectFrom('threads').select('id').where('link_id', '=', link).execute()
  for (const { id } of threads) publishChanges(parts.bus, id, await updateThread(parts.db, id, {}))
}
