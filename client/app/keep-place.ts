/**
 * Runs `change` without moving what is being read. Browsers that hold on to the visible text by themselves are left
 * to it; in the others the page is scrolled by as much as the change moved it.
 */
export function keepPlace(list: HTMLElement, change: () => void): void {
  const anchor = anchorsByItself() ? undefined : firstVisible(list)
  const before = anchor?.getBoundingClientRect().top
  change()
  if (anchor === undefined || before === undefined || !anchor.isConnected) return
  const moved = anchor.getBoundingClientRect().top - before
  if (moved !== 0) window.scrollBy({ top: moved, behavior: 'instant' })
}

function anchorsByItself(): boolean {
  return typeof CSS !== 'undefined' && CSS.supports('overflow-anchor', 'auto')
}

function firstVisible(list: HTMLElement): Element | undefined {
  const middle = list.getBoundingClientRect().left + list.clientWidth / 2
  for (let y = 0; y < window.innerHeight; y += 48) {
    const post = document.elementFromPoint(middle, y)?.closest('.post')
    if (post) return post
  }
  return undefined
}
