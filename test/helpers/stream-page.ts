// The script of a page with a reply that is being written. The browser test for streams builds and drives it.
import { createLateView } from '../../client/app/late-view.ts'
import type { StreamView } from '../../client/stream/stream-view.ts'

export interface StreamPage {
  /** Begins to show the reply. */
  open(): void
  /** Lets the reply grow from what it was to `text`, a piece a frame; gives the places of `watched` in the window in each frame. */
  write(text: string, pieceLength: number, watched: string): Promise<{ top: number; bottom: number }[]>
  settle(html: string): void
  /** The blocks that are shown. */
  blocks(): Element[]
  readonly measured: {
    /** The layout shifts together, and each with what it moved. */
    shift: number
    shifts: string[]
    /** Changes in blocks that another one had followed. */
    touched: string[]
    /** How many settled blocks were watched for that. */
    watched: number
  }
}

declare global {
  interface Window {
    streamPage: StreamPage
  }
}

interface LayoutShift extends PerformanceEntry {
  readonly value: number
  readonly sources: readonly { node: Node | null; previousRect: DOMRect; currentRect: DOMRect }[]
}

const into = document.querySelector<HTMLElement>('[data-state=streaming] .text')!
const measured: StreamPage['measured'] = { shift: 0, shifts: [], touched: [], watched: 0 }
let view: StreamView
let written = 0

window.streamPage = {
  measured,
  open() {
    view = createLateView(into, async () => {
      const { createStreamView } = await import('../../client/stream/stream-view.ts')
      return (into) => createStreamView(into, { thread: 'k3v9x2q7ab', publicUrl: location.origin })
    })
    watchSettled()
  },
  async write(text, pieceLength, watched) {
    const places: { top: number; bottom: number }[] = []
    const element = document.querySelector(watched)!
    while (written < text.length) {
      written = Math.min(text.length, written + pieceLength)
      view.show(text.slice(0, written))
      await frame()
      const { top, bottom } = element.getBoundingClientRect()
      places.push({ top, bottom })
    }
    return places
  },
  settle: (html) => void view.settle(html),
  blocks: () => [...into.children],
}

new PerformanceObserver((list) => {
  for (const { value, sources } of list.getEntries() as LayoutShift[]) {
    measured.shift += value
    measured.shifts.push(`${value.toFixed(5)} ${sources.map(moved).join(', ')}`)
  }
}).observe({ type: 'layout-shift', buffered: true })

function moved({ node, previousRect: from, currentRect: to }: LayoutShift['sources'][number]): string {
  const what = `${node?.nodeName} ${JSON.stringify(node?.textContent?.slice(0, 20))}`
  return `${what} from ${from.x},${from.y} to ${to.x},${to.y}`
}

function watchSettled(): void {
  const settled = new Set<Element>()
  new MutationObserver((records) => {
    for (const { type, target, removedNodes } of records) {
      for (let node: Node | null = target; node !== null && node !== into; node = node.parentNode) {
        if (settled.has(node as Element))
          measured.touched.push(`${type} in ${node.textContent?.slice(0, 40)}`)
      }
      for (const node of removedNodes) {
        if (settled.has(node as Element)) measured.touched.push(`removed ${node.textContent?.slice(0, 40)}`)
      }
    }
    // The last is open, and the one before it may have settled just now.
    for (const block of [...into.children].slice(0, -2)) settled.add(block)
    measured.watched = settled.size
  }).observe(into, { subtree: true, childList: true, characterData: true, attributes: true })
}

function frame(): Promise<unknown> {
  return new Promise((resolve) => requestAnimationFrame(resolve))
}
