/** One entry of the browser's storage. Where storage is refused or full, things are simply not remembered. */
export interface Remembered {
  get(): string | null
  set(value: string | null): void
}

export function remembered(key: string): Remembered {
  const name = `numinex:${key}`
  return {
    get() {
      try {
        return localStorage.getItem(name)
      } catch {
        return null
      }
    },
    set(value) {
      try {
        if (value === null) localStorage.removeItem(name)
        else localStorage.setItem(name, value)
      } catch {
        // Nothing depends on it.
      }
    },
  }
}

/** What is remembered under a key as JSON; nothing when it cannot be read. */
export function readJson<T>(entry: Remembered): T | undefined {
  try {
    return (JSON.parse(entry.get() ?? 'null') as T | null) ?? undefined
  } catch {
    return undefined
  }
}
