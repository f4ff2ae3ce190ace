import type { Token } from 'markdown-it'

/** A quotation mark: in which token, where in its text. */
export interface QuoteMark {
  token: number
  offset: number
}
export interface QuotePair {
  open: QuoteMark
  close: QuoteMark
}

const closers: Record<string, string> = {
  '“': '”',
  '„': '“”',
  '«': '»',
  '»': '«',
  '「': '」',
  '『': '』',
  '"': '"',
}

/** Marks that wait for their partner at a time. */
const mostOpen = 20

function findPairs(children: readonly Token[]): QuotePair[] {
  const pairs: QuotePair[] = []
  /** The markup that is open, outermost first. */
  const markup: Token[] = []
  let waiting: (QuoteMark & { closedBy: string; within: Token | undefined })[] = []
  let previous = ' '
  children.forEach((token, index) => {
    if (token.nesting === 1) markup.push(token)
    if (token.nesting === -1) {
      const ended = markup.pop()
      waiting = waiting.filter(({ within }) => within !== ended || ended === undefined)
    }
    if (token.type !== 'text') {
      if (token.type.endsWith('break')) previous = ' '
      else if (token.content !== '') previous = token.content.at(-1)!
      return
    }
    const inLink = markup.some(({ tag }) => tag === 'a')
    for (let offset = 0; offset < token.content.length; offset++) {
      const character = token.content[offset]!
      const next = token.content[offset + 1] ?? (children[index + 1]?.content[0] || ' ')
      if (!inLink) takeMark(character, { token: index, offset }, next)
      previous = character
    }
  })
  return pairs

  function takeMark(character: string, mark: QuoteMark, next: string): void {
    const within = markup.at(-1)
    const closes = character !== '"' || (!/\s/.test(previous) && !/[\p{L}\p{N}]/u.test(next))
    const at = closes
      ? waiting.findLastIndex((open) => open.closedBy.includes(character) && open.within === within)
      : -1
    if (at >= 0) {
      const { token, offset } = waiting[at]!
      pairs.push({ open: { token, offset }, close: mark })
      waiting.length = at
      return
    }
    const closedBy = Object.hasOwn(closers, character) ? closers[character] : undefined
    const opens = character !== '"' || (!/[\p{L}\p{N}]/u.test(previous) && !/\s/.test(next))
    if (closedBy === undefined || !opens) return
    waiting.push({ ...mark, closedBy, within })
    if (waiting.length > mostOpen) waiting.shift()
  }
}

/**
 * Pairs of double quotation marks, in order, without those that lie within others. Both marks of a pair stand in the same
 * markup, outside of links and code. Marks without a partner are passed over.
 */
export function quotePairs(children: readonly Token[]): QuotePair[] {
  return outermost(findPairs(children))
}

function outermost(pairs: readonly QuotePair[]): QuotePair[] {
  const isBefore = (a: QuoteMark, b: QuoteMark) =>
    a.token < b.token || (a.token === b.token && a.offset < b.offset)
  const kept: QuotePair[] = []
  // A pair is found when it closes, so those within it come before it.
  for (const pair of pairs) {
    while (kept.length > 0 && isBefore(pair.open, kept.at(-1)!.open)) kept.pop()
    kept.push(pair)
  }
  return kept
}
