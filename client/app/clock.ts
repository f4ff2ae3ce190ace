import { ago } from '../views/format.ts'

const tickMs = 30_000

/** Keeps the times within `elements` worded as "5 min ago". Returns the function that words those of one element now. */
export function startClock(elements: () => Iterable<ParentNode>): (element: ParentNode) => void {
  const word = (element: ParentNode) => {
    for (const time of element.querySelectorAll('time')) {
      // The text node stays the same one: views that drew it still know it.
      if (time.firstChild instanceof Text) {
        const text = ago(time.dateTime, Date.now())
        if (time.firstChild.data !== text) time.firstChild.data = text
      }
    }
  }
  setInterval(() => {
    if (document.visibilityState === 'visible') for (const element of elements()) word(element)
  }, tickMs)
  return word
}
