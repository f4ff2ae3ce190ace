import type { Bundle, WaitingComment } from './spool.ts'
import type { Reason } from './records.ts'

/** A comment at its place. `parent` is null for the thread's first post. */
export interface Planned {
  comment: WaitingComment
  parent: string | null
  note: Extract<Reason, 'parent-missing' | 'parent-skipped'> | undefined
}

export interface Plan {
  /** In the order of their times, but each behind what it replies to. */
  comments: Planned[]
  /** Deleted ones that nobody replied to. */
  dropped: WaitingComment[]
}

/**
 * Puts a thread's comments in order. A reply to what is not there goes to the nearest one above that is, or to the first
 * post; so does one of those that reply to one another in a circle. `isKnown` tells of comments that are here already.
 */
export function planThread(bundle: Bundle, isKnown: (sourceId: string) => boolean): Plan {
  const comments = new Map<string, WaitingComment>()
  // Of several with the same id, the first counts.
  for (const comment of bundle.comments)
    if (!comments.has(comment.sourceId)) comments.set(comment.sourceId, comment)
  const gaps = new Map(bundle.gaps.map((gap) => [gap.sourceId, gap.parent]))

  const planned = new Map<string, Planned>()
  for (const comment of comments.values()) planned.set(comment.sourceId, place(comment))
  breakCircles(planned)
  const dropped = dropDeleted(planned, isKnown)
  return { comments: inOrder([...planned.values()]), dropped }

  function place(comment: WaitingComment): Planned {
    let parent = comment.parent
    if (parent === null || parent === bundle.sourceId) return { comment, parent: null, note: undefined }
    let note: Planned['note']
    const seen = new Set<string>([comment.sourceId])
    while (parent !== null) {
      if (comments.has(parent) && !seen.has(parent)) return { comment, parent, note }
      if (isKnown(parent)) return { comment, parent, note }
      if (seen.has(parent) || !gaps.has(parent)) return { comment, parent: null, note: 'parent-missing' }
      seen.add(parent)
      note = 'parent-skipped'
      parent = gaps.get(parent)!
    }
    return { comment, parent: null, note }
  }
}

function breakCircles(planned: Map<string, Planned>): void {
  const settled = new Set<string>()
  for (const start of planned.keys()) {
    const path = new Set<string>()
    for (let at: string | null = start; at !== null && !settled.has(at);) {
      path.add(at)
      const entry: Planned | undefined = planned.get(at)
      if (entry !== undefined && entry.parent !== null && path.has(entry.parent)) {
        entry.parent = null
        entry.note = 'parent-missing'
      }
      at = entry?.parent ?? null
    }
    for (const id of path) settled.add(id)
  }
}

/** Takes deleted comments away that keep no place for anyone, from the leaves up. */
function dropDeleted(
  planned: Map<string, Planned>,
  isKnown: (sourceId: string) => boolean,
): WaitingComment[] {
  const replies = new Map<string, number>()
  for (const { parent } of planned.values())
    if (parent !== null) replies.set(parent, (replies.get(parent) ?? 0) + 1)
  const dropped: WaitingComment[] = []
  for (const start of planned.values()) {
    let at: Planned | undefined = start
    while (at?.comment.deleted && !replies.get(at.comment.sourceId) && !isKnown(at.comment.sourceId)) {
      planned.delete(at.comment.sourceId)
      dropped.push(at.comment)
      const { parent }: Planned = at
      if (parent === null) break
      replies.set(parent, (replies.get(parent) ?? 1) - 1)
      at = planned.get(parent)
    }
  }
  return dropped
}

/** By time, where a reply that claims to be older than what it replies to comes right after it. */
function inOrder(comments: Planned[]): Planned[] {
  const byId = new Map(comments.map((planned, index) => [planned.comment.sourceId, { planned, index }]))
  const keys = new Map<string, { time: number; depth: number; index: number }>()
  for (const { comment } of comments) {
    const path: string[] = []
    let at: string | null = comment.sourceId
    while (at !== null && byId.has(at) && !keys.has(at)) {
      path.push(at)
      at = byId.get(at)!.planned.parent
    }
    for (const id of path.toReversed()) {
      const { planned, index } = byId.get(id)!
      const above = planned.parent === null ? undefined : keys.get(planned.parent)
      const time = Math.max(planned.comment.createdAt, above?.time ?? 0)
      keys.set(id, { time, depth: (above?.depth ?? 0) + 1, index })
    }
  }
  return comments.toSorted((a, b) => {
    const [x, y] = [keys.get(a.comment.sourceId)!, keys.get(b.comment.sourceId)!]
    return x.time - y.time || x.depth - y.depth || x.index - y.index
  })
}
