import { wordsOf } from './context-rank.ts'
import { check, compare } from './extractive-compare.ts'
import { pagesIn, points, said, type Material, type PostPiece } from './extractive-material.ts'
import { rank } from './extractive-rank.ts'
import { catchUp, challenge } from './extractive-talk.ts'
import { sentencesOf } from './extractive-text.ts'
import { turnsIn } from './extractive-turns.ts'
import { createPen, part } from './extractive-write.ts'
import type { Generation } from './model.ts'
import { catchUpHandle, compareHandle } from './shipped.ts'

/** The paragraphs of a reply that only picks sentences. The first says so. */
export function extract({
  pieces,
  persona,
  request,
}: Pick<Generation, 'pieces' | 'persona' | 'request'>): string[] {
  const asked = pieces.find((piece): piece is PostPiece => piece.kind === 'post' && piece.why === 'asked')
  if (asked === undefined) return [disclosure, nothing]
  const sentences = sentencesOf(
    pieces,
    wordsOf(`${request ?? ''}\n${asked.text}`),
    persona.handle === 'challenge' ? (text) => turnsIn(text) > 0 : undefined,
  )
  const pen = createPen(asked.thread, pieces)
  const write = writers[persona.handle] ?? explain
  const found = write({ pieces, sentences, asked, request: request ?? '', ranking: rank(sentences), pen })
  return [disclosure, ...(found.length > 0 ? found : [nothing])]
}

const disclosure =
  '*I am no language model. I cannot explain or judge anything: I only pick sentences from what I have read, word for word.*'
const nothing = 'In what I have read I found no sentence that would stand on its own.'

const writers: Partial<Record<string, (material: Material) => string[]>> = {
  [compareHandle]: compare,
  check,
  challenge,
  [catchUpHandle]: catchUp,
}

/** The main points of the pages and of the thread, nearest to what is asked. */
function explain(material: Material): string[] {
  const { sentences, asked, request, pen } = material
  const ofAsked = sentences.filter(({ piece }) => piece === asked)
  const others = sentences.filter(({ piece }) => piece.kind === 'post' && piece !== asked)
  const pages = pagesIn(sentences)
  // A long post is what is to be explained; a short one is the question.
  const isText = ofAsked.length >= longPost || (pages.length === 0 && others.length === 0)
  const words = wordsOf(isText ? request : `${request}\n${asked.text}`)
  const quotes = (from: typeof sentences, count: number) =>
    points(material, from, words, count).map((each) => pen.quote(each))
  return [
    ...pages.flatMap(({ name, own }) => part(`From ${name}`, quotes(own, 5))),
    ...(isText ? part(`From ${pen.cite(asked)}`, quotes(ofAsked, 5)) : []),
    ...part(
      'From the thread',
      points(material, others, words, 4).map((each) => said(pen, each)),
    ),
  ]
}
const longPost = 6
