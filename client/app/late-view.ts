import type { StreamView } from '../stream/stream-view.ts'

/**
 * A view of a text that grows, whose code is loaded when the first reply is being written. If it cannot be had, the text is
 * shown as it was written until the server's HTML comes.
 */
export function createLateView(
  into: HTMLElement,
  load: () => Promise<(into: HTMLElement) => StreamView>,
): StreamView {
  let view: StreamView | undefined
  let text: string | undefined
  let over = false

  load().then(start, () => start(createPlainView))

  function start(create: (into: HTMLElement) => StreamView): void {
    if (over) return
    view = create(into)
    if (text !== undefined) view.show(text)
  }

  return {
    show(next) {
      text = next
      view?.show(next)
    },
    settle(html) {
      over = true
      return (view ?? createPlainView(into)).settle(html)
    },
    close() {
      over = true
      view?.close()
    },
  }
}

function createPlainView(into: HTMLElement): StreamView {
  const paragraph = document.createElement('p')
  paragraph.className = 'text-source'
  return {
    show(text) {
      into.replaceChildren(paragraph)
      paragraph.textContent = text
    },
    settle(html) {
      into.innerHTML = html
      return into.innerHTML
    },
    close() {},
  }
}
