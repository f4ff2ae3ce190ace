import { LRUCache } from 'lru-cache'
import type { Bus } from '../bus/bus.ts'
import { decodeThreadMessages } from '../bus/messages.ts'
import { liveLimits } from './limits.ts'

/** What this node has committed of late: who wrote here reads what they wrote here, whatever the bus does. */
export interface Committed {
  note(thread: string, seq: number): void
  /** The highest seq of a thread that was noted; 0 where there is none. */
  seq(thread: string): number
}

export function createCommitted(): Committed {
  const noted = new LRUCache<string, number>({
    max: liveLimits.committedThreads,
    ttl: liveLimits.committedMs,
    ttlResolution: 0,
    perf: { now: () => performance.now() },
  })
  return {
    note(thread, seq) {
      noted.set(thread, Math.max(seq, noted.get(thread) ?? 0))
    },
    seq: (thread) => noted.get(thread) ?? 0,
  }
}

/** A bus that notes the changes which are published on it: those are committed. */
export function noting(bus: Bus, committed: Committed): Bus {
  return {
    publish(topic, message) {
      // Pieces of replies are the most, and are no changes.
      if (message.startsWith('c ')) {
        for (const each of decodeThreadMessages(message)) {
          if (each.kind === 'change') committed.note(topic, each.seq)
        }
      }
      return bus.publish(topic, message)
    },
    subscribe: (topic, handler) => bus.subscribe(topic, handler),
    onRecovered: (handler) => bus.onRecovered(handler),
    get up() {
      return bus.up
    },
    close: () => bus.close(),
  }
}
