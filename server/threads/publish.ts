import type { Bus } from '../bus/bus.ts'
import { encodeThreadMessage, replyOf, toLine } from '../bus/messages.ts'
import type { Change } from '../store/change.ts'

/** UTF-16 units of changes that travel as one message of the bus, one large change aside. */
const mostText = 256 * 1024

/** Tells every node of changes that are committed, in their order. What is lost on the way is found by comparing heads. */
export function publishChanges(bus: Bus, thread: string, changes: readonly Change[]): void {
  const committedAt = Date.now()
  let together: string[] = []
  let text = 0
  const send = () => {
    if (together.length > 0) void bus.publish(thread, together.join('\n'))
    together = []
    text = 0
  }
  for (const change of changes) {
    const { seq } = change
    const line =
      'post' in change ? toLine({ type: 'post', thread, seq, post: change.post }) : threadLine(change)
    const reply = 'post' in change ? replyOf(change.post) : undefined
    const message = encodeThreadMessage({ kind: 'change', seq, committedAt, line, ...(reply && { reply }) })
    if (text + message.length > mostText) send()
    together.push(message)
    text += message.length
  }
  send()
}

function threadLine({ seq, info }: Extract<Change, { info: unknown }>): string {
  const { id: thread, ...rest } = info
  return toLine({ type: 'thread', thread, seq, ...rest })
}
