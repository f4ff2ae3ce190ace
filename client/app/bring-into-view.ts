// What comes into view on the way is laid out only then, and wakes: so long until that has settled, at the most.
const settleFrames = 12

/** Scrolls as little as it takes to have an element in view, and keeps it there while the page around it settles. */
export function bringIntoView(element: Element, frames = settleFrames): void {
  element.scrollIntoView({ block: 'nearest' })
  if (frames > 0 && element.isConnected) requestAnimationFrame(() => bringIntoView(element, frames - 1))
}
