import { createHash } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import readline from 'node:readline'
import { importLimits } from './limits.ts'
import type { Reason, SourceReaction } from './records.ts'

/** Authors as they wait: the address of mail is a hash by now. */
export interface WaitingAuthor {
  sourceId: string
  name: string
  emailHash: string | null
}

export interface WaitingReaction extends Omit<SourceReaction, 'by'> {
  by: WaitingAuthor[]
}

/** A thread that waits for its comments. */
export interface WaitingThread {
  kind: 'thread'
  sourceId: string
  line: number | null
  url: string | null
  title: string
  createdAt: number | null
  closed: boolean
  root: { author: WaitingAuthor; body: string; reactions: WaitingReaction[] } | null
}

export interface WaitingComment {
  kind: 'comment'
  sourceId: string
  line: number | null
  thread: string
  parent: string | null
  author: WaitingAuthor
  body: string
  createdAt: number
  editedAt: number | null
  deleted: boolean
  reactions: WaitingReaction[]
}

/** A thread or comment that is left out, for those that depend on it. */
export interface Gap {
  kind: 'gap'
  sourceId: string
  thread: string
  parent: string | null
  reason: Reason
}

export type Waiting = WaitingThread | WaitingComment | Gap

/** What is known of one thread of the source: all of it, in the order of the file. */
export interface Bundle {
  sourceId: string
  thread: WaitingThread | undefined
  /** Why the thread was left out, if it was. */
  skipped: Reason | undefined
  comments: WaitingComment[]
  gaps: Gap[]
}

export interface Spool {
  add(record: Waiting): Promise<void>
  /** All threads, one at a time. Nothing can be added any more. */
  bundles(): AsyncGenerator<Bundle, void, void>
  /** Takes the files away. */
  close(): Promise<void>
}

/**
 * Where the records of a file wait until all of it is read: a thread's comments may lie anywhere in it, and stand in no
 * order. They are kept in files by thread, so that only one of those is held in memory at a time.
 */
export async function openSpool(): Promise<Spool> {
  const directory = await fs.promises.mkdtemp(path.join(os.tmpdir(), 'numinex-import-'))
  const buffers = Array.from({ length: importLimits.buckets }, () => '')
  const fileOf = (bucket: number) => path.join(directory, String(bucket))

  async function flush(bucket: number): Promise<void> {
    const text = buffers[bucket]!
    buffers[bucket] = ''
    if (text !== '') await fs.promises.appendFile(fileOf(bucket), text, { mode: 0o600 })
  }

  return {
    async add(record) {
      const bucket = bucketOf(record.kind === 'thread' ? record.sourceId : record.thread)
      buffers[bucket] += `${JSON.stringify(record)}\n`
      if (buffers[bucket]!.length > importLimits.bucketBuffer) await flush(bucket)
    },
    async *bundles() {
      for (let bucket = 0; bucket < importLimits.buckets; bucket++) {
        await flush(bucket)
        if (!fs.existsSync(fileOf(bucket))) continue
        yield* await readBucket(fileOf(bucket))
        await fs.promises.rm(fileOf(bucket))
      }
    },
    close: () => fs.promises.rm(directory, { recursive: true, force: true }),
  }
}

function bucketOf(thread: string): number {
  return createHash('sha256').update(thread).digest().readUInt32BE(0) % importLimits.buckets
}

async function readBucket(file: string): Promise<Iterable<Bundle>> {
  const bundles = new Map<string, Bundle>()
  const input = (await fs.promises.open(file)).createReadStream()
  for await (const line of readline.createInterface({ input, crlfDelay: Infinity })) {
    const record = JSON.parse(line) as Waiting
    const sourceId = record.kind === 'thread' ? record.sourceId : record.thread
    let bundle = bundles.get(sourceId)
    if (bundle === undefined) {
      bundle = { sourceId, thread: undefined, skipped: undefined, comments: [], gaps: [] }
      bundles.set(sourceId, bundle)
    }
    if (record.kind === 'thread') bundle.thread ??= record
    else if (record.kind === 'comment') bundle.comments.push(record)
    else if (record.sourceId === sourceId) bundle.skipped ??= record.reason
    else bundle.gaps.push(record)
  }
  return bundles.values()
}
