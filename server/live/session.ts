import { Problem, type ProblemCode } from '../../shared/errors.ts'
import { limits } from '../../shared/limits.ts'
import { up, type Down, type Up } from '../../shared/live.ts'
import { closeCodes, protocolVersion } from '../../shared/protocol.ts'
import type { AccountChange, Accounts, Identity } from '../accounts/accounts.ts'
import { toLine } from '../bus/messages.ts'
import { can } from '../threads/access.ts'
import { createAllowance, createBucket } from './allowance.ts'
import { textFrame } from './frame.ts'
import type { Hub } from './hub.ts'
import { liveLimits } from './limits.ts'
import type { Viewer } from './fan-out.ts'
import type { Room } from './room.ts'

export interface SessionParts {
  readonly hub: Hub
  readonly accounts: Pick<Accounts, 'identify'>
  readonly node: string
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
  /** Says where the joined threads stand. */
  heartbeat(): void
  /** Leaves all rooms. */
  end(): void
}

/** Starts a session for the credentials in `headers`, which may be none: reading needs no account. */
export function createSession(parts: SessionParts, transport: Transport, headers: Headers): Session {
  const { hub, accounts, node } = parts
  /** Joined threads; undefined while the join is under way. */
  const joined = new Map<string, Room | undefined>()
  /** Joined threads that may not be there yet. */
  const awaited = new Set<string>()
  const messages = createBucket(parts.now, limits.messageBurst, limits.messagesPerSecond)
  const allowance = parts.limited ? createAllowance(parts.now) : undefined
  /** From where the text of a run was last asked for, and when. */
  const texts = new Map<string, { at: number; asked: number }>()
  let credentials = headers
  let identity: Identity | null = null
  /** While it is looked up who asks: of whom word came meanwhile. */
  let meanwhile: Set<string> | undefined
  let ended = false
  // What depends on who asks is dealt with in order, and first when that is known.
  let queue: Promise<void> = identify()

  say({ type: 'welcome', protocol: protocolVersion, node, heartbeat: limits.heartbeatMs })

  function say(message: Down): void {
    if (!ended) transport.deliver(textFrame(toLine(message)))
  }

  function complain(problem: Problem, thread?: string): void {
    say({
      type: 'error',
      code: problem.code,
      message: problem.detail ?? problem.message,
      ...(problem.retryMs !== undefined && { retryMs: problem.retryMs }),
      ...(thread !== undefined && { thread }),
    })
  }

  function reject(code: ProblemCode, detail: string, close: number): void {
    complain(new Problem(code, { detail }))
    transport.close(close, code)
    end()
  }

  function fail(error: unknown, thread?: string): void {
    if (error instanceof Problem) return complain(error, thread)
    parts.onError(error)
    complain(new Problem('internal', { retryMs: 2_000 }), thread)
  }

  async function identify(): Promise<void> {
    const asked = credentials
    const heard = (meanwhile = new Set<string>())
    try {
      let found = await accounts.identify(asked)
      // The answer may be from before a ban of which word came while it was under way.
      while (found !== null && heard.delete(found.actor.id)) found = await accounts.identify(asked)
      // Signed in anew meanwhile: that answer counts, not this one.
      if (asked === credentials) identity = found
    } catch (error) {
      fail(error)
    } finally {
      if (meanwhile === heard) meanwhile = undefined
    }
  }

  async function receive(frame: string): Promise<void> {
    if (ended) return
    if (parts.limited && messages.left() < 1)
      return reject('rate-limited', 'too many messages', closeCodes.rate)
    messages.take(1)
    if (Buffer.byteLength(frame) > limits.frameBytes) {
      return reject('too-large', `a frame has at most ${limits.frameBytes} bytes`, closeCodes.tooLarge)
    }
    const message = parse(frame)
    if (message === undefined)
      return reject('invalid', 'the frame is not a message of this protocol', closeCodes.badFrame)
    // Reading needs no account, so it does not wait until it is known who asks.
    if (message.type !== 'typing' && message.type !== 'auth') return dispatch(message)
    queue = queue.then(() => dispatch(message)).catch(fail)
    await queue
  }

  async function dispatch(message: Up): Promise<void> {
    if (ended) return
    switch (message.type) {
      case 'join':
        // Joins do not wait for each other: a page of threads would pay for each in turn.
        void join(message).catch((error: unknown) => {
          // Where it was joined before, that still stands.
          if (joined.get(message.thread) === undefined) forget(message.thread)
          fail(error, message.thread)
        })
        return
      case 'leave':
        return leave(message.thread)
      case 'typing':
        return note(message.thread, message.parent)
      case 'text':
        return tellText(message)
      case 'auth':
        credentials = bearer(message.token)
        identity = null
        stopTyping()
        await identify()
        if (message.token !== '' && identity === null) complain(new Problem('session-ended'))
        return
    }
  }

  /** Where nothing streams under that name, the post as it is comes by its seq. */
  function tellText({ thread, post, run, at = 0 }: Extract<Up, { type: 'text' }>): void {
    const room = joined.get(thread)
    if (room === undefined || askedJustNow(run, at)) return
    try {
      allowance?.check()
    } catch (error) {
      return fail(error, thread)
    }
    const delta = room.text(post, run, at)
    if (delta === undefined) return
    const frame = textFrame(toLine(delta))
    allowance?.spend(frame.length)
    transport.deliver(frame)
  }

  /** Whoever asks again so soon did not wait for the answer. */
  function askedJustNow(run: string, at: number): boolean {
    const now = parts.now()
    const before = texts.get(run)
    if (before?.at === at && before.asked + liveLimits.textAgainMs > now) return true
    texts.delete(run)
    texts.set(run, { at, asked: now })
    if (texts.size > limits.streamsNamed) texts.delete(texts.keys().next().value!)
    return false
  }

  async function join({
    thread,
    after,
    quiet,
    brief,
    expected = false,
    have = [],
  }: Extract<Up, { type: 'join' }>): Promise<void> {
    allowance?.check()
    const waits = expected && after === 0
    if (!joined.has(thread) && joined.size >= limits.joinedThreads) throw new Problem('too-many-threads')
    if (waits && !awaited.has(thread)) {
      if (awaited.size >= liveLimits.awaitedThreads) throw new Problem('too-many-threads')
      awaited.add(thread)
    }
    if (!joined.has(thread)) joined.set(thread, undefined)
    const room = await hub.room(thread, waits)
    if (ended || !joined.has(thread)) return
    const known = new Map(have.map(({ run, at }) => [run, at]))
    await room.join(transport, { after, quiet, brief, have: known, allowance })
    if (!ended && joined.has(thread)) joined.set(thread, room)
    else room.leave(transport)
  }

  function leave(thread: string): void {
    joined.get(thread)?.leave(transport)
    forget(thread)
  }

  function forget(thread: string): void {
    joined.delete(thread)
    awaited.delete(thread)
  }

  function note(thread: string, parent: number | null): void {
    const room = joined.get(thread)
    if (room === undefined) return
    if (!can(identity?.actor ?? null, 'type')) return complain(new Problem('sign-in-required'), thread)
    const { id, name } = identity!.actor
    room.presence.type(transport.id, { id, name }, parent)
  }

  function stopTyping(): void {
    for (const room of joined.values()) room?.presence.type(transport.id, { id: '', name: '' }, null)
  }

  async function accountChanged({ userId, sessionId }: AccountChange): Promise<void> {
    meanwhile?.add(userId)
    if (identity?.actor.id !== userId) return
    if (sessionId !== undefined && identity.sessionId !== sessionId) return
    // At once, and given back only if the credentials still hold.
    identity = null
    stopTyping()
    await identify()
    if (identity === null) complain(new Problem('session-ended'))
  }

  function heartbeat(): void {
    const heads = [...joined].flatMap(([thread, room]) =>
      room ? [toLine({ type: 'head', thread, seq: room.head })] : [],
    )
    if (heads.length > 0) transport.mention(textFrame(heads.join('\n')))
  }

  function end(): void {
    ended = true
    for (const room of joined.values()) room?.leave(transport)
    joined.clear()
  }

  return {
    get identity() {
      return identity
    },
    receive,
    accountChanged,
    heartbeat,
    end,
  }
}

/** A token as a request would carry it; one that no header can hold is nobody's. */
function bearer(token: string): Headers {
  return new Headers(/^[\x21-\x7e]+$/.test(token) ? { authorization: `Bearer ${token}` } : {})
}

function parse(frame: string): Up | undefined {
  try {
    const result = up.safeParse(JSON.parse(frame))
    return result.success ? result.data : undefined
  } catch {
    return undefined
  }
}
