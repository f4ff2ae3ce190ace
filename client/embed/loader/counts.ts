import { keyOf } from './page.ts'

/** So many go into one request. */
const mostAtOnce = 40

/** Defines `<numinex-count>`, in whose text is how many comments a page (`url`) or a thread has. A second time does nothing. */
export function defineCounts(server: string): void {
  const name = 'numinex-count'
  if (customElements.get(name)) return
  let asked: string[] = []

  function show(key: string, count: number): void {
    for (const element of document.querySelectorAll(name)) {
      if (keyOf(element) === key) element.textContent = String(count)
    }
  }

  async function ask(keys: string[]): Promise<void> {
    const query = new URLSearchParams(keys.map((key) => [key.includes('/') ? 'url' : 'thread', key]))
    try {
      const answer = await fetch(`${server}/embed/counts?${query}`, { credentials: 'omit' })
      const { counts } = (await answer.json()) as { counts: Record<string, number> }
      for (const [key, count] of Object.entries(counts)) show(key, count)
    } catch {
      // What cannot be counted keeps what the page says there.
    }
  }

  /** All that came into the page at once is asked for at once. */
  function askAll(): void {
    const keys = [...new Set(asked)]
    asked = []
    while (keys.length > 0) void ask(keys.splice(0, mostAtOnce))
  }

  // A thread in the page knows better. Its events do not bubble, but they come by.
  document.addEventListener(
    'count',
    (event) => {
      const { target, detail } = event as CustomEvent<{ posts: number }>
      if (target instanceof Element && target.localName === 'numinex-thread')
        show(keyOf(target), detail.posts)
    },
    { capture: true },
  )
  customElements.define(
    name,
    class extends HTMLElement {
      static observedAttributes = ['url', 'thread']

      connectedCallback(): void {
        if (asked.push(keyOf(this)) === 1) setTimeout(askAll)
      }

      attributeChangedCallback(): void {
        if (this.isConnected) this.connectedCallback()
      }
    },
  )
}
