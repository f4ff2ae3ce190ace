import { countWords, scoreTexts, wordsOf, type Counted } from './context-rank.ts'
import type { Piece } from './context.ts'
import { extractiveLimits } from './limits.ts'

/** A sentence that stands in a piece word for word. */
export interface Sentence {
  readonly piece: Piece
  readonly text: string
  readonly words: Counted
  /** Where in its piece it stands: 0 is its beginning, 1 its end. */
  readonly place: number
}

/**
 * The sentences of pieces that can stand alone as a quotation. Where there are too many to weigh each against each, those that
 * share most with `words`, the first ones of their pieces, and those that are wanted for another reason.
 */
export function sentencesOf(
  pieces: readonly Piece[],
  words: readonly string[],
  isWanted: (text: string) => boolean = () => false,
): Sentence[] {
  const segmenter = new Intl.Segmenter(undefined, { granularity: 'sentence' })
  const all = pieces.flatMap((piece) => {
    const texts = paragraphsOf(piece.text).flatMap((paragraph) => split(segmenter, paragraph))
    const kept = texts.filter(isQuotable)
    return kept.map((text, at) => ({
      piece,
      text,
      words: countWords(wordsOf(text)),
      place: at / kept.length,
    }))
  })
  if (all.length <= extractiveLimits.sentences) return all
  const scores = scoreTexts(
    all.map((each) => each.words),
    words,
  )
  const best = Math.max(...scores)
  const worth = new Map(
    all.map((each, at) => [
      each,
      scores[at]! + (each.place === 0 ? best / 2 : 0) + (isWanted(each.text) ? best : 0),
    ]),
  )
  const chosen = new Set(
    all.toSorted((a, b) => worth.get(b)! - worth.get(a)!).slice(0, extractiveLimits.sentences),
  )
  return all.filter((each) => chosen.has(each))
}

/** What a post's own text quotes as blocks: the words that it speaks about. */
export function quotedBlocks(text: string): string[] {
  const blocks = text.replace(/^Quoted from .*\n(?:>.*(?:\n|$))+/, '').matchAll(/(?:^>.*(?:\n|$))+/gm)
  return [...blocks].map(([block]) => plain(block.replace(/^>[ \t]?/gm, '')))
}

/** Paragraphs of Markdown as plain text, without what is no prose of the writer's: code, tables, formulas, headings, quotes. */
function paragraphsOf(text: string): string[] {
  return text
    .replace(/^Quoted from .*\n(?:>.*(?:\n|$))+/, '')
    .replace(/^(```+|~~~+)[\s\S]*?(?:^\1.*$|(?![\s\S]))/gm, '\n\n')
    .replace(/\$\$[\s\S]*?\$\$/g, '\n\n')
    .replace(/\[… cut here\]$/, '')
    .split(/\n[ \t]*\n|\n(?=[ \t]*(?:[-*+]|\d{1,3}[.)])[ \t])|\n(?=#{1,6} )/)
    .filter(
      (paragraph) =>
        !/^[ \t]*(?:>|#{1,6} |\||[-*_]{3,}[ \t]*$)/.test(paragraph) && !/\|.*\n[ \t|:-]+\n/.test(paragraph),
    )
    .map((paragraph) =>
      plain(paragraph.replace(/^[ \t]*(?:[-*+]|\d{1,3}[.)])[ \t]+(?:\[[ xX]\][ \t]+)?/, '')),
    )
}

/** Inline Markdown as it reads. */
function plain(text: string): string {
  return text
    .replace(/!?\[([^[\]]*)\]\([^()\s]*(?:[ \t]+"[^"]*")?\)/g, '$1')
    .replace(/\\([!-/:-@[-`{-~])/g, '$1')
    .replace(/(\*\*|__|~~|`)(?=\S)([\s\S]*?\S)\1/g, '$2')
    .replace(/(?<![\p{L}\p{N}*])\*(?=\S)([^*\n]*[^\s*])\*(?!\*)/gu, '$1')
    .replace(/(?<![\p{L}\p{N}_])_(?=\S)([^_\n]*[^\s_])_(?![\p{L}\p{N}_])/gu, '$1')
    .replace(/\s+/g, ' ')
    .trim()
}

function split(segmenter: Intl.Segmenter, paragraph: string): string[] {
  const sentences: string[] = []
  let open = ''
  for (const { segment } of segmenter.segment(paragraph)) {
    open += segment
    // A full stop of an abbreviation or an initial ends no sentence.
    if (
      /(?:^|[\s(])(?:\p{Lu}|[ecp]\.?g|i\.?e|cf|vs|z\.?\s?B|d\.?\s?h|Dr|Mr|Mrs|Ms|St|No|Nr|pp?|vol|ed)\.\s*$/iu.test(
        open,
      )
    )
      continue
    sentences.push(open.trim())
    open = ''
  }
  if (open.trim() !== '') sentences.push(open.trim())
  return sentences
}

/** Whether a sentence says something on its own, and whether it will be found again where it stands. */
function isQuotable(text: string): boolean {
  const letters = text.match(/\p{L}/gu)?.length ?? 0
  const wide = text.match(/[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]/g)?.length ?? 0
  if (letters + wide < extractiveLimits.shortest || text.length > extractiveLimits.longest) return false
  if (letters < text.length * 0.6) return false
  // What cites, links or calculates reads badly out of its place.
  return !/#\d|§\d|https?:|\/t\/|[$|<>]|\]\(|:$/.test(text)
}
