import type { Down } from '../../shared/live.ts'
import type { Post } from '../../shared/post.ts'

/** What nodes tell each other on a thread's topic. */
export type ThreadMessage =
  /** A durable change: `line` is the message to clients, made once by the node that wrote it. */
  | { kind: 'change'; seq: number; committedAt: number; line: string; reply?: ReplyState }
  /** A piece of a reply that is being written: `line` is the message to clients. */
  | ({ kind: 'delta'; line: string } & StreamPlace)
  /** What a node's viewers do, or with `body` empty: a node asks the others to tell. */
  | { kind: 'presence'; body: string }

/** An AI reply that a change begins or ends. */
export interface ReplyState {
  readonly post: number
  readonly run: string
  readonly streaming: boolean
}

/** Which piece of which reply. `epoch` tells the run's rightful owner from one that was taken for dead. */
export interface StreamPlace {
  readonly post: number
  readonly run: string
  readonly epoch: number
  /** UTF-16 units. */
  readonly at: number
}

/**
 * A header line, then the body, which is one line, as it is: the room needs the seq of a change and need not parse what it
 * passes on. Several such pairs, joined by line breaks, travel as one message of the bus. `committedAt` is in milliseconds
 * since 1970 by the writer's clock.
 */
export function encodeThreadMessage(message: ThreadMessage): string {
  switch (message.kind) {
    case 'change': {
      const { seq, committedAt, line, reply } = message
      const about = reply ? ` ${reply.post} ${reply.run} ${reply.streaming ? 'streaming' : 'ended'}` : ''
      return `c ${seq} ${committedAt}${about}\n${line}`
    }
    case 'delta':
      return `d ${message.post} ${message.run} ${message.epoch} ${message.at}\n${message.line}`
    case 'presence':
      return `p\n${message.body}`
  }
}

/** Reads what `encodeThreadMessage` wrote, one or several; what else there is is left out (a newer node may say more). */
export function decodeThreadMessages(text: string): ThreadMessage[] {
  const lines = text.split('\n')
  const messages: ThreadMessage[] = []
  for (let i = 0; i + 1 < lines.length; i += 2) {
    const message = decode(lines[i]!, lines[i + 1]!)
    if (message !== undefined) messages.push(message)
  }
  return messages
}

function decode(header: string, body: string): ThreadMessage | undefined {
  const [kind, ...fields] = header.split(' ')
  if (kind === 'p') return { kind: 'presence', body }
  if (kind === 'd') {
    const [post, run = '', epoch, at] = fields
    return { kind: 'delta', post: Number(post), run, epoch: Number(epoch), at: Number(at), line: body }
  }
  const [seq, committedAt, post, run, state] = fields
  if (kind !== 'c' || !Number.isSafeInteger(Number(seq)) || Number(seq) < 1) return undefined
  return {
    kind: 'change',
    seq: Number(seq),
    committedAt: Number(committedAt),
    line: body,
    ...(run !== undefined && { reply: { post: Number(post), run, streaming: state === 'streaming' } }),
  }
}

/** A message to clients as the line that goes over the wire. */
export function toLine(message: Down): string {
  return JSON.stringify(message)
}

/** What a post says of the reply that it is; undefined for one that no run wrote. */
export function replyOf({ number, run, state }: Post): ReplyState | undefined {
  return run === undefined ? undefined : { post: number, run, streaming: state === 'streaming' }
}
