import type { Post } from '../../shared/post.ts'
import type { PostChanged, ThreadChanged } from '../../shared/live.ts'
import type { Thread } from '../../shared/thread.ts'
import { threadOf } from '../../shared/thread-state.ts'
import { liveLimits } from './limits.ts'

/** The latest changes of a thread without a hole among them, as lines. */
export interface Ring {
  /** Adds the change that follows the newest. */
  push(seq: number, line: string): void
  /** Forgets everything; the next change pushed may have any seq. */
  clear(): void
  /** Whether everything after `after` up to the newest is here; true for the newest itself. */
  covers(after: number, newest: number): boolean
  /** What changed after `after`: each post once, as it is now. */
  since(after: number): { posts: Post[]; info?: Thread }
}

interface Entry {
  readonly seq: number
  readonly line: string
  /** What the line says, once someone asked. */
  read?: PostChanged | ThreadChanged
}

/** `most` is how much the lines may hold together, in UTF-16 units. */
export function createRing(size: number = liveLimits.ring, most: number = liveLimits.ringText): Ring {
  let entries: Entry[] = []
  let text = 0

  /** In large steps: a shift at each push would move the whole ring. */
  function cut(): void {
    let from = Math.max(0, entries.length - size)
    text = 0
    for (let i = from; i < entries.length; i++) text += entries[i]!.line.length
    while (text > most / 2 && from < entries.length) text -= entries[from++]!.line.length
    entries = entries.slice(from)
  }

  return {
    push(seq, line) {
      entries.push({ seq, line })
      text += line.length
      if (entries.length > 2 * size || text > most) cut()
    },
    clear() {
      entries = []
      text = 0
    },
    covers(after, newest) {
      return after >= newest || (entries.length > 0 && entries[0]!.seq <= after + 1)
    },
    since(after) {
      const posts = new Map<number, Post>()
      let info: Thread | undefined
      for (const entry of entries) {
        if (entry.seq <= after) continue
        // The line was made by a node of ours from typed values. Read once: anyone may ask from any seq, any time.
        const message = (entry.read ??= JSON.parse(entry.line) as PostChanged | ThreadChanged)
        if (message.type === 'thread') info = threadOf(message)
        else {
          posts.delete(message.post.number)
          posts.set(message.post.number, message.post)
        }
      }
      return { posts: [...posts.values()], ...(info && { info }) }
    },
  }
}
