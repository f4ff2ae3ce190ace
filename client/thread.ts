import type { ThreadSnapshot } from '../shared/http.ts'
import { limits } from '../shared/limits.ts'
import type { Down } from '../shared/live.ts'
import type { Post } from '../shared/post.ts'
import { apply, applyChanges, isMissing, type ThreadState } from '../shared/thread-state.ts'
import type { Live } from './live.ts'
import { systemTimers, type Timers } from './timers.ts'

export interface ThreadParts {
  live: Pick<Live, 'join' | 'rejoin' | 'leave' | 'send'>
  api: {
    changes(thread: string, after: number): Promise<ThreadSnapshot>
    snapshot(thread: string): Promise<ThreadSnapshot>
  }
  timers?: Timers
  /** The thread may not be there yet: it is waited for. */
  expected?: boolean
  /** Called once for all messages of a frame. */
  onChange?: (state: ThreadState, previous: ThreadState) => void
}

/** One thread, kept current over the live connection. */
export interface LiveThread {
  readonly state: ThreadState
  /** A post as an HTTP answer gave it; the live message of the same change is then recognised as known. */
  receivePost(post: Post): void
  /** Says that the reader writes a reply to `parent`, or with null that they stopped. May be called for each key. */
  typing(parent: number | null): void
  close(): void
}

// A message that overtook another is usually followed by it at once; asking sooner would cost the server for nothing.
const patienceMs = 150
const longestPatienceMs = 10_000
// Who has asked in vain so often over the socket asks over HTTP.
const socketTries = 3

/** Joins the thread where `initial` stands and follows it until `close`. */
export function openThread(parts: ThreadParts, initial: ThreadState): LiveThread {
  const { live, api, timers = systemTimers } = parts
  const id = initial.thread.id
  let state = initial
  let repair: unknown
  let textTimer: unknown
  let fetching = false
  let tries = 0
  let closed = false
  let typed: { parent: number | null; at: number } = { parent: null, at: 0 }

  function update(next: ThreadState): void {
    if (next === state || closed) return
    const previous = state
    state = next
    watch()
    parts.onChange?.(state, previous)
  }

  /** Asks for the pieces of replies that did not come. */
  function askForText(): void {
    for (const [post, { run, text, torn }] of state.streams) {
      if (torn) live.send({ type: 'text', thread: id, post, run, at: text.length })
    }
    textTimer = undefined
    watchStreams()
  }

  function watchStreams(): void {
    const torn = [...state.streams.values()].some((stream) => stream.torn)
    if (torn && !closed) textTimer ??= timers.set(askForText, patienceMs)
  }

  /** Makes sure that something is done about what is missing, if anything is. */
  function watch(): void {
    watchStreams()
    if (!isMissing(state)) {
      timers.clear(repair)
      repair = undefined
      tries = 0
    } else if (repair === undefined && !fetching && !closed) {
      const wait = Math.min(longestPatienceMs, patienceMs * 2 ** tries)
      repair = timers.set(mend, state.behind && tries === 0 ? 0 : wait)
    }
  }

  function mend(): void {
    repair = undefined
    if (!isMissing(state) || closed) return
    tries++
    if (state.behind || tries > socketTries) fetchInto((after) => api.changes(id, after))
    else {
      live.rejoin(id)
      watch()
    }
  }

  function fetchInto(request: (after: number) => Promise<ThreadSnapshot>): void {
    if (fetching) return
    fetching = true
    const after = state.seq
    request(after)
      .then(
        (changes) => update(applyChanges(state, after, changes)),
        // Nothing is lost by it: what is missing stays missing, and is asked for again.
        () => {},
      )
      .finally(() => {
        fetching = false
        watch()
      })
      .catch(() => {})
  }

  function receive(messages: readonly Down[]): void {
    let next = state
    let doubtful = false
    for (const message of messages) {
      // A server that stands before this client was restored from an older copy, or reads late: the whole thread tells.
      if (message.type === 'joined' && message.behind !== true && message.seq < message.after) doubtful = true
      next = apply(next, message)
    }
    update(next)
    if (doubtful) fetchInto(() => api.snapshot(id))
  }

  live.join(id, {
    after: () => state.seq,
    ...(parts.expected === true && { expected: true }),
    have: () => [...state.streams.values()].map(({ run, text }) => ({ run, at: text.length })),
    receive,
  })

  return {
    get state() {
      return state
    },
    receivePost: (post) => receive([{ type: 'post', thread: id, seq: post.seq, post }]),
    typing(parent) {
      const now = timers.now()
      if (parent === typed.parent && (parent === null || now - typed.at < limits.typingRenewMs)) return
      if (live.send({ type: 'typing', thread: id, parent })) typed = { parent, at: now }
    },
    close() {
      closed = true
      timers.clear(repair)
      timers.clear(textTimer)
      live.leave(id)
    },
  }
}
