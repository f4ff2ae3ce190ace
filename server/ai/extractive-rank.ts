import { rarity, scoreTexts, type Counted } from './context-rank.ts'
import { stopWords } from './extractive-stops.ts'
import type { Sentence } from './extractive-text.ts'

/** How sentences relate to one another, by the words that they share. */
export interface Ranking {
  /** How much each sentence says of what the others say too, between 0 and 1. */
  readonly central: ReadonlyMap<Sentence, number>
  /** How much two texts share, between 0 and 1; rare words count for more. */
  likeness(a: Counted, b: Counted): number
  /** How well sentences answer to words, between 0 and 1. */
  answers(sentences: readonly Sentence[], words: readonly string[]): Map<Sentence, number>
}

export function rank(sentences: readonly Sentence[]): Ranking {
  const texts = sentences.map(({ words }) => words)
  const rare = rarity(texts)
  const stops = stopWords()
  const weights = new Map<string, number>()
  for (const { counts } of texts) {
    for (const word of counts.keys()) {
      if (!weights.has(word)) weights.set(word, stops.has(word) ? 0 : rare(word))
    }
  }
  const weightOf = (word: string) => weights.get(word) ?? 0
  const lengths = new Map<Counted, number>()
  const lengthOf = (text: Counted) => {
    const known = lengths.get(text)
    if (known !== undefined) return known
    let sum = 0
    for (const [word, n] of text.counts) sum += (n * weightOf(word)) ** 2
    lengths.set(text, Math.sqrt(sum))
    return Math.sqrt(sum)
  }
  function likeness(a: Counted, b: Counted): number {
    const [few, many] = a.counts.size < b.counts.size ? [a, b] : [b, a]
    let sum = 0
    for (const [word, n] of few.counts) {
      const m = many.counts.get(word)
      if (m !== undefined) sum += n * m * weightOf(word) ** 2
    }
    const length = lengthOf(a) * lengthOf(b)
    return length === 0 ? 0 : sum / length
  }
  return {
    likeness,
    central: centrality(sentences, likeness),
    answers(some, words) {
      const scores = scoreTexts(
        some.map((sentence) => sentence.words),
        words.filter((word) => weightOf(word) > 0),
      )
      const best = Math.max(...scores, Number.MIN_VALUE)
      return new Map(some.map((sentence, at) => [sentence, scores[at]! / best]))
    },
  }
}

/** TextRank: a sentence matters as far as those matter that are like it. */
function centrality(sentences: readonly Sentence[], likeness: Ranking['likeness']): Map<Sentence, number> {
  const n = sentences.length
  const weights = sentences.map(() => new Float64Array(n))
  for (let a = 0; a < n; a++) {
    for (let b = a + 1; b < n; b++) {
      const weight = likeness(sentences[a]!.words, sentences[b]!.words)
      weights[a]![b] = weight
      weights[b]![a] = weight
    }
  }
  const out = weights.map((row) => row.reduce((sum, weight) => sum + weight, 0))
  let scores = new Float64Array(n).fill(1)
  for (let round = 0; round < rounds; round++) {
    const next = new Float64Array(n).fill(1 - damping)
    for (let a = 0; a < n; a++) {
      if (out[a] === 0) continue
      for (let b = 0; b < n; b++) next[b]! += (damping * scores[a]! * weights[a]![b]!) / out[a]!
    }
    scores = next
  }
  const best = Math.max(...scores, Number.MIN_VALUE)
  return new Map(sentences.map((sentence, at) => [sentence, scores[at]! / best]))
}
const rounds = 20
const damping = 0.85

/** The best sentences by their score, at most `count`, none of which says much the same as another. */
export function pick(
  sentences: readonly Sentence[],
  count: number,
  score: (sentence: Sentence) => number,
  likeness: Ranking['likeness'],
): Sentence[] {
  const left = sentences
    .map((sentence) => ({ sentence, score: score(sentence) }))
    .filter((each) => each.score > 0)
  left.sort((a, b) => b.score - a.score)
  const picked: Sentence[] = []
  for (const { sentence } of left) {
    if (picked.length === count) break
    if (picked.every((other) => likeness(other.words, sentence.words) < 0.5)) picked.push(sentence)
  }
  return picked
}
