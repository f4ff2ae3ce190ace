import { setTimeout as sleep } from 'node:timers/promises'
import type { Bus, Unsubscribe } from '../bus/bus.ts'
import {
  decodeThreadMessages,
  encodeThreadMessage,
  replyOf,
  toLine,
  type ReplyState,
} from '../bus/messages.ts'
import { Problem } from '../../shared/errors.ts'
import { limits } from '../../shared/limits.ts'
import type { Delta, Joined } from '../../shared/live.ts'
import type { Post } from '../../shared/post.ts'
import type { Allowance } from './allowance.ts'
import { createDifferenceReader, type Difference } from './difference.ts'
import { createFanOut, type Ear, type Viewer } from './fan-out.ts'
import { textFrame } from './frame.ts'
import { liveLimits } from './limits.ts'
import type { LiveMetrics } from './metrics.ts'
import { createPresence, type Presence } from './presence.ts'
import { createRing } from './ring.ts'
import { createStreams, type StreamText } from './streams.ts'

export interface RoomParts {
  readonly thread: string
  readonly node: string
  readonly bus: Bus
  readonly metrics: LiveMetrics
  /** Changes after a seq, the newest `limits.joinedPosts` of them. Throws thread-not-found. */
  readDifference(after: number): Promise<Difference>
  /** The replies of the thread that are being written. */
  readStreams(): Promise<readonly StreamText[]>
  /** A short name for a reply, which no other of this node has. */
  nextAlias(): number
  /** A repair or a read failed; it is tried again at the next comparison of heads. */
  onError(error: unknown): void
}

/** A node's viewers of one thread, and what they have all been told: everything up to `head`. */
export interface Room {
  /** Subscribes and reads the head. Throws thread-not-found. */
  open(): Promise<void>
  /**
   * Brings a viewer from where it stands to the head, and from then on tells it everything. Throws rate-limited where
   * its allowance is used up, and unavailable when the room closed meanwhile.
   */
  join(viewer: Viewer, place: JoinPlace): Promise<void>
  /** A run's text so far; undefined when none streams under that name. */
  text(post: number, run: string, at: number): Delta | undefined
  leave(viewer: Viewer): void
  readonly presence: Presence
  readonly size: number
  readonly head: number
  /** Takes note of the database's head; `headBefore` is this room's head when the database was asked. */
  compare(databaseHead: number, headBefore: number): void
  tick(): void
  close(): Promise<void>
}

/** Where a viewer stands, and how it wants to be told. */
export interface JoinPlace {
  readonly after: number
  /** Others do not see it. */
  readonly quiet?: boolean | undefined
  /** It understands `more`. */
  readonly brief?: boolean | undefined
  /** How much it knows of replies that are being written, by run. */
  readonly have?: ReadonlyMap<string, number>
  /** What it may be told; without one, anything. */
  readonly allowance?: Allowance | undefined
}

