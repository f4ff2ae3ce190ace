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

export function createRing(size: number = liveLimits.ring): Ring {
  let entries: { seq: number; line: string }[] = []
  return {
    push(seq, line) {
      entries.push({ seq, line })
      // Cut in large steps: a shift at each push would move the whole ring.
      if (entries.length > 2 * size) entries = entries.slice(-size)
    },
    clear() {
      entries = []
    },
    covers(after, newest) {
      return after >= newest || (entries.length > 0 && entries[0]!.seq <= after + 1)
    },
    since(after) {
      const posts = new Map<number, Post>()
      let info: Thread | undefined
      for (const { seq, line } of entries) {
        if (seq <= after) continue
        // The line was made by a node of ours from typed values.
        const message = JSON.parse(line) as PostChanged | ThreadChanged
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
