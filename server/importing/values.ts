import { createHash } from 'node:crypto'
import { createThread, displayName, storable } from '../../shared/http.ts'
import { limits } from '../../shared/limits.ts'
import { importLimits } from './limits.ts'

/** Nothing that is discussed on the web is older, and nothing is from more than a day ahead (clocks differ). */
const earliest = Date.UTC(1985, 0, 1)
const dayMs = 86_400_000

/** A time that a comment can have: milliseconds, or NaN. */
export function plausibleTime(time: number): number {
  return time >= earliest && time <= Date.now() + dayMs ? Math.floor(time) : NaN
}

/** ISO 8601, or a date and time with a space between them, which is UTC where nothing else is said. NaN if it is neither. */
export function timeOf(text: unknown): number {
  if (typeof text !== 'string') return NaN
  const match = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?)(Z|[+-]\d{2}:?\d{2})?$/.exec(
    text.trim(),
  )
  if (!match) return NaN
  const [, date, time, zone = 'Z'] = match
  return plausibleTime(Date.parse(`${date}T${time}${zone}`))
}

/** Seconds since 1970. */
export function timeOfSeconds(seconds: unknown): number {
  return typeof seconds === 'number' ? plausibleTime(seconds * 1000) : NaN
}

/** A name as accounts may have it. */
export function nameOf(name: string, otherwise = 'Anonymous'): string {
  const parsed = displayName.safeParse(cut(name.normalize('NFC'), limits.nameMax, ''))
  return parsed.success ? parsed.data : otherwise
}

/** A title as threads may have it; empty where nothing is left of it. */
export function titleOf(title: string): string {
  const { data } = createThread.shape.title.safeParse(cut(title, limits.titleMax, '…'))
  return data ?? ''
}

/** The beginning of a line of text, ended by `end` where there is more. No character is cut in two. */
function cut(text: string, max: number, end: string): string {
  const line = text
    .slice(0, 20 * max)
    .replace(/\s+/g, ' ')
    .trim()
  if (line.length <= max) return line
  return (
    line
      .slice(0, max - end.length)
      .replace(/[\ud800-\udbff]$/, '')
      .trimEnd() + end
  )
}

/** An id of the source as it is kept. */
export function idOf(id: string): string {
  const text = storable(id).trim()
  if (text.length <= importLimits.idMax) return text
  return `${text.slice(0, 400)}…${createHash('sha256').update(text).digest('base64url')}`
}

/** What addresses of mail are compared by: SHA-256 of the one in lower case, hex. */
export function emailHash(email: string): string {
  return createHash('sha256').update(email.trim().toLowerCase()).digest('hex')
}

/** Entities that some systems put into what is no HTML: names, titles. */
export function unescaped(text: string): string {
  return text.replace(
    /&(amp|lt|gt|quot|#0?39|#x27);/gi,
    (_, name: string) => entities[name.toLowerCase()] ?? "'",
  )
}
const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"' }

/** Who has no account and gives an address or a name: the same address, or else the same name, is the same person. */
export function looseAuthor(name: string, email: string): { sourceId: string; name: string; email?: string } {
  const shown = nameOf(name)
  if (/^\S+@\S+$/.test(email.trim())) return { sourceId: `email:${emailHash(email)}`, name: shown, email }
  return { sourceId: `name:${shown}`, name: shown }
}
