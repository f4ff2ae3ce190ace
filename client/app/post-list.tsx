import { render } from 'preact'
import type { Post } from '../../shared/post.ts'
import type { ThreadState } from '../../shared/thread-state.ts'
import { createOrder, type Step } from '../order.ts'
import type { Viewer } from '../page-state.ts'
import { Foot, type FootState } from '../views/foot.tsx'
import { permissions } from '../views/permissions.ts'
import { postAttributes, PostMain, relations } from '../views/post.tsx'
import { createFolds } from './folds.ts'

export interface PostListParts {
  /** The element whose children are the posts, in reading order. */
  list: HTMLElement
  viewer: () => Viewer | null
  now: () => number
}

/** The thread's posts in the page. Only what changed is touched. */
export interface PostList {
  element(number: number): HTMLElement | null
  /** Where something new beneath `parent` goes: after this element. */
  placeBeneath(parent: number): { after: HTMLElement; depth: number } | undefined
  /** Brings the page to `state`; returns the numbers of the posts that are new in it. */
  update(state: ThreadState): number[]
  /** A post comes near the view: gives it its actions. */
  wake(element: HTMLElement): void
  foot(number: number): FootState
  setFoot(number: number, change: Partial<FootState>): void
  /** The reader signed in, or the thread was locked: actions may be others now. */
  refresh(): void
  fold(number: number): void
  /** Makes sure that the post is not folded away. */
  unfoldTo(number: number): void
}

export function numberOf(element: Element): number {
  return Number(element.id.slice(1))
}

export function createPostList({ list, viewer, now }: PostListParts, initial: ThreadState): PostList {
  const order = createOrder(initial.posts)
  const awake = new Set<number>()
  const feet = new Map<number, FootState>()
  const ours = new WeakSet<Element>()
  const folds = createFolds(order, element)
  let state = initial

  function element(number: number): HTMLElement | null {
    return document.getElementById(`p${number}`)
  }

  /** Draws into an element; what the server drew there gives way the first time. */
  function draw(view: Parameters<typeof render>[0], into: Element): void {
    if (!ours.has(into)) {
      into.replaceChildren()
      ours.add(into)
    }
    render(view, into)
  }

  function drawMain(post: Post, article: HTMLElement): void {
    const found = relations(post, (number) => state.posts[number - 1])
    draw(<PostMain thread={state.thread.id} post={post} now={now()} {...found} />, part(article, 'main'))
  }

  function drawFoot(post: Post, article: HTMLElement): void {
    const props = {
      post,
      viewerId: viewer()?.id,
      may: permissions(viewer(), state.thread.locked, post),
      hasReplies: !order.beneath(post.number)[Symbol.iterator]().next().done,
      state: { ...feet.get(post.number), folded: folds.count(post.number) },
    }
    draw(<Foot {...props} />, part(article, 'foot'))
  }

  function redrawFoot(number: number): void {
    const post = state.posts[number - 1]
    const article = element(number)
    if (post !== undefined && article !== null && awake.has(number)) drawFoot(post, article)
  }

  function insert({ number, after, depth }: Extract<Step, { kind: 'insert' }>): void {
    const post = state.posts[number - 1]!
    const article = document.createElement('article')
    setAttributes(article, post, depth)
    for (const name of ['main', 'foot']) {
      const child = article.appendChild(document.createElement('div'))
      child.className = name
    }
    drawMain(post, article)
    if (after === null) list.prepend(article)
    else behindPending(element(after)!, depth).after(article)
    article.hidden = folds.hides(post, (one) => state.posts[one - 1])
    if (post.parent !== null) redrawFoot(post.parent)
  }

  function refreshPost(number: number, before: Post | undefined): void {
    const post = state.posts[number - 1]!
    const article = element(number)
    if (article === null) return
    if (before === undefined || !sameText(before, post)) {
      setAttributes(article, post, order.depth(number))
      drawMain(post, article)
    }
    if (before?.state !== post.state && post.state === 'deleted') redrawReplies(number)
    // An action that was refused before says nothing about the post as it is now.
    setFoot(number, { problem: undefined })
    if (!awake.has(number)) wake(article)
  }

  /** Replies name whom they answer, and a deleted post has no author any more. */
  function redrawReplies(number: number): void {
    for (const reply of order.beneath(number, (one) => one === number)) {
      const post = state.posts[reply - 1]
      const article = element(reply)
      if (post !== undefined && article !== null) drawMain(post, article)
    }
  }

  function wake(article: HTMLElement): void {
    const number = numberOf(article)
    const post = state.posts[number - 1]
    if (post === undefined || awake.has(number)) return
    awake.add(number)
    drawFoot(post, article)
  }

  function setFoot(number: number, change: Partial<FootState>): void {
    feet.set(number, { ...feet.get(number), ...change })
    redrawFoot(number)
  }

  function remove(number: number): void {
    element(number)?.remove()
    awake.delete(number)
    feet.delete(number)
  }

  return {
    element,
    placeBeneath(parent) {
      const after = element(order.lastOf(parent))
      return after === null ? undefined : { after, depth: order.depth(parent) + 1 }
    },
    update(next) {
      const before = state
      state = next
      const inserted: number[] = []
      for (const step of order.change(next.posts, changedPosts(before.posts, next.posts))) {
        if (step.kind === 'insert') {
          insert(step)
          inserted.push(step.number)
        } else if (step.kind === 'remove') remove(step.number)
        else refreshPost(step.number, before.posts[step.number - 1])
      }
      if (before.thread.locked !== next.thread.locked) for (const number of awake) redrawFoot(number)
      return inserted
    },
    wake,
    foot: (number) => feet.get(number) ?? {},
    setFoot,
    refresh() {
      for (const number of awake) redrawFoot(number)
    },
    fold(number) {
      folds.toggle(number)
      redrawFoot(number)
    },
    unfoldTo(number) {
      for (const opened of folds.open(number, (one) => state.posts[one - 1])) redrawFoot(opened)
    },
  }
}

function changedPosts(before: ThreadState['posts'], after: ThreadState['posts']): number[] {
  const changed: number[] = []
  const length = Math.max(before.length, after.length)
  for (let i = 0; i < length; i++) if (before[i] !== after[i]) changed.push(i + 1)
  return changed
}

/** Whether two versions of a post show the same but for reactions. Reading `html` from the page is spared where it can be. */
function sameText(a: Post, b: Post): boolean {
  return (
    a.state === b.state &&
    a.editedAt === b.editedAt &&
    a.author.name === b.author.name &&
    a.quote?.text === b.quote?.text &&
    JSON.stringify(a.embeds ?? []) === JSON.stringify(b.embeds ?? [])
  )
}

function setAttributes(article: HTMLElement, post: Post, depth: number): void {
  for (const name of ['data-state', 'data-kind']) article.removeAttribute(name)
  const kept = [...article.classList].filter((name) => name !== 'post')
  for (const [name, value] of Object.entries(postAttributes(post, depth))) article.setAttribute(name, value)
  article.classList.add(...kept)
}

function part(article: HTMLElement, name: 'main' | 'foot'): Element {
  return article.querySelector(`:scope > .${name}`)!
}

/** Posts on their way stand last among the replies to their parent; a new one of a lower depth goes behind them. */
function behindPending(after: HTMLElement, depth: number): Element {
  let place: Element = after
  for (let next = place.nextElementSibling; next !== null; next = next.nextElementSibling) {
    if (!next.classList.contains('pending') || Number(next.getAttribute('data-depth')) <= depth) break
    place = next
  }
  return place
}
