export type Handler = (message: string) => void

/** Who listens to what on this node. */
export interface Handlers {
  /** A function that is added twice is called twice. */
  add(topic: string, handler: Handler): Added
  /** Hands `message` to the topic's handlers. */
  dispatch(topic: string, message: string): void
  clear(): void
}

export interface Added {
  /** Whether it is the topic's first. */
  readonly first: boolean
  /** Takes it away again. True when it was the topic's last. */
  readonly remove: () => boolean
}

/** `onError` gets what a handler throws: the other handlers are called all the same. */
export function createHandlers(onError: (error: unknown) => void): Handlers {
  const byTopic = new Map<string, Set<{ handler: Handler }>>()
  return {
    add(topic, handler) {
      const known = byTopic.get(topic)
      const entries = known ?? new Set()
      const entry = { handler }
      entries.add(entry)
      byTopic.set(topic, entries)
      return {
        first: known === undefined,
        remove() {
          if (!entries.delete(entry) || entries.size > 0) return false
          return byTopic.get(topic) === entries && byTopic.delete(topic)
        },
      }
    },
    dispatch(topic, message) {
      for (const { handler } of byTopic.get(topic) ?? []) {
        try {
          handler(message)
        } catch (error) {
          onError(error)
        }
      }
    },
    clear: () => byTopic.clear(),
  }
}
