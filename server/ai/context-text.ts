import { randomInt } from 'node:crypto'
import { contextLimits } from './limits.ts'
import { estimateTokens, unitsWithin } from './tokens.ts'

/** Puts marks around a text. */
export type Block = (label: string, text: string) => string

/** A name or a title as it may stand in a label: one line, without what closes the label or the quotation marks around it. */
export function labelled(name: string): string {
  const line = name
    .replace(/[\p{Cc}\p{Cf}\p{Surrogate}]/gu, ' ')
    .replace(/[<>"“”„«»]/g, "'")
    .replace(/\s+/g, ' ')
    .trim()
  const { labelMax } = contextLimits
  return line.length <= labelMax ? line : `${line.slice(0, labelMax - 1).replace(/[\ud800-\udbff]$/, '')}…`
}

/**
 * A text as a model is given it: without control characters, and with a space in what the servers of some models read as
 * the end of a message or the beginning of another one, wherever it stands. Quotes are compared without such signs.
 */
export function asData(text: string): string {
  return (
    text
      // oxlint-disable-next-line no-control-regex -- control characters are what it is about
      .replace(/\r\n?/g, '\n')
      .replace(/[^\P{Cc}\n\t]|\p{Surrogate}/gu, '')
      .replace(controlWords, '$& ')
      .trim()
  )
}
const controlWords =
  /<(?=[|｜]|\/?(?:s|think|bos|eos|pad|start_of_turn|end_of_turn)>)|\[(?=\/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS)\])|<(?=<\/?SYS>>)/g

/**
 * The beginning of a text that takes no more than so many tokens, with a mark where it ends: at the end of a paragraph, or else
 * of a sentence or a word, as long as that does not lose half of it. Empty where too little would be left.
 */
export function cutText(text: string, tokens: number): string {
  const room = tokens - estimateTokens(cutMark)
  if (room < contextLimits.leastCut) return ''
  const head = text.slice(0, unitsWithin(text, room))
  for (const end of [/\n[ \t]*\n/g, /[.!?…](?=\s)|[。！？]|\n/g, /\s/g]) {
    const last = [...head.matchAll(end)].at(-1)
    const at = last === undefined ? 0 : last.index + (/^[\n\s]/.test(last[0]) ? 0 : last[0].length)
    if (at >= head.length / 2) return head.slice(0, at).trimEnd() + cutMark
  }
  return head + cutMark
}

/** Stands where the end of a text is missing. */
export const cutMark = '\n\n[… cut here]'

/**
 * A word for the marks around what others wrote. It is new each time and in none of the texts, so nobody can write a mark
 * that passes for a real one.
 */
export function pickBoundary(texts: readonly string[], random: () => string = randomWord): string {
  for (;;) {
    const word = random()
    if (!texts.some((text) => text.toLowerCase().includes(word))) return word
  }
}

// Letters alone, so that each word is estimated at the same number of tokens.
function randomWord(): string {
  return Array.from({ length: 10 }, () => 'bcdfghjkmnpqrstvwxz'[randomInt(19)]).join('')
}
