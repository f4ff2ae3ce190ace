import type { ManifestPiece } from '../../shared/run.ts'
import type { Document } from './context-articles.ts'
import { fairShares, fitPosts, fitSections, type Item, type ItemGroup } from './context-fit.ts'
import type { Gathered } from './context-gather.ts'
import { documentBlock, postItem, sectionItem } from './context-items.ts'
import { nameOf } from './context-posts.ts'
import { wordsOf } from './context-rank.ts'
import { asData, labelled, pickBoundary, type Block } from './context-text.ts'
import type { Piece, Question } from './context.ts'
import { contextLimits } from './limits.ts'
import { ModelError, type ModelMessage } from './model.ts'
import { closingPrompt, systemPrompt } from './prompt.ts'
import { catchUpHandle } from './shipped.ts'
import { estimateTokens } from './tokens.ts'

export interface LaidOut {
  readonly messages: readonly ModelMessage[]
  readonly pieces: readonly Piece[]
  readonly noted: readonly ManifestPiece[]
  readonly leftOut: number
  readonly tokens: number
}

/**
 * Puts what was gathered into messages, within the question's budget: first posts, the most important reasons first, then
 * pages. Pages are kept a share of the room as far as they need it, and get what posts leave.
 * Throws a ModelError where the instructions leave no room.
 */
export function layOut(question: Question, gathered: Gathered, documents: readonly Document[]): LaidOut {
  const boundary = pickBoundary(textsIn(question, gathered, documents))
  const block: Block = (label, text) => `<<${label} ${boundary}>>\n${text}\n<<end ${boundary}>>\n\n`
  const system = systemPrompt(question, boundary, documents.length)
  const title = block('the title of the thread', asData(gathered.title))
  const asker =
    question.asker === null ? '' : block('the name of the one who asks', labelled(question.asker.name))
  const closing = (leftOut: number) => closingPrompt(question, { news: gathered.news, leftOut })
  const fixed =
    total([system, title, asker, closing(unknown)].map(estimateTokens)) + 2 * contextLimits.perMessage
  const room = question.budget - fixed
  if (room < contextLimits.leastRoom) throw noRoom()

  const pages = documents.map((document) => {
    const head = documentBlock(block, document)
    const items = document.texts.map((text) => sectionItem(block, document, documents.length, text))
    return { head, items, demand: estimateTokens(head) + total(items.map(({ cost }) => cost)) }
  })
  const demands = pages.map(({ demand }) => demand)
  const share =
    question.persona.handle === catchUpHandle ? contextLimits.articleShareOfTalk : contextLimits.articleShare
  const kept = Math.min(total(demands), Math.floor(share * room))
  const posts = fitPosts(postGroups(block, question, gathered), room - kept)

  const words = questionWords(question, gathered)
  const shares = fairShares(demands, room - total(posts.map(({ cost }) => cost)))
  const sections = pages.flatMap(({ head, items }, at): (string | Item)[] => {
    const left = shares[at]! - estimateTokens(head)
    const fitted = left < 0 ? [] : fitSections(items, left, words)
    // A page of which nothing is given needs no introduction, but one that could not be read does.
    return fitted.length > 0 || (items.length === 0 && left >= 0) ? [head, ...fitted] : []
  })

  const parts = [title, ...posts, ...sections]
  const items = parts.filter((part) => typeof part !== 'string')
  const there =
    total(gathered.groups.map(({ posts }) => posts.length)) + total(pages.map(({ items }) => items.length))
  const leftOut = there - items.length
  const text = parts
    .map((part) => (typeof part === 'string' ? part : block(part.label, part.piece.text)))
    .join('')
  const messages: ModelMessage[] = [
    { role: 'system', content: system },
    { role: 'user', content: text + asker + closing(leftOut) },
  ]
  return {
    messages,
    pieces: items.map(({ piece }) => piece),
    noted: items.map(noteOf),
    leftOut,
    tokens: total(messages.map(({ content }) => estimateTokens(content) + contextLimits.perMessage)),
  }
}

/** Stands for a number of pieces that is not known yet: no real one is longer. */
const unknown = 999_999

function postGroups(block: Block, question: Question, { groups, texts }: Gathered): ItemGroup[] {
  return groups.map(({ why, posts, wanted }) => {
    const items = new Map(
      posts.flatMap((post) => {
        const text = texts.get(nameOf(post))
        return text ? [[post, postItem(block, question.thread, why, text)] as const] : []
      }),
    )
    const itemsOf = (list: typeof posts) => list.flatMap((post) => items.get(post) ?? [])
    return { why, wanted: itemsOf(wanted), read: itemsOf(posts) }
  })
}

/** What a question is about, as far as words tell. */
function questionWords(question: Question, { texts }: Gathered): string[] {
  const asked = texts.get(nameOf(question))
  return wordsOf([question.request ?? '', asked?.quote?.text ?? '', asked?.body ?? ''].join('\n'))
}

/** All that others wrote and that may be given. */
function textsIn(question: Question, { title, texts }: Gathered, documents: readonly Document[]): string[] {
  const posts = [...texts.values()].flatMap(({ body, author, title, quote }) => [
    body,
    author,
    title,
    quote?.text ?? '',
  ])
  const pages = documents.flatMap(({ url, title, texts }) => [
    url,
    title,
    ...texts.flatMap(({ heading, text }) => [heading ?? '', text]),
  ])
  const asked = [question.request ?? '', question.asker?.name ?? '', question.persona.instructions]
  return [title, ...asked, ...posts, ...pages]
}

function noteOf({ piece, cost: tokens, cut }: Item): ManifestPiece {
  if (piece.kind === 'post') {
    const { kind, thread, number, author, why } = piece
    return { kind, thread, number, author, why, tokens, cut }
  }
  const { kind, document, section, heading, why } = piece
  return { kind, document, section, heading, why, tokens, cut }
}

function total(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0)
}

function noRoom(): ModelError {
  return new ModelError(
    'too-long',
    'There is no room left to read anything: what this AI participant is told to do takes all that its model may be given.',
  )
}
