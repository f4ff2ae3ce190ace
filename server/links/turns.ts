/** Lets `atOnce` pieces of work run and `waiting` more wait; whatever comes beyond that gets null. */
export function turns(atOnce: number, waiting: number) {
  const line: (() => void)[] = []
  let running = 0
  return async <T>(work: () => Promise<T>): Promise<T | null> => {
    if (running >= atOnce) {
      if (line.length >= waiting) return null
      // Whoever ends hands over its place, so `running` stays as it is.
      await new Promise<void>((resolve) => line.push(resolve))
    } else running++
    try {
      return await work()
    } finally {
      const next = line.shift()
      if (next) next()
      else running--
    }
  }
}
