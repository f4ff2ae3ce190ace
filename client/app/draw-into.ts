import { render } from 'preact'

/** Draws views into elements in which the server drew before. */
export interface Drawer {
  /** What the server drew gives way the first time. */
  draw(view: Parameters<typeof render>[0], into: Element): void
  /** Whether an element was drawn into by this. */
  drew(into: Element): boolean
}

export function createDrawer(): Drawer {
  const ours = new WeakSet<Element>()
  return {
    draw(view, into) {
      if (!ours.has(into)) {
        into.replaceChildren()
        ours.add(into)
      }
      render(view, into)
    },
    drew: (into) => ours.has(into),
  }
}
