import { countWords, scoreTexts, wordsOf } from './context-rank.ts'
import { shareOut, type Want } from './context-room.ts'
import { cutText } from './context-text.ts'
import type { Piece } from './context.ts'
import { contextLimits } from './limits.ts'
import { estimateTokens } from './tokens.ts'

/** A piece and its mark's words; sizes in tokens. */
export interface Item {
  readonly piece: Piece
  readonly label: string
  /** All of it, and its marks alone. */
  readonly cost: number
  readonly frame: number
  /** Its end is missing. */
  readonly cut: boolean
}

/** Posts that are wanted for one reason, in the order in which they are wanted and in that in which they are read. */
export interface ItemGroup {
  readonly why: Piece['why']
  readonly wanted: readonly Item[]
  readonly read: readonly Item[]
}

/**
 * What of the posts finds room, in the order in which it is to be read. The asked post comes first; what stands above it
 * and the posts nearby are bounded, so that the others get their turn, and where many are new, each of those.
 */
export function fitPosts(groups: readonly ItemGroup[], room: number): Item[] {
  const talk = groups.some(({ why, wanted }) => why === 'new' && wanted.length > 0)
  const above = { most: (talk ? contextLimits.aboveShareOfTalk : contextLimits.aboveShare) * room }
  const nearby = { most: contextLimits.nearbyShare * room }
  const free = { most: room }
  const wants = groups.flatMap(({ why, wanted }): Want[] =>
    wanted.map(({ cost, frame }) => {
      const want = { cost, frame, most: contextLimits.postShare * room }
      if (why === 'asked') return { ...want, most: contextLimits.askedShare * room, kind: free }
      if (why === 'new') return { ...want, most: contextLimits.newPost, kind: free }
      return { ...want, kind: why === 'sibling' ? nearby : above }
    }),
  )
  const fitted = fit(
    groups.flatMap(({ wanted }) => wanted),
    shareOut(wants, room),
  )
  return groups.flatMap(({ read }) => read.flatMap((item) => fitted.get(item) ?? []))
}

/** What of a page finds room, in its order. Where not all of it does, those sections come first that answer to the question. */
export function fitSections(items: readonly Item[], room: number, question: readonly string[]): Item[] {
  const whole = items.reduce((sum, { cost }) => sum + cost, 0) <= room
  const wanted = whole ? items : byRelevance(items, question)
  const free = { most: room }
  const wants = wanted.map(({ cost, frame }) => ({ cost, frame, most: cost, kind: free }))
  const fitted = fit(wanted, shareOut(wants, room))
  return items.flatMap((item) => fitted.get(item) ?? [])
}

function byRelevance(items: readonly Item[], question: readonly string[]): Item[] {
  const texts = items.map(({ piece }) =>
    countWords(wordsOf(piece.kind === 'section' ? `${piece.heading ?? ''}\n${piece.text}` : piece.text)),
  )
  const scores = scoreTexts(texts, question)
  // Most texts say first what they are about.
  scores[0]! += Math.max(...scores) / 4
  // The sort is stable: where nothing tells sections apart, the first come first.
  const order = scores.map((score, at) => ({ score, at })).toSorted((a, b) => b.score - a.score)
  return order.map(({ at }) => items[at]!)
}

/** Items as they are given, cut where they got less than all. */
function fit(items: readonly Item[], given: readonly number[]): Map<Item, Item> {
  const fitted = new Map<Item, Item>()
  items.forEach((item, at) => {
    const room = given[at]!
    if (room >= item.cost) fitted.set(item, item)
    else if (room > 0) {
      const text = cutText(item.piece.text, room - item.frame)
      if (text === '') return
      fitted.set(item, {
        ...item,
        piece: { ...item.piece, text },
        cost: item.frame + estimateTokens(text),
        cut: true,
      })
    }
  })
  return fitted
}

/** Room in equal parts; what one does not need goes to the others. */
export function fairShares(demands: readonly number[], room: number): number[] {
  const shares = demands.map(() => 0)
  const order = demands.map((_, at) => at).toSorted((a, b) => demands[a]! - demands[b]!)
  let left = Math.max(0, room)
  order.forEach((at, before) => {
    shares[at] = Math.min(demands[at]!, Math.floor(left / (order.length - before)))
    left -= shares[at]!
  })
  return shares
}
