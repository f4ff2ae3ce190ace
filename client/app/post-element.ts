import type { Post } from '../../shared/post.ts'
import type { ThreadState } from '../../shared/thread-state.ts'
import { postAttributes } from '../views/post.tsx'

/** The numbers of the posts that are not the same in both. */
export function changedPosts(before: ThreadState['posts'], after: ThreadState['posts']): number[] {
  const changed: number[] = []
  const length = Math.max(before.length, after.length)
  for (let i = 0; i < length; i++) if (before[i] !== after[i]) changed.push(i + 1)
  return changed
}

/** Whether two versions of a post show the same but for reactions. Reading `html` from the page is spared where it can be. */
export function sameText(a: Post, b: Post): boolean {
  return (
    a.state === b.state &&
    a.editedAt === b.editedAt &&
    a.reason === b.reason &&
    a.author.name === b.author.name &&
    a.author.picture === b.author.picture &&
    a.asker?.name === b.asker?.name &&
    a.quote?.text === b.quote?.text &&
    JSON.stringify(a.embeds ?? []) === JSON.stringify(b.embeds ?? [])
  )
}

/** Brings what stands on a post's element up to date; classes that others gave it stay. */
export function setAttributes(article: HTMLElement, post: Post, depth: number): void {
  for (const name of ['data-state', 'data-kind', 'data-run', 'aria-busy']) article.removeAttribute(name)
  const kept = [...article.classList].filter((name) => name !== 'post')
  for (const [name, value] of Object.entries(postAttributes(post, depth))) article.setAttribute(name, value)
  article.classList.add(...kept)
}

/** One of the two places within a post's element. */
export function part(article: HTMLElement, name: 'main' | 'foot'): Element {
  return article.querySelector(`:scope > .${name}`)!
}

/** Posts on their way stand last among the replies to their parent; a new one of a lower depth goes behind them. */
export function behindPending(after: HTMLElement, depth: number): Element {
  let place: Element = after
  for (let next = place.nextElementSibling; next !== null; next = next.nextElementSibling) {
    if (!next.classList.contains('pending') || Number(next.getAttribute('data-depth')) <= depth) break
    place = next
  }
  return place
}
