import type { StreamView } from '../stream/stream-view.ts'

/**
 * A view of a text that grows, whose code is loaded when the first reply is being written. Where that cannot be had,
 * the text is there when the reply has ended.
 */
export function createLateView(
  into: HTMLElement,
  load: () => Promise<(into: HTMLElement) => StreamView>,
): StreamView {
  let view: StreamView | undefined
  let text: string | undefined
  let over = false

  load().then(
    (create) => {
      if (over) return
      view = create(into)
      if (text !== undefined) view.show(text)
    },
    () => {},
  )

  return {
    show(next) {
      text = next
      view?.show(next)
    },
    settle(html) {
      over = true
      if (view !== undefined) return view.settle(html)
      into.innerHTML = html
      return into.innerHTML
    },
    close() {
      over = true
      view?.close()
    },
  }
}
