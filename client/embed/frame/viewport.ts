import type { HostLink } from './host-link.ts'

/** What of the frame is in view, and how to move it there: the frame is as high as its content, and the host page scrolls. */
export interface Viewport {
  /** Runs `change` soon, and has the host page scroll by as much as it moved what is being read. */
  keepPlace(list: HTMLElement, change: () => void): void
  /** Has the host page scroll, unless the element is in view already. */
  bringIntoView(element: Element): void
  /** Has the host page scroll so that the element begins `to` pixels below the top of the window. */
  place(element: Element, to: number): void
}

/** Where what is brought into view begins, in pixels below the top of the window: there may be a bar of the page's own. */
const comfortable = 96

/** `tellSize` tells the host how high the frame is now: it cannot scroll to where it is not yet. */
export function createViewport(link: HostLink, tellSize: () => void): Viewport {
  let waiting: (() => void) | undefined

  function run(list: HTMLElement, top: number | undefined): void {
    const change = waiting
    waiting = undefined
    const anchor = top === undefined ? undefined : firstBelow(list, top)
    const before = anchor?.getBoundingClientRect().top
    change?.()
    if (anchor === undefined || before === undefined || !anchor.isConnected) return
    const by = anchor.getBoundingClientRect().top - before
    if (by === 0) return
    tellSize()
    link.send({ numinex: 'shift', by })
  }

  function place(element: Element, to: number): void {
    tellSize()
    link.send({ numinex: 'reveal', top: element.getBoundingClientRect().top + window.scrollY, to })
  }

  return {
    place,
    keepPlace(list, change) {
      const planned = waiting !== undefined
      waiting = change
      if (planned) return
      if (document.visibilityState !== 'visible') return run(list, undefined)
      seen(list, ({ isIntersecting, intersectionRect }) =>
        run(list, isIntersecting ? intersectionRect.top : undefined),
      )
    },
    bringIntoView(element) {
      if (document.visibilityState !== 'visible') return place(element, comfortable)
      seen(element, ({ intersectionRatio }) => {
        if (intersectionRatio < 0.99) place(element, comfortable)
      })
    },
  }
}

/** Tells once what of an element is in view: the only way in which a frame learns that. */
function seen(element: Element, tell: (entry: IntersectionObserverEntry) => void): void {
  const observer = new IntersectionObserver(([entry]) => {
    observer.disconnect()
    if (entry !== undefined) tell(entry)
  })
  observer.observe(element)
}

/** The first post that begins below `top`, or holds it. */
function firstBelow(list: HTMLElement, top: number): Element | undefined {
  for (const post of list.children) if (post.getBoundingClientRect().bottom > top + 1) return post
  return undefined
}