export function createRoom(parts: RoomParts): Room {
  const { thread, node, bus, metrics } = parts
  const viewers = createFanOut(metrics)
  const ring = createRing()
  /** Changes that came before an older one did. */
  const early = new Map<number, { line: string; committedAt: number; reply?: ReplyState }>()
  /** Answers for viewers that come back to this head, by where they left: a storm of them is served from memory. */
  const caughtUp = new Map<number, Answer>()
  /** The last difference that was read, for those who come a moment later. */
  let latest: { read: Difference; asked: number } | undefined
  let ticks = 0
  const difference = createDifferenceReader(parts.readDifference)
  let head = 0
  let state: 'opening' | 'live' | 'closed' = 'opening'
  let unsubscribe: Unsubscribe | undefined
  let gapTimer: NodeJS.Timeout | undefined
  let repairing: Promise<void> | undefined
  let presenceTimer: NodeJS.Timeout | undefined

  const presence = createPresence({
    node,
    now: () => performance.now(),
    tell: (body) => void bus.publish(thread, encodeThreadMessage({ kind: 'presence', body })),
    onChange: mentionPresence,
  })

  const streams = createStreams({
    thread,
    read: parts.readStreams,
    say: (line) => viewers.say(line, Date.now()),
    nextAlias: parts.nextAlias,
    onError: parts.onError,
  })

  async function open(): Promise<void> {
    // Subscribed first, then read: what is committed from here on is either in the answer or comes by the bus. A bus that
    // is down holds nobody up: heads are compared with the database meanwhile.
    await Promise.race([subscribe(), sleep(liveLimits.subscribeMs, undefined, { ref: false })])
    const { seq } = await difference(Number.MAX_SAFE_INTEGER)
    await streams.load()
    if (state === 'closed') return
    head = seq
    state = 'live'
    advance()
    void bus.publish(thread, encodeThreadMessage({ kind: 'presence', body: '' }))
  }

  async function subscribe(): Promise<void> {
    const undo = await bus.subscribe(thread, receive)
    if (state === 'closed') return undo()
    unsubscribe = undo
    if (state === 'live') await repair()
  }

  function receive(text: string): void {
    if (state === 'closed') return
    for (const message of decodeThreadMessages(text)) {
      if (message.kind === 'presence') presence.hear(message.body)
      else if (message.kind === 'delta') streams.hear(message, message.line)
      else if (state !== 'live' || message.seq > head) {
        if (early.size < limits.heldMessages) early.set(message.seq, message)
        if (state === 'live') advance()
      }
    }
  }

  /** Tells the viewers of every change that follows the head without a hole, and waits a little where there is one. */
  function advance(): void {
    for (let next = early.get(head + 1); next !== undefined; next = early.get(head + 1)) {
      head++
      caughtUp.clear()
      early.delete(head)
      ring.push(head, next.line)
      if (next.reply) streams.changed(next.reply)
      viewers.say(next, next.committedAt)
    }
    if (early.size > 0) for (const seq of early.keys()) if (seq <= head) early.delete(seq)
    if (early.size === 0) {
      clearTimeout(gapTimer)
      gapTimer = undefined
    } else gapTimer ??= setTimeout(() => void repair(), liveLimits.gapMs)
  }

  /** Fills the hole after the head from the database, once for all viewers. */
  function repair(): Promise<void> {
    clearTimeout(gapTimer)
    gapTimer = undefined
    if (state !== 'live') return Promise.resolve()
    return (repairing ??= fillHole().finally(() => (repairing = undefined)))
  }

  async function fillHole(): Promise<void> {
    try {
      metrics.repairs.inc()
      const waiting = [...early.keys()]
      const read = await difference(head)
      adopt(read)
      // Changes are told after their commit: what was heard of before the read and is not in it does not exist.
      for (const seq of waiting) if (seq > read.seq) early.delete(seq)
      if (early.size > 0) advance()
    } catch (error) {
      parts.onError(error)
    }
  }

  /** Takes what the database knows: viewers get what changed after the old head as a whole. */
  function adopt(read: Difference): void {
    if (state !== 'live' || read.seq <= head) return
    const before = head
    head = read.seq
    for (const post of read.posts) {
      const reply = replyOf(post)
      if (reply) streams.changed(reply)
    }
    ring.clear()
    caughtUp.clear()
    // What is not told here may have ended some.
    if (read.from > before) streams.doubt()
    // Of replies that are being written, those who are here know all.
    viewers.say({ line: withStreams(joinedAnswer(joinedFrom(before, read)).line, []) }, Date.now())
    advance()
  }

  async function join(viewer: Viewer, place: JoinPlace): Promise<void> {
    if (place.quiet !== true) presence.enter(viewer.id)
    try {
      await bring(viewer, place)
    } catch (error) {
      if (!viewers.has(viewer.id)) presence.leave(viewer.id)
      throw error
    }
  }

  async function bring(viewer: Viewer, place: JoinPlace): Promise<void> {
    const { after } = place
    // A client that knows more than this room: either a hint was lost, or the database was restored from a copy.
    if (after > head) await repair()
    if (after > head) return enter(viewer, place, answer({ ...emptyJoined(head), behind: true }))
    let known = answerFromMemory(after)
    while (known === undefined) {
      const read = await difference(after)
      adopt(read)
      latest = { read, asked: after }
      // The room may have gone on meanwhile; its ring has what came after the read, unless that was repaired too.
      known = answerFromMemory(after)
    }
    enter(viewer, place, known)
  }

  /** What a viewer that left at `after` missed, where that is known here. */
  function answerFromMemory(after: number): Answer | undefined {
    let known = caughtUp.get(after)
    if (known !== undefined) return known
    const read = latestSince(after)
    if (ring.covers(after, head)) known = joinedAnswer({ ...emptyJoined(after), ...ring.since(after) })
    else if (read !== undefined) known = joinedAnswer(joinedFrom(after, read))
    else return undefined
    caughtUp.set(after, known)
    let bytes = 0
    for (const { frame } of caughtUp.values()) bytes += frame.length
    for (const [oldest, { frame }] of caughtUp) {
      if (caughtUp.size <= liveLimits.caughtUpFrames && bytes <= liveLimits.caughtUpBytes) break
      caughtUp.delete(oldest)
      bytes -= frame.length
    }
    return known
  }

  /** The latest read, if with the ring it tells all that changed after `after`, or that it is too much to tell. */
  function latestSince(after: number): Difference | undefined {
    if (latest === undefined || !ring.covers(latest.read.seq, head)) return undefined
    const { read, asked } = latest
    return read.from <= after || read.from > asked ? read : undefined
  }

  /** What would choke a socket is fetched over HTTP, where it comes compressed and in the reader's own time. */
  function joinedAnswer(message: Joined): Answer {
    // Most of it by far; what is too much is seen before it costs anything.
    let text = 0
    for (const { html } of message.posts) text += html.length
    const whole = text <= liveLimits.joinedBytes ? answer(message) : undefined
    return whole !== undefined && whole.frame.length <= liveLimits.joinedBytes
      ? whole
      : answer({ ...emptyJoined(message.after), behind: true })
  }

  /** What changed between `after` and the head: as read, and what the ring has since. */
  function joinedFrom(after: number, read: Difference): Joined {
    if (read.from > after) return { ...emptyJoined(after), behind: true }
    const rest = ring.since(read.seq)
    const posts = new Map<number, Post>()
    for (const post of [...read.posts, ...rest.posts]) if (post.seq > after) posts.set(post.number, post)
    const info = rest.info ?? read.thread
    return { ...emptyJoined(after), posts: [...posts.values()], ...(info && { info }) }
  }

  function emptyJoined(after: number): Joined {
    return { type: 'joined', thread, after, seq: head, posts: [], viewers: presence.viewers(), streams: [] }
  }

  /** In the same turn: what the viewer gets now is complete up to the head, and everything later is said to it. */
  function enter(viewer: Viewer, place: JoinPlace, known: Answer): void {
    // Whoever waits here would wait for ever.
    if (state !== 'live') throw new Problem('unavailable', { retryMs: liveLimits.reopenMs })
    const { brief, quiet, have = new Map<string, number>(), allowance } = place
    // Many may have been asked for before the first was answered, so it is looked at here.
    allowance?.check()
    const ear: Ear = quiet === true ? 'quiet' : brief === true ? 'brief' : 'all'
    viewers.add(viewer, ear)
    const texts = ear === 'quiet' ? [] : streams.list(have)
    const frame = texts.length === 0 ? known.frame : textFrame(withStreams(known.line, texts))
    allowance?.spend(frame.length)
    viewer.deliver(frame)
  }

  /** Presence is said at most every `presenceMs`, however much comes and goes, and less often to many. */
  function mentionPresence(): void {
    presenceTimer ??= setTimeout(
      () => {
        presenceTimer = undefined
        if (viewers.size === 0) return
        const frame = textFrame(
          toLine({
            type: 'presence',
            thread,
            viewers: presence.viewers(),
            typing: presence.typing().slice(0, liveLimits.typingShown),
          }),
        )
        viewers.mention(frame)
      },
      Math.max(liveLimits.presenceMs, viewers.size * liveLimits.presenceMsPerViewer),
    )
  }

  return {
    open,
    join,
    text: streams.text,
    leave(viewer) {
      viewers.remove(viewer.id)
      presence.leave(viewer.id)
    },
    presence,
    get size() {
      return viewers.size
    },
    get head() {
      return head
    },
    compare(databaseHead, headBefore) {
      if (state !== 'live') return
      if (databaseHead > head) void repair()
      else if (databaseHead < headBefore) reset(databaseHead)
    },
    tick() {
      presence.tick()
      if (++ticks % liveLimits.rememberTicks > 0) return
      latest = undefined
      caughtUp.clear()
    },
    async close() {
      state = 'closed'
      clearTimeout(gapTimer)
      clearTimeout(presenceTimer)
      viewers.close()
      streams.close()
      await unsubscribe?.()
    },
  }

  /** The database stands before this room: it was restored from an older copy. Its word is the truth. */
  function reset(databaseHead: number): void {
    head = databaseHead
    ring.clear()
    early.clear()
    caughtUp.clear()
    latest = undefined
    streams.doubt()
    viewers.say({ line: withStreams(answer({ ...emptyJoined(head), behind: true }).line, []) }, Date.now())
  }
}

/** A `joined`, framed for the many who are told just that, and as a line for those who get more with it. */
interface Answer {
  /** Without its `streams` and its last brace. */
  readonly line: string
  readonly frame: Buffer
}

function answer({ streams: _, ...message }: Joined): Answer {
  const line = JSON.stringify(message).slice(0, -1)
  return { line, frame: textFrame(withStreams(line, [])) }
}

function withStreams(line: string, streams: Joined['streams']): string {
  return `${line},"streams":${JSON.stringify(streams)}}`
}
