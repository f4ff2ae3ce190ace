import { keepPlace } from '../app/keep-place.ts'

/** Keeps the end of something that grows in sight of those who read there, and everyone else where they are. */
export interface Follower {
  /** Runs `change`, which lets it grow. */
  around(change: () => void): void
  stop(): void
}

/** Pixels: how far above the window's lower edge the end is kept, and how far below it still counts as in sight. */
const margin = 24
const slack = 48

/**
 * `post` is what grows, once it is in the page. Who has its end in the lower half of the window reads there, until they
 * scroll up. For who writes something, it is their own text that stays where it is.
 */
export function createFollower(post: () => HTMLElement | null): Follower {
  let following = false
  let scrolledUp = false
  let lastScroll = window.scrollY
  let lastBottom = Infinity
  /** The part of a pixel that was not scrolled, as browsers scroll by whole ones. */
  let owed = 0

  function remember(bottom: number): void {
    lastScroll = window.scrollY
    lastBottom = bottom
  }

  /** A scroll that also moves the post: the browser's own keeping of the place leaves it where it is. */
  function onScroll(): void {
    const bottom = bottomOf(post())
    if (bottom === undefined) return
    const up = window.scrollY < lastScroll && bottom > lastBottom
    if (up) scrolledUp = true
    else if (window.scrollY > lastScroll && bottom <= window.innerHeight + slack) scrolledUp = false
    if (scrolledUp) following = false
    remember(bottom)
  }

  function isAtEnd(bottom: number): boolean {
    return bottom >= window.innerHeight / 2 && bottom <= window.innerHeight + slack
  }

  window.addEventListener('scroll', onScroll, { passive: true })
  return {
    around(change) {
      const element = post()
      const before = bottomOf(element)
      if (element === null || before === undefined) return change()
      const field = writtenIn()
      if (!scrolledUp && isAtEnd(before)) following = true
      if (field !== null) {
        const { top } = field.getBoundingClientRect()
        change()
        const moved = field.getBoundingClientRect().top - top + owed
        const rest = moved - scrollDown(moved)
        owed = Math.abs(rest) < 1 ? rest : 0
      } else if (following) {
        change()
        scrollDown(Math.max(0, bottomOf(element)! - (window.innerHeight - margin)))
      } else if (element.parentElement === null) change()
      else keepPlace(element.parentElement, change)
      remember(bottomOf(element)!)
    },
    stop: () => window.removeEventListener('scroll', onScroll),
  }
}

/** Of the post itself, not of what is in it: asking for that makes browsers lay out what they skip. */
function bottomOf(post: HTMLElement | null): number | undefined {
  return post?.isConnected ? post.getBoundingClientRect().bottom : undefined
}

/** The field in the window that has the focus. */
function writtenIn(): Element | null {
  const focused = document.activeElement
  if (!(focused instanceof HTMLElement)) return null
  if (!focused.matches('textarea, input') && !focused.isContentEditable) return null
  const { top, bottom } = focused.getBoundingClientRect()
  return bottom > 0 && top < window.innerHeight ? focused : null
}

/** Returns how far it went. */
function scrollDown(top: number): number {
  const before = window.scrollY
  if (top !== 0) window.scrollBy({ top, behavior: 'instant' })
  return window.scrollY - before
}
