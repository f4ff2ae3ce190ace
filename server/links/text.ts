/**
 * Text of a stranger's page made fit for one line of ours: no control characters, none that turn the writing
 * direction or cannot be seen, white space folded, at most `max` UTF-16 units. Null when nothing is left.
 */
export function cleanText(text: string | undefined, max: number): string | null {
  if (text === undefined) return null
  const clean = text
    // What cannot fit is cut off first: the rest of the work should not grow with the page.
    .trimStart()
    .slice(0, max * 4)
    .toWellFormed()
    .replace(/[^\S\ufeff]+/g, ' ')
    .replace(unseen, '')
    .trim()
  if (clean === '') return null
  if (clean.length <= max) return clean
  // The cut may halve a surrogate pair; what it leaves of one goes too.
  return `${clean
    .slice(0, max - 1)
    .replace(/[\ud800-\udbff]$/, '')
    .trimEnd()}…`
}

// Controls and format characters (bidirectional ones among them), but not the two joiners that scripts and emoji need.
export const unseen = /[\p{Cc}\p{Co}\p{Cn}]|(?![\u200c\u200d])\p{Cf}/gu
