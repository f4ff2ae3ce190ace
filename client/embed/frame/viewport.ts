import type { HostLink } from './host-link.ts'

/** What of the frame is in view, and how to move it there: the frame is as high as its content, and the host page scrolls. */
export interface Viewport {
  /** Runs `change` soon, and has the host page scroll by as much as it moved what is being read. */
  keepPlace(list: HTMLElement, change: () => void): void
  bringIntoView(element: Element): void
}

export function createViewport(host: HostLink): Viewport {
  let waiting: (() => void) | undefined

  function run(list: HTMLElement, top: number | undefined): void {
    const change = waiting
    waiting = undefined
    const anchor = top === undefined ? undefined : firstBelow(list, top)
    const before = anchor?.getBoundingClientRect().top
    change?.()
    if (anchor === undefined || before === undefined || !anchor.isConnected) return
    const by = anchor.getBoundingClientRect().top - before
    if (by !== 0) host.send({ numinex: 'shift', by })
  }

  return {
    keepPlace(list, change) {
      const planned = waiting !== undefined
      waiting = change
      if (planned) return
      if (document.visibilityState !== 'visible') return run(list, undefined)
      // The one way in which a frame learns what of it is in view.
      const observer = new IntersectionObserver(([entry]) => {
        observer.disconnect()
        run(list, entry?.isIntersecting === true ? entry.intersectionRect.top : undefined)
      })
      observer.observe(list)
    },
    bringIntoView(element) {
      const { top, height } = element.getBoundingClientRect()
      host.send({ numinex: 'reveal', top: top + window.scrollY, height })
    },
  }
}

/** The first post that begins below `top`, or holds it. */
function firstBelow(list: HTMLElement, top: number): Element | undefined {
  for (const post of list.children) if (post.getBoundingClientRect().bottom > top + 1) return post
  return undefined
}
