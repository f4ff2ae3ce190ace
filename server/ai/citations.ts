import type { Citations, QuoteSource } from '../../shared/markdown-citations.ts'
import type { Manifest } from '../../shared/run.ts'
import { lettersAndNumbers, quotedForms } from '../threads/render.ts'
import type { Piece } from './context.ts'

/**
 * What an AI's text is checked against: the posts and sections that it read. Without `pieces`, their texts are not at
 * hand, and quotations are not marked.
 */
export function citationsOf(manifest: Manifest, thread: string, pieces?: readonly Piece[]): Citations {
  const posts = new Set<number>()
  const sections = new Map<number, { url: string; sections: Set<number> }>()
  for (const piece of manifest.pieces) {
    if (piece.kind === 'post') {
      // Another thread's post of the same number is not what `#17` means.
      if (piece.thread === thread) posts.add(piece.number)
      continue
    }
    const url = manifest.documents.find(({ document }) => document === piece.document)?.url
    if (url === undefined) continue
    const known = sections.get(piece.document) ?? { url, sections: new Set<number>() }
    sections.set(piece.document, known)
    known.sections.add(piece.section)
  }
  return { posts, sections, ...(pieces && { quotes: createFinder(thread, pieces) }) }
}

/** Finds passages in pieces, the first first. Words may be left out where `…` or `[…]` says so. */
function createFinder(thread: string, pieces: readonly Piece[]): (passage: string) => QuoteSource | null {
  const texts = pieces.map((piece) => ({ source: sourceOf(thread, piece), texts: readings(piece.text) }))
  const find = (parts: readonly string[]) => {
    // Without TeX the two forms are one, and each is looked for in all that was read.
    const forms = parts.map((part) => [...new Set(quotedForms(part))])
    const holds = (text: string) => forms.every((some) => some.some((form) => text.includes(form)))
    return texts.find(({ texts }) => texts.some(holds))
  }
  return (passage) => {
    const whole = find([passage])
    if (whole) return whole.source
    const parts = passage.split(/\[?(?:…|\.{3})\]?/).filter((part) => lettersAndNumbers(part) !== '')
    // Scraps of a few letters are anywhere.
    if (parts.length < 2 || parts.some((part) => lettersAndNumbers(part).length < leastPart)) return null
    return find(parts)?.source ?? null
  }
}

/** Letters and numbers of a part of a quotation with gaps. */
const leastPart = 8

/** A source is quoted as it is written, or as it reads: without the addresses of its links. */
function readings(text: string): string[] {
  const source = lettersAndNumbers(text)
  const read = lettersAndNumbers(text.replace(/\]\([^()\s]*(?:\([^()\s]*\)[^()\s]*)*\)/g, ']'))
  return source === read ? [source] : [source, read]
}

function sourceOf(thread: string, piece: Piece): QuoteSource {
  if (piece.kind === 'section') return { document: piece.document, section: piece.section }
  return { number: piece.number, ...(piece.thread !== thread && { thread: piece.thread }) }
}
