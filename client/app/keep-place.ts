import { postInView } from './nearby.ts'

/**
 * Runs `change` without moving what is being read. Browsers that hold on to the visible text by themselves are left
 * to it; in the others the page is scrolled by as much as the change moved it.
 */
export function keepPlace(list: HTMLElement, change: () => void): void {
  const anchor = anchorsByItself() ? null : postInView(list)
  const before = anchor?.getBoundingClientRect().top
  change()
  if (anchor === null || before === undefined || !anchor.isConnected) return
  const moved = anchor.getBoundingClientRect().top - before
  if (moved !== 0) window.scrollBy({ top: moved, behavior: 'instant' })
}

function anchorsByItself(): boolean {
  return typeof CSS !== 'undefined' && CSS.supports('overflow-anchor', 'auto')
}
