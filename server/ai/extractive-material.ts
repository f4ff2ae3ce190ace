import type { Piece } from './context.ts'
import { pick, type Ranking } from './extractive-rank.ts'
import type { Sentence } from './extractive-text.ts'
import { escaped, type Pen } from './extractive-write.ts'

export type PostPiece = Extract<Piece, { kind: 'post' }>

/** What there is to pick from. */
export interface Material {
  readonly pieces: readonly Piece[]
  /** In the order in which they stand. */
  readonly sentences: readonly Sentence[]
  readonly asked: PostPiece
  readonly request: string
  readonly ranking: Ranking
  readonly pen: Pen
}

/** The best sentences, nearest to some words, in the order in which they stand. People's words go before a machine's. */
export function points(
  { ranking, sentences: all }: Pick<Material, 'ranking' | 'sentences'>,
  sentences: readonly Sentence[],
  words: readonly string[],
  count: number,
): Sentence[] {
  const answers = ranking.answers(sentences, words)
  const score = (each: Sentence) => {
    const lead = each.place === 0 ? 0.15 : 0
    const byAi = each.piece.kind === 'post' && each.piece.byAi
    const worth = ranking.central.get(each)! + 1.2 * answers.get(each)! + lead
    // A small letter begins what is a part of a sentence.
    return worth * (byAi ? 0.6 : 1) * (/^\p{Ll}/u.test(each.text) ? 0.5 : 1)
  }
  const picked = new Set(pick(sentences, count, score, ranking.likeness))
  return all.filter((each) => picked.has(each))
}

/** A sentence with the name of who wrote it. */
export function said(pen: Pen, sentence: Sentence): string {
  const { piece } = sentence
  return piece.kind === 'post' ? `${escaped(piece.author)}: ${pen.quote(sentence)}` : pen.quote(sentence)
}

/** Something of which sentences are: a page or a person. */
export interface Voice {
  readonly name: string
  readonly own: readonly Sentence[]
}

export function pagesIn(sentences: readonly Sentence[]): Voice[] {
  return voices(sentences, (piece) =>
    piece.kind === 'section' ? `doc ${piece.document}, ${escaped(piece.title)}` : undefined,
  )
}

/** Those who wrote posts: people before machines, and who wrote most first. */
export function writersIn(sentences: readonly Sentence[]): Voice[] {
  const writers = voices(sentences, (piece) => (piece.kind === 'post' ? escaped(piece.author) : undefined))
  const isAi = ({ own }: Voice) => Number(own[0]!.piece.kind === 'post' && own[0]!.piece.byAi)
  return writers.toSorted((a, b) => isAi(a) - isAi(b) || b.own.length - a.own.length)
}

function voices(sentences: readonly Sentence[], nameOf: (piece: Piece) => string | undefined): Voice[] {
  const found = new Map<string, Sentence[]>()
  for (const sentence of sentences) {
    const name = nameOf(sentence.piece)
    if (name === undefined) continue
    const own = found.get(name)
    if (own) own.push(sentence)
    else found.set(name, [sentence])
  }
  return [...found].map(([name, own]) => ({ name, own }))
}
