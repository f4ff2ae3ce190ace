/** A length of time, in milliseconds, as text: "0.8 s", "12 s", "2 min 5 s", "3 h". */
export function duration(ms: number): string {
  if (ms < 9_950 && ms % 1000 !== 0) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600)
    return `${Math.floor(seconds / 60)} min${seconds % 60 === 0 ? '' : ` ${seconds % 60} s`}`
  return `${Math.round(seconds / 3600)} h`
}

/** A price as text. Replies cost little, so what there is of it is shown with two digits that count. */
export function price({ amount, currency }: { amount: number; currency: string }): string {
  if (amount > 0 && amount < 0.0001) return `less than 0.0001 ${currency}`
  return `${amount < 1 && amount > 0 ? amount.toPrecision(2) : amount.toFixed(2)} ${currency}`
}
