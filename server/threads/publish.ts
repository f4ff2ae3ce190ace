import type { Bus } from '../bus/bus.ts'
import { encodeThreadMessage, replyOf, toLine } from '../bus/messages.ts'
import type { Change } from '../store/change.ts'

/** Tells every node of changes that are committed, in their order. What is lost on the way is found by comparing heads. */
export function publishChanges(bus: Bus, thread: string, changes: readonly Change[]): void {
  const committedAt = Date.now()
  for (const change of changes) {
    const { seq } = change
    const line =
      'post' in change ? toLine({ type: 'post', thread, seq, post: change.post }) : threadLine(change)
    const reply = 'post' in change ? replyOf(change.post) : undefined
    void bus.publish(
      thread,
      encodeThreadMessage({ kind: 'change', seq, committedAt, line, ...(reply && { reply }) }),
    )
  }
}

function threadLine({ seq, info }: Extract<Change, { info: unknown }>): string {
  const { id: thread, ...rest } = info
  return toLine({ type: 'thread', thread, seq, ...rest })
}
