/** What answers that are kept may take; sizes in bytes, times in milliseconds. */
export const answerLimits = {
  /** Memory for answers, as they are and compressed: threads as JSON, their pages, frames and feeds. */
  keptBytes: 64 * 1024 * 1024,
  /**
   * How long an answer is kept at the most. What it shows beside its thread's versions (an author's new name, a card whose
   * node failed before it could say that it changed) is at most so old.
   */
  keptMs: 60_000,
  /** From here on an answer is compressed for who takes that. */
  compressFrom: 1024,
  /** How hard: done once for many readers, off the main thread, but one waits for it. */
  zipLevel: 6,
  brotliQuality: 5,
  /** A thread whose JSON is larger is shown piece by piece to each reader, so that nobody waits for the whole of it. */
  wholePageBytes: 4 * 1024 * 1024,
} as const
