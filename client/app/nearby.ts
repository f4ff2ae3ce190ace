import { watchByIntersection, type Nearby } from './nearby-intersection.ts'

/**
 * Calls `near` for posts as they come near the view, and `far` when they leave it. The browser itself watches posts
 * whose rendering it may skip, so nothing has to be set up for each of ten thousand.
 */
export function watchNearby(
  list: HTMLElement,
  near: (post: HTMLElement) => void,
  far: (post: HTMLElement) => void,
): Nearby {
  if (!('oncontentvisibilityautostatechange' in list)) return watchByIntersection(list, near, far)
  list.addEventListener('contentvisibilityautostatechange', (event) => {
    const post = event.target
    if (!(post instanceof HTMLElement) || post.parentElement !== list) return
    if ((event as ContentVisibilityAutoStateChangeEvent).skipped) far(post)
    else near(post)
  })
  return {
    lookAround() {
      for (const post of postsAround(list)) near(post)
    },
  }
}

/** The posts in the view and two screens above and below it, which is farther than browsers render ahead. */
export function postsAround(list: HTMLElement): HTMLElement[] {
  const screen = window.innerHeight
  const found = postInView(list) ?? list.firstElementChild
  const around: HTMLElement[] = []
  for (let post = found; post !== null; post = post.nextElementSibling) {
    if (post.getBoundingClientRect().top > 3 * screen) break
    around.push(post as HTMLElement)
  }
  for (let post = found?.previousElementSibling ?? null; post !== null; post = post.previousElementSibling) {
    if (post.getBoundingClientRect().bottom < -2 * screen) break
    around.push(post as HTMLElement)
  }
  return around
}

/** The topmost post in the view; null when there is none. */
export function postInView(list: HTMLElement): Element | null {
  const { left, width } = list.getBoundingClientRect()
  for (let y = 0; y < window.innerHeight; y += 32) {
    const post = document.elementFromPoint(left + width / 2, y)?.closest('.post')
    if (post?.parentElement === list) return post
  }
  return null
}
