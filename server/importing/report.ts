import fs from 'node:fs'
import { once } from 'node:events'
import { reasons, type Reason } from './records.ts'

export interface ReportEntry {
  /** Skipped records are not there afterwards; noted ones are, but not just as they were. */
  what: 'skipped' | 'noted'
  kind: 'thread' | 'comment'
  /** What the source calls it. */
  sourceId: string | null
  line: number | null
  reason: Reason
  detail?: string | undefined
}

export interface Counts {
  /** Threads that were made, and such that were there. */
  threadsMade: number
  threadsFound: number
  /** Posts that were written; `deleted` of them only keep a place. */
  posts: number
  deleted: number
  /** Comments that an earlier import had brought. */
  known: number
  authors: number
  reactions: number
  skipped: Partial<Record<Reason, number>>
  noted: Partial<Record<Reason, number>>
}

export interface Report {
  readonly counts: Counts
  add(entry: ReportEntry): void
}

export function createReport(write: (entry: ReportEntry) => void): Report {
  const counts: Counts = {
    threadsMade: 0,
    threadsFound: 0,
    posts: 0,
    deleted: 0,
    known: 0,
    authors: 0,
    reactions: 0,
    skipped: {},
    noted: {},
  }
  return {
    counts,
    add(entry) {
      const by = counts[entry.what]
      by[entry.reason] = (by[entry.reason] ?? 0) + 1
      write(entry)
    },
  }
}

/** `skipped comment 123 (line 45): it is marked as spam`. Control characters of the source do not reach the terminal. */
export function entryLine({ what, kind, sourceId, line, reason, detail }: ReportEntry): string {
  const name = sourceId === null ? '' : ` ${sourceId}`
  const at = line === null ? '' : ` (line ${line})`
  const text = `${what} ${kind}${name}${at}: ${reasons[reason]}${detail === undefined ? '' : `: ${detail}`}`
  return text.replace(/[\p{Cc}\p{Cf}\p{Surrogate}]/gu, '�')
}

/** What an import did, in a few lines. */
export function summary({ skipped, noted, ...counts }: Counts): string {
  const { threadsMade, threadsFound, posts, deleted, known, authors, reactions } = counts
  const lines = [
    `threads: ${threadsMade} new, ${threadsFound} there before`,
    `posts: ${posts} imported${deleted > 0 ? ` (${deleted} deleted ones among them, which keep their place)` : ''}, ${known} there before`,
    `authors: ${authors} new; reactions: ${reactions}`,
  ]
  for (const [title, by] of [
    ['skipped', skipped],
    ['noted', noted],
  ] as const) {
    for (const [reason, count] of Object.entries(by))
      lines.push(`${title}: ${count}, ${reasons[reason as Reason]}`)
  }
  return `${lines.join('\n')}\n`
}

/** The report as a JSON file, written as it grows and under its name once it is whole. Give `end` what else it says. */
export function openReportFile(file: string) {
  const draft = `${file}.part`
  const output = fs.createWriteStream(draft)
  let first = true
  // Without a listener an error would end the process before the import can say where it stands.
  let failure: Error | undefined
  output.on('error', (error) => (failure = error))
  output.write('{"records":[')
  return {
    write(entry: ReportEntry): void {
      output.write(`${first ? '' : ','}\n${JSON.stringify(entry)}`)
      first = false
    },
    async end(more: object): Promise<void> {
      output.end(`\n],${JSON.stringify(more).slice(1)}\n`)
      if (!output.closed) await once(output, 'close')
      if (failure) throw failure
      fs.renameSync(draft, file)
    },
  }
}
