import type { Down } from '../shared/live.ts'

const types: ReadonlySet<string> = new Set([
  'welcome',
  'joined',
  'post',
  'thread',
  'delta',
  'more',
  'presence',
  'head',
  'goodbye',
  'error',
] satisfies Down['type'][])

const withoutThread: ReadonlySet<string> = new Set([
  'welcome',
  'more',
  'goodbye',
  'error',
] satisfies Down['type'][])

/**
 * The messages of a frame, one JSON object a line. Our own server wrote them, so their insides are trusted; a line
 * that is no message, or one of a type this client does not know yet, is left out.
 */
export function readFrame(frame: unknown): Down[] {
  if (typeof frame !== 'string') return []
  const messages: Down[] = []
  for (const line of frame.split('\n')) {
    const message = readLine(line)
    if (message !== undefined) messages.push(message)
  }
  return messages
}

function readLine(line: string): Down | undefined {
  try {
    const value = JSON.parse(line) as { type?: unknown; thread?: unknown } | null
    if (value === null || typeof value.type !== 'string' || !types.has(value.type)) return undefined
    if (!withoutThread.has(value.type) && typeof value.thread !== 'string') return undefined
    return value as Down
  } catch {
    return undefined
  }
}
