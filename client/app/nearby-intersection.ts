export interface Nearby {
  /** Looks around the view once, for posts that were there before the watch began. */
  lookAround(): void
}

/** Calls `near` for posts as they come near the view, and `far` when they leave it, in any browser. */
export function watchByIntersection(
  list: HTMLElement,
  near: (post: HTMLElement) => void,
  far: (post: HTMLElement) => void,
): Nearby {
  const observer = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) (isIntersecting ? near : far)(target as HTMLElement)
    },
    { rootMargin: '800px 0px' },
  )
  new MutationObserver((changes) => {
    for (const { addedNodes } of changes)
      for (const node of addedNodes) if (node instanceof Element) observer.observe(node)
  }).observe(list, { childList: true })
  return {
    lookAround() {
      for (const post of list.children) observer.observe(post)
    },
  }
}
