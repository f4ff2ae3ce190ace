/** Something that is loaded when it is first needed. */
export interface Later<T> {
  /** Loads it, if nobody did before. */
  load(): void
  /** Does something with it once it is there. Rejects when it cannot be loaded; the next use tries again. */
  use<R>(action: (loaded: T) => R | Promise<R>): Promise<R>
}

export function later<T>(make: () => Promise<T>): Later<T> {
  let loaded: Promise<T> | undefined
  const get = () =>
    (loaded ??= make().catch((error: unknown) => {
      loaded = undefined
      throw error
    }))
  return {
    load: () => void get().catch(() => {}),
    use: async (action) => action(await get()),
  }
}
