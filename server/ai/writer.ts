import { limits } from '../../shared/limits.ts'
import { encodeThreadMessage, toLine } from '../bus/messages.ts'
import { renewRun, type Holder } from '../store/runs.ts'
import { runLimits } from './limits.ts'
import type { AiParts } from './parts.ts'

type WriterParts = Pick<AiParts, 'db' | 'bus' | 'liveText' | 'log'>

/** Where a run's text goes while it is written: to the readers, to those who join them, and to the database. */
export interface Writer {
  readonly text: string
  readonly reasoning: string
  /** Whether the text has the length that a post may have. */
  readonly full: boolean
  write(text: string): void
  think(text: string): void
  /** Says what is not said yet. */
  settle(): Promise<void>
  close(): void
}

/**
 * Holds a run's lease and tells its text. Nothing is said or written without a lease that surely stands, so a process
 * that was stopped for a while and wakes up says nothing that its successor did not. `leaseSince` is when the lease was
 * taken, by `performance.now()`. `onLost` is called once when the run is no longer this holder's, `onStop` when somebody
 * asked to stop it.
 */
export function createWriter(
  { db, bus, liveText, log }: WriterParts,
  run: Holder & { thread: string; number: number },
  leaseSince: number,
  { onLost, onStop }: { onLost(): void; onStop(): void },
): Writer {
  const { id, epoch, thread, number } = run
  let text = ''
  let reasoning = ''
  /** UTF-16 units that readers were told. */
  let said = 0
  let saidAt = -Infinity
  let deadline = leaseSince + runLimits.leaseMs - runLimits.leaseMarginMs
  let lost = false
  let saving: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined
  let telling = Promise.resolve()
  const saver = setInterval(() => void save(), runLimits.saveMs)

  function lose(): void {
    if (lost) return
    lost = true
    close()
    onLost()
  }

  /** Prolongs the lease and keeps the text. One at a time: while the database is slow, another would only add to its load. */
  function save(): Promise<void> {
    return (saving ??= renew().finally(() => (saving = undefined)))
  }

  async function renew(): Promise<void> {
    const asked = performance.now()
    try {
      const row = await renewRun(db, run, runLimits.leaseMs, { text, reasoning: reasoning || null })
      if (row === undefined) return lose()
      deadline = asked + runLimits.leaseMs - runLimits.leaseMarginMs
      if (row.stopRequested) onStop()
    } catch (error) {
      log.warn({ err: error, run: id }, 'a reply could not be saved; it is tried again')
    }
  }

  /** Whether the lease stands; one that ran out may be had anew where nobody took the run over. */
  async function holds(): Promise<boolean> {
    if (!lost && performance.now() >= deadline) await save()
    return !lost && performance.now() < deadline
  }

  function tell(): void {
    timer = undefined
    telling = telling.then(tellNow)
  }

  async function tellNow(): Promise<void> {
    if (text.length === said || !(await holds())) return
    // What readers have seen must be known to whoever takes the run over.
    if (said === 0) await save()
    const [at, whole] = [said, text]
    await liveText.write(id, whole, at)
    if (!(await holds())) return
    said = whole.length
    saidAt = performance.now()
    const line = toLine({ type: 'delta', thread, post: number, run: id, at, text: whole.slice(at) })
    void bus.publish(thread, encodeThreadMessage({ kind: 'delta', post: number, run: id, epoch, at, line }))
  }

  function close(): void {
    clearInterval(saver)
    clearTimeout(timer)
    timer = undefined
  }

  return {
    get text() {
      return text
    },
    get reasoning() {
      return reasoning
    },
    get full() {
      return text.length >= limits.bodyMax
    },
    write(piece) {
      // A reply begins with its first word.
      text = cut(text === '' ? piece.trimStart() : text + piece)
      if (lost || text.length === said) return
      timer ??= setTimeout(tell, Math.max(0, saidAt + runLimits.deltaMs - performance.now()))
    },
    think(piece) {
      if (reasoning.length >= runLimits.reasoningMax) return
      reasoning = (reasoning + piece).slice(0, runLimits.reasoningMax).toWellFormed()
    },
    async settle() {
      clearTimeout(timer)
      tell()
      await telling
    },
    close,
  }
}

/** What a post can hold of a text, without half a character at its end. */
function cut(text: string): string {
  return text.length <= limits.bodyMax ? text : text.slice(0, limits.bodyMax).replace(/[\ud800-\udbff]$/, '')
}
