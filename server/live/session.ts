import { Problem, type ProblemCode } from '../../shared/errors.ts'
import { limits } from '../../shared/limits.ts'
import { up, type Up } from '../../shared/live.ts'
import { closeCodes } from '../../shared/protocol.ts'
import type { AccountChange, Identity } from '../accounts/accounts.ts'
import { toLine } from '../bus/messages.ts'
import { can } from '../threads/access.ts'
import { Bucket, createAllowance, type Allowance } from './allowance.ts'
import { errorFrame } from './session-frames.ts'
import type { Viewer } from './fan-out.ts'
import { textFrame } from './frame.ts'
import type { Hub } from './hub.ts'
import { liveLimits } from './limits.ts'
import type { Lookups } from './lookups.ts'
import type { Room } from './room.ts'
import type { Watch } from './watch.ts'
import { Who, type Credentials } from './who.ts'

export interface SessionParts {
  readonly hub: Hub
  readonly lookups: Lookups
  /** Is kept up to date with who this is. */
  readonly watch: Watch<Session>
  /** What a socket is told first, made once for all. */
  readonly welcome: Buffer
  /** Whether messages, and what they are answered with, are limited. */
  readonly limited: boolean
  now(): number
  onError(error: unknown): void
}

/** What a session needs of its socket. */
export interface Transport extends Viewer {
  close(code: number, reason: string): void
}

/** One client's side of the conversation: what it has joined, who it is, what it may do. */
export interface Session {
  /** Who the client is right now; null for a reader without an account. */
  readonly identity: Identity | null
  /** Takes a frame. Never throws: what is wrong is answered. Resolves when it is done with. */
  receive(frame: string): Promise<void>
  /** Takes away the rights that a change of an account ended. */
  accountChanged(change: AccountChange): Promise<void>
  /** Says where the joined threads stand. `heads` keeps frames that say it, for others who joined the same. */
  heartbeat(heads: Map<Room, Buffer>): void
  /** Leaves all rooms. */
  end(): void
}

/** Starts a session for these credentials; undefined for none: reading needs no account. */
export function createSession(
  parts: SessionParts,
  transport: Transport,
  credentials: Credentials | undefined,
): Session {
  return new SocketSession(parts, transport, credentials)
}

/**
 * There is one for each socket, and what one weighs is what a viewer weighs: a class, since a function of its own for each
 * thing that a socket can do would weigh several times its state. What few need is made when they need it.
 */
class SocketSession implements Session {
  private readonly parts: SessionParts
  private readonly transport: Transport
  /** Joined threads; undefined while the join is under way. */
  private readonly joined = new Map<string, Room | undefined>()
  /** Joined threads that may not be there yet. */
  private awaited: Set<string> | undefined = undefined
  private messages: Bucket | undefined = undefined
  private allowance: Allowance | undefined = undefined
  /** From where the text of a run was last asked for, and when. */
  private texts: Map<string, { at: number; asked: number }> | undefined = undefined
  private who: Who | undefined
  private ended = false
  /** What depends on who asks is dealt with in order. */
  private queue: Promise<void> | undefined = undefined

  constructor(parts: SessionParts, transport: Transport, credentials: Credentials | undefined) {
    this.parts = parts
    this.transport = transport
    this.who = credentials && new Who(credentials)
    transport.deliver(parts.welcome)
    if (this.who?.recall(parts.lookups)) parts.watch.known(this, this.identity?.actor.id)
    else if (this.who) parts.lookups.turn(() => this.lookUp())
  }

  get identity(): Identity | null {
    return this.who?.identity ?? null
  }

  async receive(frame: string): Promise<void> {
    if (this.ended) return
    const { limited, now } = this.parts
    if (limited) {
      this.messages ??= new Bucket(now, limits.messageBurst, limits.messagesPerSecond)
      if (this.messages.left() < 1) return this.reject('rate-limited', 'too many messages', closeCodes.rate)
      this.messages.take(1)
    }
    if (Buffer.byteLength(frame) > limits.frameBytes) {
      return this.reject('too-large', `a frame has at most ${limits.frameBytes} bytes`, closeCodes.tooLarge)
    }
    const message = parse(frame)
    if (message === undefined)
      return this.reject('invalid', 'the frame is not a message of this protocol', closeCodes.badFrame)
    // Reading needs no account, so it does not wait until it is known who asks.
    if (message.type !== 'typing' && message.type !== 'auth') return this.dispatch(message)
    if (message.type === 'typing') void this.lookUp()
    await this.inOrder(() => this.dispatch(message))
  }

  async accountChanged(change: AccountChange): Promise<void> {
    // At once, and given back only if the credentials still hold.
    if (this.who?.loses(change) !== true) return
    this.stopTyping()
    await this.identify(this.who)
    if (this.identity === null) this.complain(new Problem('session-ended'))
  }

  heartbeat(heads: Map<Room, Buffer>): void {
    for (const [thread, room] of this.joined) {
      if (room === undefined) continue
      let frame = heads.get(room)
      if (frame === undefined) {
        frame = textFrame(toLine({ type: 'head', thread, seq: room.head }))
        heads.set(room, frame)
      }
      this.transport.mention(frame)
    }
  }

  end(): void {
    this.ended = true
    for (const room of this.joined.values()) room?.leave(this.transport)
    this.joined.clear()
    this.parts.watch.forget(this)
    this.who?.leave(this.parts.lookups)
  }

  private complain(problem: Problem, thread?: string): void {
    if (!this.ended) this.transport.deliver(errorFrame(problem, thread))
  }

  private reject(code: ProblemCode, detail: string, close: number): void {
    this.complain(new Problem(code, { detail }))
    this.transport.close(close, code)
    this.end()
  }

