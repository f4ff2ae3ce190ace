import type { Delta, Joined } from '../../shared/live.ts'
import type { ReplyState, StreamPlace } from '../bus/messages.ts'
import { liveLimits } from './limits.ts'

/** What a node knows of a reply that is being written. */
export interface StreamText {
  readonly post: number
  readonly run: string
  readonly epoch: number
  readonly text: string
}

/** A line for viewers. */
export interface RoomLine {
  readonly line: string
  /** The same in fewer bytes, for those who know the reply's short name. */
  readonly brief?: string
  /** It is a piece of a reply: who wants only what lasts is spared it. */
  readonly passing?: boolean
}

/** The replies that are being written in one room's thread. Their text comes by the bus in pieces, each a hint. */
export interface Streams {
  /**
   * Takes note of what the database and the other nodes know, and forgets what they do not know. Reading again does no
   * harm.
   */
  load(): Promise<void>
  /** Word of a reply's end may have been lost: looks soon which of them are still being written. */
  doubt(): void
  /** A reply began or ended. */
  changed(reply: ReplyState): void
  /** A piece that came by the bus, `line` being the message to clients. */
  hear(place: StreamPlace, line: string): void
  /** What someone who joins does not have yet. */
  list(have: ReadonlyMap<string, number>): Joined['streams']
  /** A run's text from `at` on; undefined when nothing streams under that name. */
  text(post: number, run: string, at: number): Delta | undefined
  close(): void
}

interface Entry {
  run: string
  epoch: number
  text: string
  /** Its short name, unique on this node. */
  readonly as: number
  /** Whether viewers know the short name: one full message has told it, or `joined`. */
  named: boolean
  /** Up to where the text is known to go; more than its length where a piece is missing. */
  end: number
  /** Whether the database is known to name it. A late piece alone may be of a reply that is over. */
  sure: boolean
  /** How many reads in a row did not name it. */
  unnamed: number
}

export function createStreams(parts: {
  readonly thread: string
  /** The replies of this thread that are being written. */
  read(): Promise<readonly StreamText[]>
  say(line: RoomLine): void
  nextAlias(): number
  onError(error: unknown): void
}): Streams {
  const { thread, say } = parts
  const entries = new Map<number, Entry>()
  /** Runs that are over: a piece that comes late must not bring them back. */
  const ended = new Set<string>()
  let mending: Promise<void> | undefined
  let retry: NodeJS.Timeout | undefined
  /** How many times in a row it was looked in vain for what is missing. */
  let tries = 0
  let closed = false

  function begin(post: number, run: string, epoch: number, sure: boolean): Entry {
    const entry = { run, epoch, text: '', as: parts.nextAlias(), named: false, end: 0, sure, unnamed: 0 }
    entries.set(post, entry)
    return entry
  }

  function end(post: number, run: string): void {
    ended.add(run)
    if (ended.size > liveLimits.endedRuns) ended.delete(ended.values().next().value!)
    if (entries.get(post)?.run === run) entries.delete(post)
  }

  /** Adds what goes beyond the text, and says it. `line` is the message that brought it, where it has that form. */
  function extend(post: number, entry: Entry, at: number, text: string): void {
    const from = entry.text.length
    const rest = text.slice(from - at)
    if (rest === '') return
    entry.text += rest
    entry.end = Math.max(entry.end, entry.text.length)
    const { run, as } = entry
    const line = JSON.stringify({
      type: 'delta',
      thread,
      post,
      run,
      at: from,
      text: rest,
      as,
    } satisfies Delta)
    const brief = entry.named ? JSON.stringify({ type: 'more', as, at: from, text: rest }) : line
    say({ line, brief, passing: true })
    entry.named = true
  }

  /** Fills what is missing from what the database and Redis have, once for all viewers. */
  function mend(): void {
    clearTimeout(retry)
    retry = undefined
    if (closed) return
    mending ??= load()
      .catch(parts.onError)
      .finally(() => {
        mending = undefined
        if (![...entries.values()].some(isOpen)) tries = 0
        else mendLater(tries++)
      })
  }

  function mendLater(triesBefore: number): void {
    if (closed) return
    const wait = Math.min(liveLimits.tornMostMs, liveLimits.tornMs * 2 ** triesBefore)
    retry ??= setTimeout(mend, wait).unref()
  }

  async function load(): Promise<void> {
    // What comes while it is read may be newer than the answer.
    const before = [...entries]
    const named = new Set<string>()
    for (const { post, run, epoch, text } of await parts.read()) {
      named.add(run)
      if (ended.has(run)) continue
      const known = entries.get(post)
      const entry = known?.run === run ? known : begin(post, run, epoch, true)
      entry.epoch = Math.max(entry.epoch, epoch)
      entry.sure = true
      entry.unnamed = 0
      extend(post, entry, 0, text)
    }
    for (const [post, entry] of before) if (!named.has(entry.run)) miss(post, entry)
  }

  /** It is over, or not there yet. If it is written after all, its next piece brings it back, and its text with that. */
  function miss(post: number, entry: Entry): void {
    entry.sure = false
    entry.unnamed++
    if (entry.unnamed >= liveLimits.unnamedReads && entries.get(post) === entry) entries.delete(post)
  }

  return {
    load,
    doubt() {
      for (const entry of entries.values()) entry.sure = false
      if (entries.size > 0) mendLater(0)
    },
    changed({ post, run, streaming }) {
      if (!streaming) return end(post, run)
      if (ended.has(run)) return
      const known = entries.get(post)
      if (known?.run === run) known.sure = true
      else begin(post, run, 0, true)
    },
    hear({ post, run, epoch, at }, line) {
      if (ended.has(run)) return
      const known = entries.get(post)
      const entry = known?.run === run ? known : begin(post, run, epoch, false)
      if (!entry.sure) mendLater(tries)
      if (epoch < entry.epoch) return
      entry.epoch = epoch
      // The line was made by a node of ours from typed values.
      const { text } = JSON.parse(line) as Delta
      entry.end = Math.max(entry.end, at + text.length)
      if (at <= entry.text.length) extend(post, entry, at, text)
      else if (tries === 0) mend()
    },
    list(have) {
      return [...entries].map(([post, { run, text, as }]) => {
        const at = Math.min(have.get(run) ?? 0, text.length)
        return { post, run, text: text.slice(at), as, ...(at > 0 && { at }) }
      })
    },
    text(post, run, from) {
      const entry = entries.get(post)
      if (entry?.run !== run) return undefined
      const at = Math.min(from, entry.text.length)
      return { type: 'delta', thread, post, run, at, text: entry.text.slice(at), as: entry.as }
    },
    close() {
      closed = true
      clearTimeout(retry)
    },
  }
}

/** Whether the database is to be asked about it. */
function isOpen(entry: Entry): boolean {
  return !entry.sure || entry.end > entry.text.length
}
