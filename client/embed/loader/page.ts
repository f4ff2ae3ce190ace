/** What an element's comments are known by: the thread that it names, or else the address of its page. */
export function keyOf(element: Element): string {
  const canonical = document.querySelector<HTMLLinkElement>('link[rel=canonical]')
  const address = element.getAttribute('url') || canonical?.href || ''
  // The page's own address comes out without its fragment.
  return element.getAttribute('thread') || new URL(address, location.href).href
}

/** Whether an element's surroundings are dark, judged by the computed colour of their text: that is light then. */
export function isDark(color: string): boolean {
  const [a, b, c] = color.match(/[\d.]+/g)!.map(Number) as [number, number, number]
  // Most are red, green and blue up to 255; newer ways of writing begin with a lightness up to 1.
  return a > 1 ? a + 2 * b + c > 560 : a > 0.6
}
