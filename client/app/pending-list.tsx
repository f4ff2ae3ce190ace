import { render } from 'preact'
import type { Outgoing } from '../outbox.ts'
import { PendingPost } from '../views/pending.tsx'
import type { PostList } from './post-list.tsx'
import type { Session } from './session.ts'

/** Shows posts on their way at the places they will have. Returns the function that brings them up to date. */
export function createPendingList(
  posts: Pick<PostList, 'putBeneath'>,
  session: Pick<Session, 'viewer' | 'signIn'>,
) {
  const shown = new Map<string, HTMLElement>()

  function place(entry: Outgoing): HTMLElement | undefined {
    const article = document.createElement('article')
    article.className = 'post pending'
    article.dataset['client'] = entry.clientId
    return posts.putBeneath(entry.parent, article) ? article : undefined
  }

  return (entries: readonly Outgoing[]): void => {
    const kept = new Set(entries.map(({ clientId }) => clientId))
    for (const [clientId, article] of shown) {
      if (kept.has(clientId)) continue
      article.remove()
      shown.delete(clientId)
    }
    for (const entry of entries) {
      const article = shown.get(entry.clientId) ?? place(entry)
      if (article === undefined) continue
      shown.set(entry.clientId, article)
      render(<PendingPost entry={entry} viewer={session.viewer} signIn={session.signIn} />, article)
    }
  }
}
