/**
 * Calls `near` for posts as they come near the view, and `far` when they leave it. The browser itself watches posts
 * whose rendering it may skip, so nothing has to be set up for each of ten thousand.
 */
export function watchNearby(
  list: HTMLElement,
  near: (post: HTMLElement) => void,
  far: (post: HTMLElement) => void,
): (post: HTMLElement) => void {
  if (!('oncontentvisibilityautostatechange' in list)) return watchByIntersection(near, far)
  list.addEventListener('contentvisibilityautostatechange', (event) => {
    const post = event.target
    if (!(post instanceof HTMLElement) || post.parentElement !== list) return
    if ((event as ContentVisibilityAutoStateChangeEvent).skipped) far(post)
    else near(post)
  })
  return (post) => {
    if (post.checkVisibility({ contentVisibilityAuto: true })) near(post)
  }
}

function watchByIntersection(near: (post: HTMLElement) => void, far: (post: HTMLElement) => void) {
  const observer = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) (isIntersecting ? near : far)(target as HTMLElement)
    },
    { rootMargin: '800px 0px' },
  )
  return (post: HTMLElement) => observer.observe(post)
}
