/** How one of many came out that were done in one go. */
export type Outcome<O> = { value: O } | { error: unknown }

/**
 * Does for many at once what each asks for alone. Who comes while nothing is under way is served at once; who comes while
 * something is goes with the others of the next round. So alone nobody waits, and the more there are, the less each costs.
 * At most `most` go together. `run` gives outcomes in the order of the items; where it rejects, all of them fail with that.
 * `onIdle` is called when nobody waits any more.
 */
export function createBatcher<I, O>(parts: {
  most: number
  run(items: readonly I[]): Promise<readonly Outcome<O>[]>
  onIdle?(): void
}): (item: I) => Promise<O> {
  type Waiting = { item: I; resolve: (value: O) => void; reject: (error: unknown) => void }
  let waiting: Waiting[] = []
  let busy = false

  async function work(): Promise<void> {
    busy = true
    while (waiting.length > 0) {
      const round = waiting.slice(0, parts.most)
      waiting = waiting.slice(parts.most)
      try {
        const outcomes = await parts.run(round.map(({ item }) => item))
        round.forEach(({ resolve, reject }, i) => {
          const outcome = outcomes[i]!
          if ('value' in outcome) resolve(outcome.value)
          else reject(outcome.error)
        })
      } catch (error) {
        for (const { reject } of round) reject(error)
      }
    }
    busy = false
    parts.onIdle?.()
  }

  return (item) =>
    new Promise<O>((resolve, reject) => {
      waiting.push({ item, resolve, reject })
      if (!busy) void work()
    })
}
