import type { Post } from '../../shared/post.ts'
import type { ThreadState, TreeView } from '../../shared/thread-state.ts'
import { createOrder, type Step } from '../order.ts'
import type { Viewer } from '../page-state.ts'
import { Foot, type FootState } from '../views/foot.tsx'
import { permissions } from '../views/permissions.ts'
import { PostMain, relations } from '../views/post.tsx'
import { createDrawer } from './draw-into.ts'
import { createFolds } from './folds.ts'
import { behindPending, changedPosts, part, sameText, setAttributes } from './post-element.ts'
import { isAround } from './around.ts'
import { createStreams, type StreamsParts } from './streams.ts'

export interface PostListParts {
  /** The element whose children are the posts, in reading order. */
  list: HTMLElement
  /** Which part of the thread is shown. */
  shown?: TreeView
  viewer: () => Viewer | null
  now: () => number
  /** Begins to show a reply while it is written. */
  createView: StreamsParts['createView']
}

/** The thread's posts in the page. Only what changed is touched. */
export interface PostList {
  element(number: number): HTMLElement | null
  /** Puts a post that is on its way where it will stand beneath `parent`. Says whether that is shown. */
  putBeneath(parent: number, article: HTMLElement): boolean
  /** Brings the page to `state`; returns the numbers of the posts that are new in it. */
  update(state: ThreadState): number[]
  /** Gives a post its actions. */
  wake(element: HTMLElement): void
  /** A post comes near the view: wakes it, and shows what is being written in it. */
  near(element: HTMLElement): void
  far(element: HTMLElement): void
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

export function createPostList(parts: PostListParts, initial: ThreadState): PostList {
  const { list, viewer, now } = parts
  const order = createOrder(initial.posts, parts.shown)
  const awake = new Set<number>()
  const feet = new Map<number, FootState>()
  const { draw, drew } = createDrawer()
  const folds = createFolds(order, element)
  const streams = createStreams({
    createView: parts.createView,
    place: textPlace,
    text: (number) => state.streams.get(number)?.text,
  })
  let state = initial

  function element(number: number): HTMLElement | null {
    return document.getElementById(`p${number}`)
  }

  /** Where the text of a reply that is being written goes. */
  function textPlace(number: number): HTMLElement | null {
    return element(number)?.querySelector<HTMLElement>(':scope > .main > .body > .text') ?? null
  }

  /** `html` is the post's as its element says it already, in words of the browser's. */
  function drawMain(post: Post, article: HTMLElement, html?: string): void {
    const found = relations(post, (number) => state.posts[number - 1])
    const thinking = post.state === 'streaming' && !state.streams.get(post.number)?.text
    const shown = html === undefined ? post : { ...post, html }
    const props = { thread: state.thread.id, post: shown, now: now(), thinking, ...found }
    draw(<PostMain {...props} />, part(article, 'main'))
  }

  function drawFoot(post: Post, article: HTMLElement): void {
    const props = {
      post,
      viewerId: viewer()?.id,
      may: permissions(viewer(), state.thread.locked, post),
      hasParent: post.parent !== null && order.isShown(post.parent),
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
    if (post.state === 'streaming' && isAround(article)) near(article)
  }

  function refreshPost(number: number, before: Post | undefined): void {
    const post = state.posts[number - 1]!
    const article = element(number)
    if (article === null) return
    const ends = before?.state === 'streaming' && post.state !== 'streaming'
    const settled = ends ? endStream(post) : undefined
    if (before === undefined || !sameText(before, post)) {
      setAttributes(article, post, order.depth(number))
      drawMain(post, article, settled)
    }
    if (before?.state !== post.state && post.state === 'deleted') redrawReplies(number)
    if (ends) setFoot(number, { stopping: false })
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
    // What the server drew of a reply that is being written says nothing of how far it is.
    if (post.state === 'streaming' && !drew(part(article, 'main'))) drawMain(post, article)
    drawFoot(post, article)
  }

  function near(article: HTMLElement): void {
    wake(article)
    streams.near(numberOf(article))
  }

  /** The final text takes the place of what was shown meanwhile, and what is the same in both stays. */
  function endStream({ number, html, embeds = [] }: Post): string | undefined {
    // Cards divide a text into several elements: those are drawn anew.
    return streams.end(number, embeds.length === 0 ? html : undefined)
  }

  /** There is more of a reply that is being written. */
  function grow(number: number, first: boolean): void {
    const post = state.posts[number - 1]
    const article = element(number)
    if (post?.state !== 'streaming' || article === null) return
    if (first) drawMain(post, article)
    streams.grow(number)
  }

  function setFoot(number: number, change: Partial<FootState>): void {
    feet.set(number, { ...feet.get(number), ...change })
    redrawFoot(number)
  }

  /** Brings the page from the posts that it showed to those of the state; `inserted` takes the numbers of new ones. */
  function show(before: ThreadState, inserted: number[]): void {
    for (const step of order.change(state.posts, changedPosts(before.posts, state.posts))) {
      if (step.kind === 'insert') {
        insert(step)
        inserted.push(step.number)
      } else if (step.kind === 'remove') remove(step.number)
      else refreshPost(step.number, before.posts[step.number - 1])
    }
  }

  function remove(number: number): void {
    streams.end(number)
    streams.far(number)
    element(number)?.remove()
    awake.delete(number)
    feet.delete(number)
  }

  return {
    element,
    putBeneath(parent, article) {
      if (!order.isThere(parent)) return false
      const depth = String(order.depth(parent) + 1)
      article.dataset['depth'] = depth
      const place = order.placeBeneath(parent)
      let after: Element | null = place === null ? null : element(place)
      if (after === null) list.prepend(article)
      while (after?.nextElementSibling?.matches(`.pending[data-depth="${depth}"]`))
        after = after.nextElementSibling
      after?.after(article)
      return true
    },
    update(next) {
      const before = state
      state = next
      const inserted: number[] = []
      if (before.posts !== next.posts) show(before, inserted)
      if (before.thread.locked !== next.thread.locked) for (const number of awake) redrawFoot(number)
      for (const [number, { text }] of next.streams) {
        const known = before.streams.get(number)?.text ?? ''
        if (text !== known) grow(number, known === '' || text === '')
      }
      return inserted
    },
    wake,
    near,
    far: (article) => streams.far(numberOf(article)),
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
