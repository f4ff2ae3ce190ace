import { Problem, type ProblemCode } from '../shared/errors.ts'
import type { CreatePost } from '../shared/http.ts'
import type { Post } from '../shared/post.ts'
import { retryDelay } from './reconnect.ts'
import { systemTimers, type Timers } from './timers.ts'

/**
 * A post on its way. `waiting` is tried again by itself, `failed` only when the writer says so; `sent` has been
 * taken by the server as post `number`, and waits to be seen in the thread.
 */
export interface Outgoing extends CreatePost {
  readonly status: 'sending' | 'waiting' | 'failed' | 'sent'
  readonly createdAt: string
  /** Why it failed or waits, for people. */
  readonly reason?: string
  /** The code of that problem, where there is one. */
  readonly code?: ProblemCode
  readonly number?: number
}

export type Draft = Pick<CreatePost, 'parent' | 'body' | 'quote'>

export interface OutboxParts {
  send(input: CreatePost): Promise<Post>
  /** Where unsent posts outlive the page. */
  storage?: { get(): string | null; set(value: string | null): void }
  timers?: Timers
  random?: () => number
  newId?: () => string
  onChange: (entries: readonly Outgoing[]) => void
  onPosted: (post: Post) => void
}

export interface Outbox {
  readonly entries: readonly Outgoing[]
  send(draft: Draft): Outgoing
  /** Sends a failed post again, under the same `clientId`, so that it can never be there twice. */
  retry(clientId: string): void
  /** Takes a post out without sending it. */
  discard(clientId: string): void
  /** Forgets the posts that are seen in the thread. */
  confirm(seen: (entry: Outgoing) => boolean): void
  /** The connection is back: sends what waits. */
  wake(): void
}

/** Keeps posts until the server has them. Posts left over from an earlier page are sent at `wake`. */
export function openOutbox(parts: OutboxParts): Outbox {
  const { timers = systemTimers, random = Math.random, newId = () => crypto.randomUUID() } = parts
  let entries: readonly Outgoing[] = restore(parts.storage?.get())
  /** All that were ever here. What else lies in the storage is another tab's, and stays. */
  const ours = new Set(entries.map(({ clientId }) => clientId))
  let attempt = 0
  let timer: unknown

  function write(next: readonly Outgoing[]): void {
    entries = next
    for (const { clientId } of entries) ours.add(clientId)
    const theirs = restore(parts.storage?.get()).filter(({ clientId }) => !ours.has(clientId))
    const kept = [...theirs, ...entries.filter(({ status }) => status !== 'sent')]
    parts.storage?.set(kept.length === 0 ? null : JSON.stringify(kept))
    parts.onChange(entries)
  }

  function change(clientId: string, changed: Partial<Outgoing>): void {
    write(entries.map((entry) => (entry.clientId === clientId ? { ...entry, ...changed } : entry)))
  }

  function transmit({ clientId, parent, body, quote }: Outgoing): void {
    const input = { clientId, parent, body, ...(quote === undefined ? {} : { quote }) }
    parts.send(input).then(
      (post) => {
        attempt = 0
        change(clientId, { status: 'sent', number: post.number })
        parts.onPosted(post)
      },
      (problem: unknown) => refused(clientId, problem),
    )
  }

  function refused(clientId: string, problem: unknown): void {
    const reason = problem instanceof Problem ? (problem.detail ?? problem.message) : 'Something went wrong'
    const why = { reason, ...(problem instanceof Problem && { code: problem.code }) }
    if (!isPassing(problem)) return change(clientId, { status: 'failed', ...why })
    change(clientId, { status: 'waiting', ...why })
    timers.clear(timer)
    timer = timers.set(wake, problem.retryMs ?? retryDelay(attempt++, random))
  }

  function resend(chosen: (entry: Outgoing) => boolean): void {
    const again = entries.filter(chosen)
    if (again.length === 0) return
    write(entries.map((entry) => (chosen(entry) ? sending(entry) : entry)))
    for (const entry of again) transmit(entry)
  }

  function wake(): void {
    resend(({ status }) => status === 'waiting')
  }

  return {
    get entries() {
      return entries
    },
    send(draft) {
      const entry = sending({ ...draft, clientId: newId(), createdAt: new Date(timers.now()).toISOString() })
      write([...entries, entry])
      transmit(entry)
      return entry
    },
    retry: (clientId) => resend((entry) => entry.clientId === clientId && entry.status === 'failed'),
    discard: (clientId) => write(entries.filter((entry) => entry.clientId !== clientId)),
    confirm(seen) {
      const left = entries.filter((entry) => !seen(entry))
      if (left.length < entries.length) write(left)
    },
    wake,
  }
}

function sending(entry: Omit<Outgoing, 'status'>): Outgoing {
  const { clientId, parent, body, quote, createdAt } = entry
  return { clientId, parent, body, createdAt, status: 'sending', ...(quote === undefined ? {} : { quote }) }
}

/** Whether the same request may well succeed later, without anyone changing it. */
function isPassing(problem: unknown): problem is Problem {
  return problem instanceof Problem && (problem.code === 'unavailable' || problem.code === 'rate-limited')
}

function restore(saved: string | null | undefined): Outgoing[] {
  try {
    const entries = JSON.parse(saved ?? '[]') as Outgoing[]
    return entries.map((entry) => (entry.status === 'failed' ? entry : { ...entry, status: 'waiting' }))
  } catch {
    return []
  }
}
