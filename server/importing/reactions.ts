import { importLimits } from './limits.ts'
import type { WaitingAuthor, WaitingReaction } from './spool.ts'

/**
 * Whose accounts the reactions to a comment need: those who are named, and for those who are not, readers without a
 * name. These are the same for all comments of a source.
 */
export function peopleOf(reactions: readonly WaitingReaction[]): WaitingAuthor[] {
  return reactions.flatMap(reactors)
}

function reactors({ count, by }: WaitingReaction): WaitingAuthor[] {
  const named = by.slice(0, importLimits.reactionsMax)
  const total = Math.min(Math.max(count, named.length), importLimits.reactionsMax)
  return [...named, ...Array.from({ length: total - named.length }, (_, index) => unnamed(index + 1))]
}

function unnamed(index: number): WaitingAuthor {
  return { sourceId: `reader:${index}`, name: `Unnamed reader ${index}`, emailHash: null }
}

/** The rows of reactions to one post. Emoji are shown in the order of their times, and no source tells those. */
export function reactionRows(
  at: { thread: string; number: number; createdAt: number },
  reactions: readonly WaitingReaction[],
  accounts: ReadonlyMap<string, string>,
) {
  const seen = new Set<string>()
  let order = 0
  return reactions.flatMap((reaction) =>
    reactors(reaction).flatMap(({ sourceId }) => {
      const userId = accounts.get(sourceId)!
      const key = `${reaction.emoji} ${userId}`
      // One person may have had two names there and be one account here.
      if (seen.has(key)) return []
      seen.add(key)
      return [
        {
          thread_id: at.thread,
          number: at.number,
          emoji: reaction.emoji,
          user_id: userId,
          created_at: new Date(at.createdAt + order++),
        },
      ]
    }),
  )
}
