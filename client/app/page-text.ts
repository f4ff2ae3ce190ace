import type { PageText } from '../page-state.ts'
import { bodyHtml } from '../views/body.tsx'

/** Reads what the server rendered, for as long as it stands in the page. */
export function pageText(document: Document): PageText {
  const find = (number: number, selector: string) =>
    document.querySelector(`#p${number} > .main > ${selector}`)
  return {
    html(number) {
      const body = find(number, '.body')
      return body === null ? '' : bodyHtml(body)
    },
    quote: (number) => find(number, '.quote > .quote-text')?.textContent ?? null,
  }
}
