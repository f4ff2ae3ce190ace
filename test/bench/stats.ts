/** Latencies in milliseconds. */
export interface Percentiles {
  p50: number
  p95: number
  p99: number
  max: number
}

export function percentiles(values: readonly number[] | Float64Array): Percentiles {
  const sorted = Float64Array.from(values).sort()
  const at = (share: number) => atShare(sorted, share)
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) }
}

/** The smallest value that at least this share of all does not exceed. NaN where there are none. */
function atShare(sorted: Float64Array, share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? NaN
}

export interface Spread {
  min: number
  median: number
  max: number
}

/** Of what several rounds gave. The median of an even number is the mean of the two in the middle. */
export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  const median = (sorted[Math.ceil(middle) - 1]! + sorted[Math.floor(middle)]!) / 2
  return { min: sorted[0] ?? NaN, median, max: sorted.at(-1) ?? NaN }
}

/** Of the same rounds, one to the other: what slowed a whole round down slowed both. */
export function ratios(ours: readonly number[], theirs: readonly number[]): Spread {
  const rounds = Math.min(ours.length, theirs.length)
  return spread(Array.from({ length: rounds }, (_, round) => ours[round]! / theirs[round]!))
}

/** Everybody's turn in a round: each begins once before any begins again. */
export function rotated<T>(all: readonly T[], round: number): T[] {
  const by = all.length === 0 ? 0 : round % all.length
  return [...all.slice(by), ...all.slice(0, by)]
}

/** A number as a table shows it: three digits that say something. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return '–'
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString('en-US')
  return String(Number(value.toPrecision(3)))
}
