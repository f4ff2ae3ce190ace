/** Marks the element at whose end the text goes on. */
export const caretAttribute = 'data-caret'

export interface Caret {
  /** Puts the mark where the text ends now. */
  move(): void
  remove(): void
}

export function createCaret(into: HTMLElement): Caret {
  let marked: Element | undefined

  function set(element: Element | undefined): void {
    if (element === marked && (element === undefined || element.hasAttribute(caretAttribute))) return
    marked?.removeAttribute(caretAttribute)
    element?.setAttribute(caretAttribute, '')
    marked = element
  }

  return { move: () => set(endOf(into)), remove: () => set(undefined) }
}

const blocks = new Set('P UL OL LI BLOCKQUOTE PRE DIV TABLE THEAD TBODY TR TD TH H3 H4 H5 H6'.split(' '))

/** The innermost block at the end, if it ends with text. */
function endOf(into: Element): Element | undefined {
  let block: Element = into
  for (;;) {
    const last = lastShown(block)
    if (!(last instanceof Element)) return block === into ? undefined : block
    if (block.nodeName === 'PRE') return last
    // A rule or a displayed formula has no line that one could write on.
    if (last.nodeName === 'HR' || last.matches('.math-display')) return undefined
    if (!blocks.has(last.nodeName)) return block
    block = last
  }
}

function lastShown(element: Element): ChildNode | null {
  let last = element.lastChild
  while (last instanceof Text && last.data.trim() === '') last = last.previousSibling
  return last
}
