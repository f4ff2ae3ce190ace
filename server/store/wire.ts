import type { Author, Embed, LinkEmbed, Post, PostEmbed } from '../../shared/post.ts'
import type { Selectable } from 'kysely'
import type { Thread } from '../../shared/thread.ts'
import type { LinkRow, PostRow, ThreadsTable, UsersTable } from './schema.ts'

export type PostColumns = Pick<
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
> &
  AuthorColumns & {
    // Of the run that wrote it, if one did.
    run_id: string | null
    request: string | null
    reason: string | null
    asker_id: string | null
    asker_name: string | null
    asker_kind: UsersTable['kind'] | null
    asker_image: string | null
  }

/** The columns of the run that wrote a post; all of them null where none did. */
export const runColumns = [
  'run_id',
  'request',
  'reason',
  'asker_id',
  'asker_name',
  'asker_kind',
  'asker_image',
] as const satisfies (keyof PostColumns)[]

export type AuthorColumns = Pick<UsersTable, 'name' | 'kind' | 'image'> & { author_id: string }

/** An account as the author of something. People's pictures are not shown. */
export function toAuthor({ author_id: id, name, kind, image }: AuthorColumns): Author {
  return { id, name, kind, ...(kind === 'ai' && image !== null && { picture: image }) }
}

/** A row as the wire's post. */
export function toPost(row: PostColumns, reactions: Post['reactions'], embeds: Embed[] | undefined): Post {
  return {
    number: row.number,
    parent: row.parent,
    author: toAuthor(row),
    html: row.html,
    state: row.state,
    createdAt: row.created_at.toISOString(),
    editedAt: row.edited_at?.toISOString() ?? null,
    quote: row.quote_number === null ? null : { number: row.quote_number, text: row.quote_text },
    reactions,
    ...(embeds && { embeds }),
    seq: row.seq,
    ...(row.client_id !== null && { clientId: row.client_id }),
    ...(row.run_id !== null && toReply(row.run_id, row)),
  }
}

/** What a post tells of the run that wrote it. Of a deleted one, the asker's words are gone too. */
function toReply(run: string, row: PostColumns): Pick<Post, 'run' | 'asker' | 'request' | 'reason'> {
  const { state, request, reason, asker_id, asker_name, asker_kind, asker_image } = row
  if (state === 'deleted') return { run }
  return {
    run,
    // An agent outside asks itself.
    ...(asker_id !== null &&
      asker_id !== row.author_id && {
        asker: toAuthor({ author_id: asker_id, name: asker_name!, kind: asker_kind!, image: asker_image }),
      }),
    ...(request !== null && { request }),
    ...(reason !== null && { reason }),
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

export function toPostEmbed(
  row: {
    target_thread: string
    target_number: number
    state: PostRow['state'] | null
    excerpt: string
    thread_title: string
  } & AuthorColumns,
): PostEmbed {
  const target = { kind: 'post' as const, thread: row.target_thread, number: row.target_number }
  if (row.state === null || row.state === 'deleted') return { ...target, state: 'missing' }
  return {
    ...target,
    state: 'found',
    title: row.thread_title,
    author: toAuthor(row),
    excerpt: row.excerpt,
  }
}
