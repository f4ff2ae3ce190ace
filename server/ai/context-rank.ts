/**
 * How well texts answer to a question: plain counting, for any language. Where a script sets no spaces between words, pairs
 * of characters take their place.
 */

/** The words of a text, in lower case, without accents and the most usual endings of plurals. */
export function wordsOf(text: string): string[] {
  const words: string[] = []
  for (const [run] of text.normalize('NFKC').toLowerCase().matchAll(runs)) {
    if (!spaceless.test(run)) words.push(stem(run))
    else {
      const characters = Array.from(run)
      characters.forEach((character, at) => {
        if (at + 1 < characters.length) words.push(character + characters[at + 1]!)
        // One character of Chinese is often a word.
        if (/\p{sc=Han}/u.test(character) || characters.length === 1) words.push(character)
      })
    }
  }
  return words
}

const unspaced =
  '\\p{sc=Han}\\p{sc=Hiragana}\\p{sc=Katakana}\\p{sc=Thai}\\p{sc=Lao}\\p{sc=Khmer}\\p{sc=Myanmar}'
const spaceless = new RegExp(`^[${unspaced}]`, 'u')
const runs = new RegExp(`[${unspaced}]+|(?:(?![${unspaced}])[\\p{L}\\p{N}\\p{Mn}'’])+`, 'gu')

function stem(word: string): string {
  const plain = /^[a-z0-9]*$/.test(word) ? word : word.normalize('NFD').replace(/[\p{Mn}'’]/gu, '')
  if (plain.length <= 4) return plain
  return plain.replace(/ies$/, 'y').replace(/(?<=s|x|z|ch|sh)es$|(?<![sui])s$/, '')
}

/** A text's words, counted. */
export interface Counted {
  readonly counts: ReadonlyMap<string, number>
  readonly length: number
}

export function countWords(words: readonly string[]): Counted {
  const counts = new Map<string, number>()
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1)
  return { counts, length: words.length }
}

/** How much a word tells texts apart: 0 for one that is in all of them. */
export function rarity(texts: readonly Counted[]): (word: string) => number {
  const frequency = new Map<string, number>()
  for (const { counts } of texts)
    for (const word of counts.keys()) frequency.set(word, (frequency.get(word) ?? 0) + 1)
  return (word) => {
    const n = frequency.get(word) ?? 0
    return Math.log(1 + (texts.length - n + 0.5) / (n + 0.5))
  }
}

/** BM25: how well each text answers to the words of a question. Nothing in common is 0. */
export function scoreTexts(texts: readonly Counted[], question: readonly string[]): number[] {
  const weightOf = rarity(texts)
  const average = texts.reduce((sum, { length }) => sum + length, 0) / Math.max(1, texts.length)
  const asked = new Set(question)
  return texts.map(({ counts, length }) => {
    let score = 0
    for (const word of asked) {
      const n = counts.get(word) ?? 0
      if (n > 0)
        score += (weightOf(word) * n * 2.2) / (n + 1.2 * (0.25 + (0.75 * length) / Math.max(1, average)))
    }
    return score
  })
}
