import type { Transaction } from 'kysely'
import type { Tx } from './database.ts'
import type { Database } from './schema.ts'

/** What a post shows at one of its embeds: a link's preview, or a post. */
export type StoredEmbed = { link: string } | { thread: string; number: number }

/** The rows that say what a post embeds, in order. */
export function embedRows(thread: string, number: number, embeds: readonly StoredEmbed[]) {
  return embeds.map((embed, position) => ({
    thread_id: thread,
    number,
    position,
    link_id: 'link' in embed ? embed.link : null,
    target_thread: 'link' in embed ? null : embed.thread,
    target_number: 'link' in embed ? null : embed.number,
  }))
}

/** What the text of a post became. */
export interface Content {
  body: string
  html: string
  excerpt: string
  embeds: readonly StoredEmbed[]
}

/** Writes what posts embed. */
export async function insertEmbeds(tx: Transaction<Database>, rows: ReturnType<typeof embedRows>) {
  if (rows.length > 0) await tx.insertInto('post_embeds').values(rows).execute()
}

/** Who shows a link, a post, or without a number any post of a thread: posts to touch, by thread. */
export async function findEmbedders(
  db: Tx,
  what: { link: string } | { thread: string; number?: number },
): Promise<Map<string, number[]>> {
  const rows = await db
    .selectFrom('post_embeds')
    .select(['thread_id', 'number'])
    .distinct()
    .where((eb) =>
      'link' in what
        ? eb('link_id', '=', what.link)
        : eb.and([
            eb('target_thread', '=', what.thread),
            ...(what.number === undefined ? [] : [eb('target_number', '=', what.number)]),
          ]),
    )
    .orderBy('thread_id')
    .orderBy('number')
    .execute()
  const byThread = new Map<string, number[]>()
  for (const { thread_id, number } of rows)
    byThread.set(thread_id, [...(byThread.get(thread_id) ?? []), number])
  return byThread
}
