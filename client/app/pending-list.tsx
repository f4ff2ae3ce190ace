import { render } from 'preact'
import type { Outgoing } from '../outbox.ts'
import type { Viewer } from '../page-state.ts'
import { PendingPost } from '../views/pending.tsx'
import { signInPath } from '../views/signed-in.tsx'
import type { PostList } from './post-list.tsx'

/** Shows posts on their way at the places they will have. Returns the function that brings them up to date. */
export function createPendingList(posts: Pick<PostList, 'placeBeneath'>, viewer: () => Viewer | null) {
  const shown = new Map<string, HTMLElement>()

  function place(entry: Outgoing): HTMLElement | undefined {
    const found = posts.placeBeneath(entry.parent)
    if (found === undefined) return undefined
    const article = document.createElement('article')
    article.className = 'post pending'
    article.dataset['depth'] = String(found.depth)
    article.dataset['client'] = entry.clientId
    let after: Element = found.after
    while (after.nextElementSibling?.matches(`.pending[data-depth="${found.depth}"]`))
      after = after.nextElementSibling
    after.after(article)
    return article
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
      render(<PendingPost entry={entry} viewer={viewer()} signIn={signInPath(location.pathname)} />, article)
    }
  }
}
