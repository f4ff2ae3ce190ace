import { wordsOf } from './context-rank.ts'
import { pagesIn, points, writersIn, type Material, type Voice } from './extractive-material.ts'
import { pick } from './extractive-rank.ts'
import { quotedBlocks, sentencesOf, type Sentence } from './extractive-text.ts'
import { part } from './extractive-write.ts'

/** Two pages, or the two who wrote most: where they speak of the same, and then the main points of each. */
export function compare(material: Material): string[] {
  const { pen, request, asked, sentences } = material
  const words = wordsOf(`${request}\n${asked.text}`)
  const main = (own: readonly Sentence[], count: number) =>
    points(material, own, words, count).map((each) => pen.quote(each))
  const pages = pagesIn(sentences)
  const [a, b] = pages.length > 1 ? pages : [...pages, ...writersIn(sentences)]
  if (a === undefined) return []
  if (b === undefined) {
    return [
      'I found only one voice in what I have read, so there is nothing to set beside it.',
      ...part(`From ${a.name}`, main(a.own, 4)),
    ]
  }
  const pairs = pairUp(material, a, b)
  const paired = new Set(pairs.flat())
  const rest = ({ own }: Voice) =>
    main(
      own.filter((each) => !paired.has(each)),
      3,
    )
  return [
    `Side by side: **${a.name}** and **${b.name}**.`,
    ...part(
      'Where they use the same words',
      pairs.map(([left, right]) => `${a.name}: ${pen.quote(left)}\\\n  ${b.name}: ${pen.quote(right)}`),
    ),
    ...part(`From ${a.name}`, rest(a)),
    ...part(`From ${b.name}`, rest(b)),
  ]
}

/** Sentences of two voices that are most like each other, each once. Those that say the very same are no comparison. */
function pairUp({ ranking }: Material, a: Voice, b: Voice): [Sentence, Sentence][] {
  const all = a.own.flatMap((left) =>
    b.own.map((right) => ({ left, right, like: ranking.likeness(left.words, right.words) })),
  )
  const pairs: [Sentence, Sentence][] = []
  const used = new Set<Sentence>()
  for (const { left, right, like } of all.toSorted((x, y) => y.like - x.like)) {
    if (pairs.length === mostPairs || like < likeEnough) break
    if (like > tooLike || used.has(left) || used.has(right)) continue
    used.add(left).add(right)
    pairs.push([left, right])
  }
  return pairs
}
const mostPairs = 3
const likeEnough = 0.08
const tooLike = 0.9

/** For each sentence of a paraphrase, what comes nearest to it in the texts of others. */
export function check({ sentences, asked, request, ranking, pen }: Material): string[] {
  const quoted = quotedBlocks(asked.text).join('\n\n')
  const claims = sentencesOf([{ ...asked, text: quoted === '' ? asked.text : quoted }], []).slice(
    0,
    mostClaims,
  )
  const sources = sentences.filter(
    ({ piece }) =>
      piece !== asked && !(piece.kind === 'post' && (piece.byAi || piece.author === asked.author)),
  )
  const near = (words: Sentence['words'], count: number) =>
    pick(sources, count, (each) => ranking.likeness(words, each.words) - likeEnough, ranking.likeness)
  const lines = claims.map((claim) => {
    const found = near(claim.words, 2).map((each) => `  - ${pen.quote(each)}`)
    return found.length === 0
      ? `${pen.quote(claim)} – I found nothing that comes near to this.`
      : `${pen.quote(claim)} – nearest to this:\n${found.join('\n')}`
  })
  // The paraphrase may stand in the request alone.
  const answers = ranking.answers(sources, wordsOf(request))
  const asking = pick(sources, 3, (each) => answers.get(each)!, ranking.likeness)
  return [
    ...(lines.length > 0 || asking.length > 0 ? ['Whether they say the same is for you to judge.'] : []),
    ...part('The paraphrase, and what comes nearest to it', lines),
    ...part(
      'Nearest to the request',
      asking.map((each) => pen.quote(each)),
    ),
  ]
}
const mostClaims = 6
