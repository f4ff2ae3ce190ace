/** What an element's comments are known by: the thread that it names, or else the address of its page. */
export function keyOf(element: Element): string {
  return element.getAttribute('thread') || pageOf(element)
}

/** The address of an element's page: the one that it names, the page's canonical one, or its own. */
export function pageOf(element: Element): string {
  const canonical = document.querySelector<HTMLLinkElement>('link[rel=canonical]')?.href
  // A page that says it is a copy of one elsewhere has readers of its own.
  const address = element.getAttribute('url') || (canonical?.startsWith(origin) ? canonical : '')
  try {
    // The page's own address comes out without its fragment.
    return new URL(address, location.href).href
  } catch {
    // The server says what is wrong with it.
    return address
  }
}

/** Whether an element's surroundings are dark, judged by the computed colour of their text: that is light then. */
export function isDark(color: string): boolean {
  const [a, b, c] = color.match(/\b[\d.]+/g)!.map(Number) as [number, number, number]
  // Red, green and blue up to 255 or up to 1; the other ways of writing begin with a lightness up to 100 or up to 1.
  return color[0] === 'r' ? a + b + c > 382 : a > (color[0] === 'l' ? 50 : 0.5)
}
