import type { StreamView } from '../stream/stream-view.ts'

export interface StreamsParts {
  /** Begins to show text that grows in an element. */
  createView(into: HTMLElement): StreamView
  /** Where the text of a post goes. */
  place(number: number): HTMLElement | null
  /** The text so far of a reply that is being written; nothing where none is. */
  text(number: number): string | undefined
}

/** Shows replies while they are written. Those far from the view are not rendered. */
export interface Streams {
  near(number: number): void
  far(number: number): void
  /** There is more text. */
  grow(number: number): void
  /**
   * It is not written any more. With `html`, what is shown of it takes that over; returns the HTML as its place says
   * it then, and nothing where nothing was shown.
   */
  end(number: number, html?: string): string | undefined
}

export function createStreams({ createView, place, text }: StreamsParts): Streams {
  const around = new Set<number>()
  const views = new Map<number, StreamView>()

  function viewOf(number: number): StreamView | undefined {
    const known = views.get(number)
    const into = known === undefined ? place(number) : null
    if (into === null) return known
    const view = createView(into)
    views.set(number, view)
    return view
  }

  function show(number: number): void {
    const written = around.has(number) ? text(number) : undefined
    if (written !== undefined && written !== '') viewOf(number)?.show(written)
  }

  return {
    near(number) {
      around.add(number)
      show(number)
    },
    far: (number) => void around.delete(number),
    grow: show,
    end(number, html) {
      const view = views.get(number)
      views.delete(number)
      if (html !== undefined) return view?.settle(html)
      view?.close()
      return undefined
    },
  }
}
