/**
 * The text so far of replies that are being written, for those who join in their midst. It may be lost like anything
 * that is not in the database: nothing here throws.
 */
export interface LiveText {
  /** Notes that the text of `run` is `text` now, of which the first `known` UTF-16 units were noted before. */
  write(run: string, text: string, known: number): Promise<void>
  /** The text; empty where none is known. */
  read(run: string): Promise<string>
  forget(run: string): Promise<void>
}

/** For one process. */
export function createMemoryLiveText(): LiveText {
  const texts = new Map<string, string>()
  return {
    async write(run, text) {
      texts.set(run, text)
    },
    read: (run) => Promise.resolve(texts.get(run) ?? ''),
    async forget(run) {
      texts.delete(run)
    },
  }
}
