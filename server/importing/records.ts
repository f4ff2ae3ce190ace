/**
 * What every reader of another system's file makes of it: one kind of records, in whatever order the file has them, but
 * each thread before its first comment. Times are milliseconds since 1970.
 */
export type SourceRecord = SourceThread | SourceComment | SourceSkip

/** A text as the other system has it. `base` is what relative addresses in it start from. */
export type SourceText =
  | {
      html: string
      base?: string | undefined
      /** Line breaks of the text are line breaks to its readers, as in WordPress. */
      lines?: boolean
    }
  | { markdown: string }

/** `sourceId` is the same for all that one person wrote. The address, where it is told, is kept as a hash only. */
export interface SourceAuthor {
  sourceId: string
  name: string
  email?: string | undefined
}

/** One emoji. The names of those who chose it, as far as they are known; `count` counts the others too. */
export interface SourceReaction {
  emoji: string
  count: number
  by?: SourceAuthor[]
}

interface Written {
  author: SourceAuthor
  text: SourceText
  reactions?: SourceReaction[]
}

export interface SourceThread {
  kind: 'thread'
  sourceId: string
  line: number | null
  /** Absolute, or a path on the site that the comments come from. */
  url: string | null
  title: string
  createdAt: number | null
  /** Nobody could comment any more. */
  closed?: boolean
  /** What opens the thread, where that is a text of its own and not the page under discussion. */
  root?: Written | undefined
}

export interface SourceComment extends Written {
  kind: 'comment'
  sourceId: string
  line: number | null
  thread: string
  parent: string | null
  /** NaN where the source tells none that can be read. */
  createdAt: number
  editedAt?: number | null
  deleted?: boolean
}

/** A record that is not imported. `place` is where it stood: replies to it go to the nearest one above that is. */
export interface SourceSkip {
  kind: 'skip'
  sourceId: string | null
  line: number | null
  reason: Reason
  detail?: string | undefined
  place?: { thread: string; parent: string | null } | undefined
}

/** Why a record was left out, or what was changed about it. The text is what people read. */
export const reasons = {
  broken: 'it could not be read',
  'bad-date': 'it has no time that can be read',
  empty: 'it has no text',
  spam: 'it is marked as spam',
  unapproved: 'it was not approved',
  trash: 'it is in the trash',
  hidden: 'it was hidden by a moderator',
  deleted: 'it was deleted, and nobody replied to it',
  'not-a-comment': 'it is not a comment',
  'too-long': 'it is too long',
  'unknown-thread': 'its thread is not in the file',
  'thread-skipped': 'its thread was left out',
  'thread-deleted': 'the thread was deleted',
  'no-address': 'the address of its page is not known',
  'page-not-allowed': 'the site does not have its page',
  'parent-missing': 'what it replies to is not in the file: it now replies to the first post',
  'parent-skipped': 'what it replies to was left out: it now replies to the nearest post above',
  split: 'it is longer than a post may be: the rest follows in replies',
  'reactions-cut': 'it has more reactions than are taken over',
} as const
export type Reason = keyof typeof reasons
