const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** A day as text, in UTC: "23 Nov 2025". */
export function day(iso: string): string {
  const date = new Date(iso)
  return `${date.getUTCDate()} ${months[date.getUTCMonth()]} ${date.getUTCFullYear()}`
}

/** A moment as text, in UTC: "23 Nov 2025, 05:39 UTC". */
export function moment(iso: string): string {
  return `${day(iso)}, ${iso.slice(11, 16)} UTC`
}

const minute = 60_000
const hour = 60 * minute

/** How long ago a moment was, for as long as that is easier to read than its date. `now` is in milliseconds since 1970. */
export function ago(iso: string, now: number): string {
  const past = now - Date.parse(iso)
  if (past < minute) return 'just now'
  if (past < hour) return `${Math.floor(past / minute)} min ago`
  if (past < 24 * hour) return `${count(Math.floor(past / hour), 'hour')} ago`
  if (past < 7 * 24 * hour) return `${count(Math.floor(past / (24 * hour)), 'day')} ago`
  return day(iso)
}

/** A number with its noun: "1 post", "22 posts". */
export function count(n: number, noun: string, plural = `${noun}s`): string {
  return `${grouped(n)} ${n === 1 ? noun : plural}`
}

/** Digits in groups of three, set apart by narrow spaces from five digits on. */
export function grouped(n: number): string {
  return n < 10_000 ? String(n) : String(n).replace(/\B(?=(\d{3})+$)/g, '\u202f')
}

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

/** One or two letters that stand for a name. */
export function initials(name: string): string {
  const words = name.split(/[\s._-]+/).filter((word) => /[\p{L}\p{N}]/u.test(word))
  const letters = words.map((word) => /[\p{L}\p{N}]/u.exec(word)?.[0] ?? '')
  const chosen = letters.length > 1 ? [letters[0], letters.at(-1)] : letters
  return chosen.join('').toUpperCase() || '?'
}

/** Which of the eight quiet tones belongs to an author; always the same one. */
export function tone(id: string): number {
  let hash = 0
  for (let i = 0; i < id.length; i++) hash = (Math.imul(hash, 31) + id.charCodeAt(i)) | 0
  return Math.abs(hash) % 8
}

/** An address as people read it: host without "www.". */
export function siteOf(url: string): string {
  return URL.canParse(url) ? new URL(url).hostname.replace(/^www\./, '') : url
}

/** The address when a browser may follow it, otherwise one that leads nowhere. */
export function safeHref(url: string): string {
  return /^https?:\/\//i.test(url) ? url : '#'
}

export const threadPath = (thread: string) => `/t/${thread}`
export const postPath = (thread: string, number: number) => `/t/${thread}/${number}`
export const postAnchor = (number: number) => `#p${number}`
