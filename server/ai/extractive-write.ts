import type { Piece } from './context.ts'
import type { Sentence } from './extractive-text.ts'

/** Writes down what was picked, as Markdown in which every word stays what it is. */
export interface Pen {
  /** A sentence as a quotation, with its source behind it. */
  quote(sentence: Sentence): string
  /** How a piece is cited. */
  cite(piece: Piece): string
}

export function createPen(thread: string, pieces: readonly Piece[]): Pen {
  const numbered = pieces.some((piece) => piece.kind === 'section' && piece.document > 1)
  function cite(piece: Piece): string {
    if (piece.kind === 'section') return `[doc${numbered ? ` ${piece.document}` : ''} §${piece.section}]`
    return piece.thread === thread
      ? `[#${piece.number}]`
      : `[other thread](/t/${piece.thread}/${piece.number})`
  }
  return {
    cite,
    quote: ({ text, piece }) => `“${escaped(innerQuotes(text))}” ${cite(piece)}`,
  }
}

/** Quotation marks within a quotation are single ones; double ones would end it. */
function innerQuotes(text: string): string {
  return text.replace(/[“„]/g, '‘').replace(/”/g, '’').replace(/"/g, "'")
}

/** A text in which no character has a meaning to Markdown or calls anyone. */
export function escaped(text: string): string {
  return text.replace(/[\\`*_{}[\]<>#|$~@&]|:(?=\/\/)/g, '\\$&')
}

export function list(lines: readonly string[]): string {
  return lines.map((line) => `- ${line}`).join('\n')
}

/** A paragraph of bold words, and what stands under it; nothing where there is nothing. */
export function part(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`**${title}**`, list(lines)]
}

export function plural(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`
}
