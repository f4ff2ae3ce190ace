import type { Generated, Selectable } from 'kysely'
import type { PostState } from '../../shared/post.ts'

/** Tables as the migrations leave them. bigint columns come as numbers: seqs and ids stay far below 2^53. */
export interface Database {
  users: UsersTable
  threads: ThreadsTable
  posts: PostsTable
  revisions: RevisionsTable
  reactions: ReactionsTable
  links: LinksTable
  post_embeds: PostEmbedsTable
}

/** What threads need to know of accounts; the accounts' own tables are in the accounts library's hands. */
export interface UsersTable {
  id: string
  name: string
  kind: 'person' | 'guest' | 'ai'
  role: 'guest' | 'member' | 'moderator' | 'admin'
  email: string
  banned: Generated<boolean>
  created_at: Generated<Date>
  updated_at: Generated<Date>
}

export interface ThreadsTable {
  id: string
  title: string
  url: string | null
  link_id: string | null
  locked: Generated<boolean>
  /** The version of the thread: the seq of its latest change. */
  seq: Generated<number>
  /** The seq of the latest change of the thread's own columns. */
  info_seq: Generated<number>
  /** The highest post number given out. */
  last_number: Generated<number>
  /** Posts that are not deleted. */
  post_count: Generated<number>
  created_at: Generated<Date>
  last_activity_at: Generated<Date>
}

export interface PostsTable {
  thread_id: string
  number: number
  parent: number | null
  author_id: string
  body: string
  html: string
  /** The beginning of the text without markup, for lists, feeds and live quotes. */
  excerpt: string
  state: PostState
  quote_number: number | null
  quote_text: string | null
  client_id: string | null
  created_at: Generated<Date>
  edited_at: Date | null
  /** The seq of this post's latest change of any kind. */
  seq: number
  /** The seq of the latest change of its text: an edit that saw an older one is refused. */
  body_seq: number
}

export interface RevisionsTable {
  thread_id: string
  number: number
  /** The seq that this text was written at. */
  seq: number
  body: string
  editor_id: string
  created_at: Generated<Date>
}

export interface ReactionsTable {
  thread_id: string
  number: number
  emoji: string
  user_id: string
  created_at: Generated<Date>
}

export interface LinksTable {
  /** SHA-256 of the normalised address, base64url. */
  id: string
  url: string
  state: 'pending' | 'found' | 'missing'
  title: string | null
  site: string | null
  description: string | null
  image_url: string | null
  checked_at: Date | null
}

export interface PostEmbedsTable {
  thread_id: string
  number: number
  /** The N of `data-embed="N"` in the post's html. */
  position: number
  link_id: string | null
  target_thread: string | null
  target_number: number | null
}

export type PostRow = Selectable<PostsTable>
export type LinkRow = Selectable<LinksTable>
