import { limits } from '../../shared/limits.ts'

/** The text that is selected inside the text of one post, and that post. */
export function selectedPassage(): { post: HTMLElement; text: string; range: Range } | undefined {
  const selection = document.getSelection()
  if (selection === null || selection.isCollapsed || selection.rangeCount === 0) return undefined
  const range = selection.getRangeAt(0)
  const around = range.commonAncestorContainer
  const element = around instanceof Element ? around : around.parentElement
  const post = element?.closest('.body')?.closest<HTMLElement>('.post[id]')
  const text = selection.toString().trim().slice(0, limits.quoteMax)
  // What is still being written cannot be quoted yet.
  if (post?.dataset['state'] === 'streaming') return undefined
  return post && text !== '' ? { post, text, range } : undefined
}

/** What is quoted of a post when nothing is selected in it: its first paragraph, or the beginning of a long one. */
export function openingPassage(post: HTMLElement): string {
  const blocks = post.querySelectorAll('.body .text > *')
  const first = [...blocks].map((block) => block.textContent.trim()).find((text) => text !== '') ?? ''
  if (first.length <= limits.excerptMax) return first
  const cut = first.slice(0, limits.excerptMax)
  return cut.slice(0, Math.max(cut.lastIndexOf(' '), limits.excerptMax / 2)).trim()
}

/** Offers to quote whatever is selected in a post, beside the selection. */
export function offerQuotes(
  button: HTMLButtonElement,
  quote: (post: HTMLElement, text: string) => void,
): void {
  const update = () => {
    const passage = selectedPassage()
    button.hidden = passage === undefined
    if (passage === undefined) return
    const { left, right, bottom } = passage.range.getBoundingClientRect()
    button.style.left = `${Math.max(8, Math.min((left + right) / 2, window.innerWidth - 96)) + window.scrollX}px`
    button.style.top = `${bottom + 8 + window.scrollY}px`
  }
  document.addEventListener('selectionchange', update)
  // Pressing the button must not take away the selection that it is about.
  button.addEventListener('pointerdown', (event) => event.preventDefault())
  button.addEventListener('click', () => {
    const passage = selectedPassage()
    if (passage) quote(passage.post, passage.text)
    document.getSelection()?.removeAllRanges()
  })
}
