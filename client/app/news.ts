import type { ThreadState } from '../../shared/thread-state.ts'
import type { Viewer } from '../page-state.ts'
import type { LastVisit } from './last-visit.ts'
import { replyNews } from './reply-news.ts'
import type { Unread } from './unread.ts'

export interface NewsParts {
  unread: Unread
  lastVisit: LastVisit
  /** Where screen readers hear of replies that begin and end. */
  status: HTMLElement
  viewer: () => Viewer | null
}

/** Tells the reader what is new. */
export interface News {
  /** `inserted` are the numbers of the posts that are new in `state`. */
  tell(state: ThreadState, before: ThreadState, inserted: readonly number[]): void
  /** Remembers how far the thread goes, if the reader has it before the eyes. */
  look(state: ThreadState): void
}

export function createNews({ unread, lastVisit, status, viewer }: NewsParts): News {
  function count({ posts }: ThreadState, inserted: readonly number[]): void {
    const me = viewer()?.id
    // The reader knows of those that they wrote or asked for.
    const others = inserted.filter((number) => {
      const post = posts[number - 1]
      return me === undefined || (post?.author.id !== me && post?.asker?.id !== me)
    })
    // Of a reply that begins, screen readers hear as such.
    const spoken = others.filter((number) => posts[number - 1]?.state !== 'streaming')
    unread.add(others, spoken.length)
  }

  function look({ posts }: ThreadState): void {
    if (document.visibilityState === 'visible') lastVisit.saw(posts.length)
  }

  return {
    tell(state, before, inserted) {
      count(state, inserted)
      if (state.posts === before.posts) return
      const said = replyNews(before.posts, state.posts)
      if (said.length > 0) status.textContent = said.join('. ')
      look(state)
    },
    look,
  }
}
