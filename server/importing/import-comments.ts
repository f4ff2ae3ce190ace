import { Problem } from '../../shared/errors.ts'
import { collect } from './collect.ts'
import { planThread } from './plan.ts'
import type { SourceRecord } from './records.ts'
import type { Report } from './report.ts'
import { openSpool, type Bundle, type WaitingComment } from './spool.ts'
import { findOrMakeThread, type TargetParts } from './target.ts'
import { findNumbers, writeComments } from './write-comments.ts'

export interface ImportCommentsParts extends TargetParts {
  readonly report: Report
  /** Told now and then how many records are read, and how many posts are written. */
  onProgress?(done: { read: number } | { written: number }): void
  /** Ends the import between two records or transactions; it is thrown, and running it again goes on. */
  readonly signal?: AbortSignal | undefined
}

export interface ImportFrom {
  /** Under which name its records are remembered: what came from it once does not come again. */
  source: string
  /** What paths of pages start from. */
  base?: string | undefined
}

/**
 * Imports the comments of another system. Nothing comes twice, whether from the same file or from a later one of the
 * same source; an import that was broken off goes on where it stood. Each batch is a transaction of its own.
 * Problems: invalid, where the file is broken: what was whole before is imported all the same.
 */
export async function importComments(
  parts: ImportCommentsParts,
  { source, base }: ImportFrom,
  records: AsyncIterable<SourceRecord>,
): Promise<void> {
  const { report } = parts
  const spool = await openSpool()
  try {
    let broken: Problem | undefined
    try {
      const onProgress = (read: number) => parts.onProgress?.({ read })
      await collect({ spool, report, onProgress, signal: parts.signal }, records, base)
    } catch (error) {
      if (!(error instanceof Problem) || parts.signal?.aborted === true) throw error
      broken = error
    }
    for await (const bundle of spool.bundles()) await importThread(parts, source, bundle)
    if (broken) throw broken
  } finally {
    await spool.close()
  }
}

async function importThread(parts: ImportCommentsParts, source: string, bundle: Bundle): Promise<void> {
  const { db, report } = parts
  const waiting = bundle.thread
  if (bundle.skipped !== undefined || waiting === undefined) {
    return skipAll(
      report,
      bundle.comments,
      bundle.skipped === undefined ? 'unknown-thread' : 'thread-skipped',
    )
  }
  // A page that nobody commented on gets its thread when somebody does.
  if (waiting.root === null && bundle.comments.every(({ deleted }) => deleted)) {
    return skipAll(report, bundle.comments, 'deleted')
  }
  const target = await findOrMakeThread(parts, source, {
    ...waiting,
    createdAt: waiting.createdAt ?? earliest(bundle.comments),
  })
  if ('skip' in target) {
    const { sourceId, line } = waiting
    const detail = target.detail ?? waiting.url ?? undefined
    report.add({
      what: 'skipped',
      kind: 'thread',
      sourceId,
      line,
      reason: target.skip,
      ...(detail !== undefined && { detail }),
    })
    return skipAll(report, bundle.comments, 'thread-skipped')
  }
  const { thread, made } = target
  report.counts[made ? 'threadsMade' : 'threadsFound']++
  if (made && target.rootIsText) report.counts.posts++

  if (!target.rootIsText && waiting.root) bundle.comments.unshift(rootAsComment(bundle))
  const numbers = await findNumbers(
    db,
    { source, thread },
    bundle.comments
      .flatMap(({ sourceId, parent }) => [sourceId, ...(parent === null ? [] : [parent])])
      .concat(bundle.gaps.map(({ sourceId }) => sourceId)),
  )
  const { comments, dropped } = planThread(bundle, (sourceId) => numbers.has(sourceId))
  skipAll(report, dropped, 'deleted')
  await writeComments(
    { ...parts, onProgress: (written) => parts.onProgress?.({ written }) },
    { source, thread },
    comments,
  )
}

/** The text that opened a thread, where the thread's first post is its page. */
function rootAsComment({ sourceId, thread, comments }: Bundle): WaitingComment {
  const { line, createdAt, root } = thread!
  return {
    ...root!,
    kind: 'comment',
    sourceId,
    line,
    thread: sourceId,
    parent: null,
    createdAt: createdAt ?? earliest(comments) ?? Date.now(),
    editedAt: null,
    deleted: false,
  }
}

function earliest(comments: readonly WaitingComment[]): number | null {
  return comments.reduce<number | null>(
    (least, { createdAt }) => Math.min(least ?? createdAt, createdAt),
    null,
  )
}

function skipAll(
  report: Report,
  comments: readonly WaitingComment[],
  reason: 'unknown-thread' | 'thread-skipped' | 'deleted',
): void {
  for (const { sourceId, line } of comments)
    report.add({ what: 'skipped', kind: 'comment', sourceId, line, reason })
}