  private fail(error: unknown, thread?: string): void {
    if (error instanceof Problem) return this.complain(error, thread)
    this.parts.onError(error)
    this.complain(new Problem('internal', { retryMs: 2_000 }), thread)
  }

  private inOrder(work: () => Promise<void>): Promise<void> {
    return (this.queue = (this.queue ?? Promise.resolve())
      .then(work)
      .catch((error: unknown) => this.fail(error)))
  }

  /** Finds out who this is, where nobody has yet. */
  private lookUp(): Promise<void> {
    return this.inOrder(async () => {
      if (this.who && !this.who.asked && !this.ended) await this.identify(this.who)
    })
  }

  private async identify(who: Who): Promise<void> {
    const { lookups, watch } = this.parts
    watch.unsure(this)
    try {
      await who.identify(lookups)
    } catch (error) {
      this.fail(error)
    }
    // Where it is looked up once more by now, that is not over.
    if (this.ended || who.unsure) return
    watch.known(this, who.identity?.actor.id)
    // Cookies that make nobody of their sender are not kept.
    if (who.identity === null && who.asked) this.who = undefined
  }

  private async dispatch(message: Up): Promise<void> {
    if (this.ended) return
    switch (message.type) {
      case 'join':
        // Joins do not wait for each other: a page of threads would pay for each in turn.
        void this.join(message).catch((error: unknown) => {
          // Where it was joined before, that still stands.
          if (this.joined.get(message.thread) === undefined) this.forget(message.thread)
          this.fail(error, message.thread)
        })
        return
      case 'leave':
        return this.leave(message.thread)
      case 'typing':
        return this.note(message.thread, message.parent)
      case 'text':
        return this.tellText(message)
      case 'auth':
        return this.authenticate(message.token)
    }
  }

  private async authenticate(token: string): Promise<void> {
    const credentials = bearer(token)
    if (this.who) this.who.replace(credentials)
    else this.who = new Who(credentials)
    this.stopTyping()
    await this.identify(this.who)
    if (token !== '' && this.identity === null) this.complain(new Problem('session-ended'))
  }

  /** Where nothing streams under that name, the post as it is comes by its seq. */
  private tellText({ thread, post, run, at = 0 }: Extract<Up, { type: 'text' }>): void {
    const room = this.joined.get(thread)
    if (room === undefined || this.askedJustNow(run, at)) return
    try {
      this.draws()?.check()
    } catch (error) {
      return this.fail(error, thread)
    }
    const delta = room.text(post, run, at)
    if (delta === undefined) return
    const frame = textFrame(toLine(delta))
    this.allowance?.spend(frame.length)
    this.transport.deliver(frame)
  }

  /** Whoever asks again so soon did not wait for the answer. */
  private askedJustNow(run: string, at: number): boolean {
    const texts = (this.texts ??= new Map())
    const now = this.parts.now()
    const before = texts.get(run)
    if (before?.at === at && before.asked + liveLimits.textAgainMs > now) return true
    texts.delete(run)
    texts.set(run, { at, asked: now })
    if (texts.size > limits.streamsNamed) texts.delete(texts.keys().next().value!)
    return false
  }

  /** What it may draw; undefined for anything. */
  private draws(): Allowance | undefined {
    return this.parts.limited ? (this.allowance ??= createAllowance(this.parts.now)) : undefined
  }

  private async join(message: Extract<Up, { type: 'join' }>): Promise<void> {
    const { thread, after, quiet, brief, expected = false } = message
    const { joined, transport } = this
    const allowance = this.draws()
    allowance?.check()
    const waits = expected && after === 0
    if (!joined.has(thread)) {
      if (joined.size >= limits.joinedThreads) throw new Problem('too-many-threads')
      if (!waits) joined.set(thread, undefined)
    }
    if (waits) this.awaits(thread)
    const room = await this.parts.hub.room(thread, waits)
    if (this.ended || !joined.has(thread)) return
    const have = message.have && new Map(message.have.map(({ run, at }) => [run, at]))
    await room.join(transport, { after, quiet, brief, allowance, ...(have && { have }) })
    if (!this.ended && joined.has(thread)) joined.set(thread, room)
    else room.leave(transport)
  }

  /** Throws too-many-threads. */
  private awaits(thread: string): void {
    const awaited = (this.awaited ??= new Set())
    if (!awaited.has(thread) && awaited.size >= liveLimits.awaitedThreads)
      throw new Problem('too-many-threads')
    awaited.add(thread)
    if (!this.joined.has(thread)) this.joined.set(thread, undefined)
  }

  private leave(thread: string): void {
    this.joined.get(thread)?.leave(this.transport)
    this.forget(thread)
  }

  private forget(thread: string): void {
    this.joined.delete(thread)
    this.awaited?.delete(thread)
  }

  private note(thread: string, parent: number | null): void {
    const room = this.joined.get(thread)
    if (room === undefined) return
    const actor = this.identity?.actor ?? null
    if (actor === null || !can(actor, 'type')) return this.complain(new Problem('sign-in-required'), thread)
    const { id, name } = actor
    room.presence.type(this.transport.id, { id, name }, parent)
  }

  private stopTyping(): void {
    for (const room of this.joined.values())
      room?.presence.type(this.transport.id, { id: '', name: '' }, null)
  }
}

/** A token as a request would carry it; one that no header can hold is nobody's. */
function bearer(token: string): Credentials {
  return /^[\x21-\x7e]+$/.test(token) ? { authorization: `Bearer ${token}` } : {}
}

function parse(frame: string): Up | undefined {
  try {
    const result = up.safeParse(JSON.parse(frame))
    return result.success ? result.data : undefined
  } catch {
    return undefined
  }
}
