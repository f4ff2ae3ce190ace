import { webUrl } from '../../shared/http.ts'
import { storable } from '../../shared/http.ts'
import { escapeReferences } from './html-escape.ts'
import { htmlToMarkdown } from './html-to-markdown.ts'
import { importLimits } from './limits.ts'
import type {
  SourceAuthor,
  SourceComment,
  SourceReaction,
  SourceRecord,
  SourceSkip,
  SourceText,
  SourceThread,
} from './records.ts'
import type { Report } from './report.ts'
import type { Spool, WaitingAuthor, WaitingReaction, WaitingThread } from './spool.ts'
import { emailHash, idOf, nameOf, plausibleTime, titleOf } from './values.ts'

/**
 * Takes the records of a source as they come: checks and cleans them, makes Markdown of their texts, and puts them where
 * they wait. What cannot be imported is reported, and leaves its place for those that depend on it.
 * `base` is the address of the site that paths start from.
 */
export async function collect(
  parts: {
    spool: Spool
    report: Report
    onProgress?(read: number): void
    signal?: AbortSignal | undefined
  },
  records: AsyncIterable<SourceRecord>,
  base: string | undefined,
): Promise<void> {
  const { spool, report } = parts
  let read = 0
  for await (const record of records) {
    parts.signal?.throwIfAborted()
    if (record.kind === 'thread') await spool.add(waitingThread(record, base))
    else if (record.kind === 'skip') await leaveOut(record)
    else await takeComment(record)
    if (++read % 1_000 === 0) parts.onProgress?.(read)
  }

  async function takeComment(record: SourceComment): Promise<void> {
    const { sourceId, line, thread, parent, deleted = false } = record
    const skip = (reason: SourceSkip['reason']) =>
      leaveOut({ kind: 'skip', sourceId, line, reason, place: { thread, parent } })
    const createdAt = plausibleTime(record.createdAt)
    if (Number.isNaN(createdAt)) return await skip('bad-date')
    if (lengthOf(record.text) > importLimits.recordMax) return await skip('too-long')
    const body = deleted ? '' : bodyOf(record.text)
    if (body === '' && !deleted) return await skip('empty')
    const editedAt = plausibleTime(record.editedAt ?? NaN)
    await spool.add({
      kind: 'comment',
      sourceId: idOf(sourceId),
      line,
      thread: idOf(thread),
      parent: parent === null ? null : idOf(parent),
      author: waitingAuthor(record.author),
      body,
      createdAt,
      editedAt: editedAt > createdAt && !deleted ? editedAt : null,
      deleted,
      reactions: deleted ? [] : waitingReactions(record.reactions),
    })
  }

  async function leaveOut({ sourceId, line, reason, detail, place }: SourceSkip): Promise<void> {
    const kind = reason === 'thread-deleted' ? 'thread' : 'comment'
    report.add({ what: 'skipped', kind, sourceId, line, reason, ...(detail !== undefined && { detail }) })
    if (sourceId === null) return
    const id = idOf(sourceId)
    if (kind === 'thread') await spool.add({ kind: 'gap', sourceId: id, thread: id, parent: null, reason })
    else if (place && idOf(place.thread) !== id) {
      const parent = place.parent === null ? null : idOf(place.parent)
      await spool.add({ kind: 'gap', sourceId: id, thread: idOf(place.thread), parent, reason })
    }
  }
}

function waitingThread(record: SourceThread, base: string | undefined): WaitingThread {
  const { root } = record
  const url = absolute(record.url, base)
  const createdAt = plausibleTime(record.createdAt ?? NaN)
  const body = root && lengthOf(root.text) <= importLimits.recordMax ? bodyOf(root.text) : ''
  return {
    kind: 'thread',
    sourceId: idOf(record.sourceId),
    line: record.line,
    url,
    title: titleOf(record.title),
    createdAt: Number.isNaN(createdAt) ? null : createdAt,
    closed: record.closed ?? false,
    root:
      root && body !== ''
        ? { author: waitingAuthor(root.author), body, reactions: waitingReactions(root.reactions) }
        : null,
  }
}

function absolute(url: string | null, base: string | undefined): string | null {
  if (url === null || !URL.canParse(url, base)) return null
  const parsed = webUrl.safeParse(new URL(url, base).href)
  return parsed.success ? parsed.data : null
}

function lengthOf(text: SourceText): number {
  return 'html' in text ? text.html.length : text.markdown.length
}

function bodyOf(text: SourceText): string {
  if ('html' in text) return htmlToMarkdown(text)
  return storable(escapeReferences(text.markdown)).trim()
}

function waitingAuthor({ sourceId, name, email }: SourceAuthor): WaitingAuthor {
  return {
    sourceId: idOf(sourceId) || 'unknown',
    name: nameOf(name),
    emailHash: email === undefined || !email.includes('@') ? null : emailHash(email),
  }
}

function waitingReactions(reactions: readonly SourceReaction[] = []): WaitingReaction[] {
  return reactions
    .filter(({ count }) => count > 0)
    .map(({ emoji, count, by = [] }) => ({ emoji, count, by: by.map(waitingAuthor) }))
}
