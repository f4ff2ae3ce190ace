/**
 * How many tokens a text takes, estimated. Each model counts in its own way, so the estimate errs on the high side: about
 * 3.4 letters of English to a token, fewer in languages whose letters have marks, fewer still in other scripts, and more
 * than one token for a character of Chinese, Japanese or Korean. Estimates of parts add up to at least that of the whole.
 */
export function estimateTokens(text: string): number {
  let total = 0
  for (let at = 0; at < text.length; at++) total += weight(text.charCodeAt(at))
  return Math.ceil(total / perToken)
}

/** How many UTF-16 units of a text, from its beginning, take no more than so many tokens. Never ends within a character. */
export function unitsWithin(text: string, tokens: number): number {
  let left = tokens * perToken
  for (let at = 0; at < text.length; at++) {
    left -= weight(text.charCodeAt(at))
    if (left < 0) return /[\ud800-\udbff]/.test(text[at - 1] ?? '') ? at - 1 : at
  }
  return text.length
}

/** The least that a byte of UTF-8 can cost: for knowing by its size alone that a text is too long. */
export const tokensPerByte = 0.25

/** Weights are whole numbers, so that it does not matter in which order they are added up. */
const perToken = 100

function weight(unit: number): number {
  if (unit < 0x80) {
    const letter = (unit >= 0x61 && unit <= 0x7a) || unit === 0x20
    if (letter) return 29
    return unit >= 0x41 && unit <= 0x5a ? 40 : 75
  }
  // Latin with marks, then Greek, Cyrillic, Hebrew and Arabic.
  if (unit < 0x250) return 170
  if (unit < 0x700) return 100
  // Typographic quotes and dashes.
  if (unit >= 0x2010 && unit <= 0x2027) return 100
  // Halves of what lies beyond the basic plane: emoji, rare characters.
  if (unit >= 0xd800 && unit <= 0xdfff) return 160
  if (unit >= 0x2e80) return 130
  return 150
}
