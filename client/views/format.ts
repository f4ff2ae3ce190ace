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
