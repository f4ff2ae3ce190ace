/** Promises that wait for something with a name to happen. */
export interface Waiters {
  wait(name: string): Promise<void>
  /** Resolves all that wait for `name`. */
  release(name: string): void
  rejectAll(error: Error): void
}

export function createWaiters(): Waiters {
  const waiting = new Map<string, { resolve: () => void; reject: (error: Error) => void }[]>()
  return {
    wait: (name) =>
      new Promise((resolve, reject) => {
        const others = waiting.get(name) ?? []
        waiting.set(name, [...others, { resolve, reject }])
      }),
    release(name) {
      for (const { resolve } of waiting.get(name) ?? []) resolve()
      waiting.delete(name)
    },
    rejectAll(error) {
      for (const { reject } of [...waiting.values()].flat()) reject(error)
      waiting.clear()
    },
  }
}
