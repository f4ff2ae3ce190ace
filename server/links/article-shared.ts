/** Work that several readers may wait for. */
export interface SharedWork<T> {
  /** The result of the work under `key`, which `work` begins if nobody has. Throws its error, or the signal's reason. */
  join(key: string, work: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T>
  /** Breaks off all work, and waits until it has ended. */
  close(reason: Error): Promise<void>
}

/** One piece of work for all who want the same at the same time. It is broken off when the last of them has left. */
export function createSharedWork<T>(): SharedWork<T> {
  const running = new Map<
    string,
    { readonly result: Promise<T>; readonly stop: AbortController; readers: number }
  >()
  return {
    async join(key, work, signal) {
      signal.throwIfAborted()
      let shared = running.get(key)
      if (!shared) {
        const stop = new AbortController()
        shared = { result: work(stop.signal), stop, readers: 0 }
        running.set(key, shared)
      }
      shared.readers++
      try {
        return await until(signal, shared.result)
      } finally {
        if (--shared.readers === 0) {
          if (running.get(key) === shared) running.delete(key)
          shared.stop.abort(new Error('nobody waits for it any more'))
        }
      }
    },
    async close(reason) {
      const all = [...running.values()]
      for (const { stop } of all) stop.abort(reason)
      await Promise.allSettled(all.map(({ result }) => result))
    },
  }
}

/** What `work` gives, or the signal's reason as soon as it is aborted. */
async function until<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  let stop!: () => void
  const aborted = new Promise<never>((_resolve, reject) => {
    stop = () => reject(signal.reason as Error)
    signal.addEventListener('abort', stop, { once: true })
  })
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
