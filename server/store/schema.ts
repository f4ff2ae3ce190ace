import type { Generated, JSONColumnType, Selectable } from 'kysely'
import type { Askers } from '../../shared/persona.ts'
import type { Manifest } from '../../shared/run.ts'
import type { PostState } from '../../shared/post.ts'
import type { PageRules, SiteDefaults } from '../../shared/site.ts'

/** Tables as the migrations leave them. bigint columns come as numbers: seqs and ids stay far below 2^53. */
export interface Database {
  users: UsersTable
  threads: ThreadsTable
  posts: PostsTable
  revisions: RevisionsTable
  reactions: ReactionsTable
  links: LinksTable
  post_embeds: PostEmbedsTable
  models: ModelsTable
  personas: PersonasTable
  runs: RunsTable
  ai_budgets: AiBudgetsTable
  articles: ArticlesTable
  sites: SitesTable
  site_keys: SiteKeysTable
  site_users: SiteUsersTable
  used_tokens: UsedTokensTable
  sign_in_grants: SignInGrantsTable
  imported_threads: ImportedThreadsTable
  imported_posts: ImportedPostsTable
  placeholders: PlaceholdersTable
}

/** What threads need to know of accounts; the accounts' own tables are in the accounts library's hands. */
export interface UsersTable {
  id: string
  name: string
  kind: 'person' | 'guest' | 'ai'
  role: 'guest' | 'member' | 'moderator' | 'admin'
  email: string
  /** Of an AI participant: one emoji. */
  image: string | null
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
  /** Of a page's thread: the site, and the page's address by the site's rules. */
  site_id: string | null
  page_key: string | null
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

export interface ModelsTable {
  id: string
  name: string
  provider: 'openai-compatible' | 'anthropic' | 'google'
  base_url: string | null
  model: string
  /** Encrypted. */
  api_key: string | null
  context_tokens: number
  /** Of a million tokens, in units of `currency`. */
  input_price: number | null
  output_price: number | null
  currency: Generated<string>
  created_at: Generated<Date>
}

export interface PersonasTable {
  user_id: string
  handle: string
  description: Generated<string>
  /** Null: as the program ships them for this handle. */
  instructions: string | null
  /** Null: the site's default model. */
  model_id: string | null
  askers: Generated<Askers>
  external: Generated<boolean>
  enabled: Generated<boolean>
  max_output_tokens: number
  context_tokens: number
  /** Rises with each change. */
  version: Generated<number>
  position: Generated<number>
  created_at: Generated<Date>
}

export interface RunsTable {
  id: string
  thread_id: string
  number: number
  persona_id: string
  persona_version: number
  asker_id: string | null
  client_id: string | null
  request: string | null
  since: number | null
  external: boolean
  model: Generated<string>
  offline: Generated<boolean>
  state: Generated<'streaming' | 'complete' | 'stopped' | 'interrupted' | 'failed'>
  reason: string | null
  stop_requested: Generated<boolean>
  /** The node that writes it; null for an agent outside. */
  owner: string | null
  /** Rises with each owner. */
  epoch: Generated<number>
  lease_until: Date
  /** The text so far; emptied when the post has it. */
  text: Generated<string>
  /** UTF-16 units of the text. */
  length: Generated<number>
  reasoning: string | null
  manifest: JSONColumnType<Manifest> | null
  input_tokens: number | null
  output_tokens: number | null
  usage_estimated: Generated<boolean>
  cost: number | null
  currency: string | null
  /** Tokens reserved for it, and the day (UTC, ISO) on which. */
  reserved: number
  day: string
  created_at: Generated<Date>
  first_text_at: Date | null
  ended_at: Date | null
}

export interface AiBudgetsTable {
  scope: string
  day: string
  reserved: Generated<number>
  spent: Generated<number>
}

export interface ArticlesTable {
  /** The id that the address has among links. */
  url_hash: string
  url: string
  title: string
  /** SHA-256 of the text, hex. */
  hash: string
  sections: JSONColumnType<{ heading: string | null; text: string }[]>
  fetched_at: Generated<Date>
}

export interface SitesTable {
  id: string
  name: string
  origins: JSONColumnType<string[]>
  rules: JSONColumnType<PageRules>
  defaults: JSONColumnType<SiteDefaults>
  /** Who writes the root posts of its pages' threads. */
  author_id: string
  created_at: Generated<Date>
}

export interface SiteKeysTable {
  id: string
  site_id: string
  name: string
  algorithm: 'HS256' | 'EdDSA'
  /** HS256: the secret, encrypted. EdDSA: the public key, PEM. */
  key: string
  created_at: Generated<Date>
}

export interface SiteUsersTable {
  site_id: string
  /** Whom the site's server means. */
  subject: string
  user_id: string
}

export interface UsedTokensTable {
  site_id: string
  token_id: string
  used_at: Generated<Date>
  expires_at: Date
}

export interface SignInGrantsTable {
  /** SHA-256 of the widget's secret. */
  challenge: string
  /** The origin of the page that the widget is in. */
  host: string
  /** SHA-256; null until the reader has agreed. */
  code: string | null
  user_id: string | null
  attempts: Generated<number>
  expires_at: Date
}

export interface ImportedThreadsTable {
  source: string
  source_id: string
  thread_id: string
}

export interface ImportedPostsTable {
  source: string
  source_id: string
  thread_id: string
  number: number
}

export interface PlaceholdersTable {
  source: string
  source_id: string
  /** The account that stands for this author, or since `claimed_at` the author's own. */
  user_id: string
  email_hash: string | null
  /** SHA-256 of the code by which its owner may claim it. */
  claim: string | null
  claim_expires_at: Date | null
  claimed_at: Date | null
}

export type PostRow = Selectable<PostsTable>
export type LinkRow = Selectable<LinksTable>
