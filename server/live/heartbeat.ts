import { liveLimits } from './limits.ts'

/**
 * Calls `visit` for all `visited` every `everyMs`, in slices with rests between them: thousands of writes in one turn of
 * the event loop would hold up everything else. `visit` is given a map that is new for each slice. Gives what ends it.
 */
export function startHeartbeat<T, K, V>(
  everyMs: number,
  visited: Iterable<T>,
  visit: (each: T, shared: Map<K, V>) => void,
): () => void {
  let pause: NodeJS.Timeout | undefined
  const interval = setInterval(() => {
    // Where the last beat is not through yet, another one would take answers that are due for missing.
    if (pause === undefined) slice(visited[Symbol.iterator]())
  }, everyMs)
  interval.unref()

  function slice(rest: Iterator<T>): void {
    pause = undefined
    const shared = new Map<K, V>()
    const until = performance.now() + liveLimits.sliceMs
    do {
      for (let i = 0; i < liveLimits.sliceWrites; i++) {
        const { done, value } = rest.next()
        if (done === true) return
        visit(value, shared)
      }
    } while (performance.now() < until)
    pause = setTimeout(slice, liveLimits.beatRestMs, rest).unref()
  }

  return () => {
    clearInterval(interval)
    clearTimeout(pause)
  }
}
