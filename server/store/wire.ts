import type { Embed, LinkEmbed, Post, PostEmbed } from '../../shared/post.ts'
import type { Selectable } from 'kysely'
import type { Thread } from '../../shared/thread.ts'
import type { LinkRow, PostRow, ThreadsTable, UsersTable } from './schema.ts'

type PostColumns = Pick<
  PostRow,
  | 'number'
  | 'parent'
  | 'html'
  | 'state'
  | 'created_at'
  | 'edited_at'
  | 'quote_number'
  | 'quote_text'
  | 'seq'
  | 'client_id'
> & { author_id: string; name: string; kind: UsersTable['kind'] }

/** A row as the wire's post. */
export function toPost(row: PostColumns, reactions: Post['reactions'], embeds: Embed[] | undefined): Post {
  return {
    number: row.number,
    parent: row.parent,
    author: { id: row.author_id, name: row.name, kind: row.kind },
    html: row.html,
    state: row.state,
    createdAt: row.created_at.toISOString(),
    editedAt: row.edited_at?.toISOString() ?? null,
    quote: row.quote_number === null ? null : { number: row.quote_number, text: row.quote_text },
    reactions,
    ...(embeds && { embeds }),
    seq: row.seq,
    ...(row.client_id !== null && { clientId: row.client_id }),
  }
}

type ThreadColumns = Pick<
  Selectable<ThreadsTable>,
  'id' | 'title' | 'url' | 'locked' | 'created_at' | 'link_id'
> & {
  // Of its link, which may be none.
  link_url: string | null
  link_title: string | null
} & { [K in 'state' | 'site' | 'description' | 'image_url']: LinkRow[K] | null }

/** A row of a thread and its link as the wire's thread. */
export function toThread(row: ThreadColumns): Thread {
  const { link_id: id, link_url: url, link_title: title, state, site, description, image_url } = row
  return {
    id: row.id,
    title: row.title,
    url: row.url,
    card:
      id === null ? null : toLinkEmbed({ id, url: url!, state: state!, title, site, description, image_url }),
    locked: row.locked,
    createdAt: row.created_at.toISOString(),
  }
}

/** The image goes through this server, by the link's id: the page's own host never learns who reads. */
export function toLinkEmbed(row: Omit<LinkRow, 'checked_at'>): LinkEmbed {
  return {
    kind: 'link',
    url: row.url,
    state: row.state,
    ...(row.title !== null && { title: row.title }),
    ...(row.site !== null && { site: row.site }),
    ...(row.description !== null && { description: row.description }),
    ...(row.image_url !== null && { image: `/api/links/${row.id}/image` }),
  }
}

export function toPostEmbed(row: {
  target_thread: string
  target_number: number
  state: PostRow['state'] | null
  excerpt: string
  author_id: string
  name: string
  kind: UsersTable['kind']
  thread_title: string
}): PostEmbed {
  const target = { kind: 'post' as const, thread: row.target_thread, number: row.target_number }
  if (row.state === null || row.state === 'deleted') return { ...target, state: 'missing' }
  return {
    ...target,
    state: 'found',
    title: row.thread_title,
    author: { id: row.author_id, name: row.name, kind: row.kind },
    excerpt: row.excerpt,
  }
}
