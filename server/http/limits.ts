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
  /** A page of a thread whose JSON is larger is shown piece by piece while it is made, so that nobody waits for all of it. */
  wholePageBytes: 4 * 1024 * 1024,
  /** A page of one whose JSON is larger than this is not kept at all: it would leave too little room for others. */
  keptPageBytes: 16 * 1024 * 1024,
  /** Of how many such pages it is remembered that somebody has read them: the second reader has them made for all. */
  longPagesRead: 1_000,
} as const
