/** One thing to be looked up. `key` tells it from others; `host` is who is asked. */
export interface Lookup {
  readonly key: string
  readonly host: string
  /** Does it. Must not reject. */
  run(): Promise<void>
}

export interface QueueLimits {
  readonly atOnce: number
  readonly perHost: number
  readonly waiting: number
}

export interface LookupQueue {
  /** Takes `lookup` unless one with its key waits or runs. False when the queue is full. */
  add(lookup: Lookup): boolean
  /** Forgets what waits and resolves when nothing runs. Nothing is taken any more. */
  close(): Promise<void>
}

/** Runs look-ups, so many at a time and so many to one host. Calls `onIdle` whenever nothing is left to do. */
export function createLookupQueue(limits: QueueLimits, onIdle: () => void): LookupQueue {
  const waiting = new Map<string, Lookup>()
  const running = new Map<string, Promise<void>>()
  const hosts = new Map<string, number>()
  let closed = false

  return {
    add(lookup) {
      if (closed || running.has(lookup.key) || waiting.has(lookup.key)) return true
      if (waiting.size >= limits.waiting) return false
      waiting.set(lookup.key, lookup)
      startNext()
      return true
    },
    async close() {
      closed = true
      waiting.clear()
      await Promise.all(running.values())
    },
  }

  function startNext(): void {
    for (const lookup of waiting.values()) {
      if (running.size >= limits.atOnce) return
      if ((hosts.get(lookup.host) ?? 0) < limits.perHost) start(lookup)
    }
  }

  function start(lookup: Lookup): void {
    const { key, host } = lookup
    waiting.delete(key)
    hosts.set(host, (hosts.get(host) ?? 0) + 1)
    running.set(
      key,
      lookup.run().finally(() => {
        running.delete(key)
        const left = hosts.get(host)! - 1
        if (left === 0) hosts.delete(host)
        else hosts.set(host, left)
        startNext()
        if (!closed && running.size === 0 && waiting.size === 0) onIdle()
      }),
    )
  }
}
