import type { Transaction } from 'kysely'
import { limits } from '../../shared/limits.ts'
import { excerpt } from '../../shared/markdown.ts'
import type { Ref } from '../../shared/markdown-embeds.ts'
import type { StoredEmbed } from '../store/content.ts'
import type { Database } from '../store/schema.ts'
import type { Renderer } from '../threads/render.ts'

export type Tx = Transaction<Database>

/** Makes rows for links within a transaction, and returns their ids in order. */
export type EnsureLinks = (tx: Tx, urls: readonly string[]) => Promise<string[]>

/** A body as it is stored, but for the rows of its links, which come within the transaction. */
export interface Prepared {
  body: string
  html: string
  excerpt: string
  refs: readonly Ref[]
}

export function prepare(render: Renderer, body: string, thread: string): Prepared {
  const { html, text, refs } = render(body, { thread })
  return { body, html, excerpt: excerpt(text, limits.excerptMax), refs }
}

/** The embeds of several bodies, with one look at the links of all. */
export async function embedsOf(
  tx: Tx,
  ensureLinks: EnsureLinks,
  prepared: readonly Prepared[],
): Promise<StoredEmbed[][]> {
  const urls = prepared.flatMap(({ refs }) => refs.flatMap((ref) => (ref.kind === 'link' ? [ref.url] : [])))
  const unique = [...new Set(urls)]
  const ids = new Map((await ensureLinks(tx, unique)).map((id, index) => [unique[index]!, id]))
  return prepared.map(({ refs }) =>
    refs.map((ref) =>
      ref.kind === 'link' ? { link: ids.get(ref.url)! } : { thread: ref.thread, number: ref.number },
    ),
  )
}
