import { Parser, type ParserOptions } from 'htmlparser2'

export interface ParserHandler {
  onopentag(name: string, attributes: Record<string, string>): void
  ontext(text: string): void
  /** `implied` where no tag ended it. */
  onclosetag(name: string, implied: boolean): void
}

/**
 * The parser, with a bound on elements within elements: deeper ones end where they begin. It looks at all open
 * elements for each tag, so without a bound a short text could keep it busy for hours.
 */
export function createBoundedParser(
  handler: ParserHandler,
  options: ParserOptions,
  maxDepth: number,
): Parser {
  let depth = 0
  /** What was said of the tag that is being read: the parser asks before it calls `onopentag`, and again after. */
  let isVoid = false
  let asked = false
  const parser = new Parser(
    {
      onopentag(name, attributes) {
        depth++
        asked = true
        handler.onopentag(name, attributes)
      },
      ontext: (text) => handler.ontext(text),
      onclosetag(name, implied) {
        if (depth > 0) depth--
        handler.onclosetag(name, implied)
      },
    },
    options,
  )
  // What the parser offers to those who extend it.
  const inner = parser as unknown as {
    isVoidElement(name: string): boolean
    onclosetag(start: number, end: number): void
  }
  const ownVoid = inner.isVoidElement.bind(parser)
  const ownClose = inner.onclosetag.bind(parser)
  let closing = false
  inner.onclosetag = (start, end) => {
    closing = true
    ownClose(start, end)
    closing = false
  }
  inner.isVoidElement = (name) => {
    if (closing) return ownVoid(name)
    if (asked) asked = false
    else isVoid = ownVoid(name) || depth >= maxDepth
    return isVoid
  }
  return parser
}
