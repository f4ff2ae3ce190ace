import type { Down } from '../../shared/live.ts'

/** What nodes tell each other on a thread's topic. */
export type ThreadMessage =
  /** A durable change: `line` is the message to clients, made once by the node that wrote it. */
  | { kind: 'change'; seq: number; committedAt: number; line: string }
  /** What a node's viewers do, or with `body` empty: a node asks the others to tell. */
  | { kind: 'presence'; body: string }

/**
 * A header line, then the body as it is: the room needs the seq of a change and need not parse what it passes on.
 * `committedAt` is in milliseconds since 1970 by the writer's clock.
 */
export function encodeThreadMessage(message: ThreadMessage): string {
  return message.kind === 'change'
    ? `c ${message.seq} ${message.committedAt}\n${message.line}`
    : `p\n${message.body}`
}

/** Reads what `encodeThreadMessage` wrote; undefined for anything else (a newer node may say more). */
export function decodeThreadMessage(text: string): ThreadMessage | undefined {
  const end = text.indexOf('\n')
  if (end === -1) return undefined
  const [kind, seq, committedAt] = text.slice(0, end).split(' ')
  const body = text.slice(end + 1)
  if (kind === 'p') return { kind: 'presence', body }
  if (kind !== 'c' || !Number.isSafeInteger(Number(seq)) || Number(seq) < 1) return undefined
  return { kind: 'change', seq: Number(seq), committedAt: Number(committedAt), line: body }
}

/** A message to clients as the line that goes over the wire. */
export function toLine(message: Down): string {
  return JSON.stringify(message)
}
