import { randomInt } from 'node:crypto'
import { storable } from '../../shared/http.ts'
import { contextLimits } from './limits.ts'
import { estimateTokens, unitsWithin } from './tokens.ts'

/** Puts marks around a text. */
export type Block = (label: string, text: string) => string

/** A name or a title as it may stand in a label: data, on one line, without what closes the label or the quotation marks around it. */
export function labelled(name: string): string {
  const line = asData(name)
    .replace(/[\p{Cc}\p{Cf}\p{Surrogate}]/gu, ' ')
    .replace(/[<>"“”„«»]/g, "'")
    .replace(/\s+/g, ' ')
    .trim()
  const { labelMax } = contextLimits
  return line.length <= labelMax ? line : `${line.slice(0, labelMax - 1).replace(/[\ud800-\udbff]$/, '')}…`
}

/**
 * A text as a model is given it: without control characters and without what nobody sees, and with a space in what the
 * servers of some models read as the end of a message or the beginning of another one, wherever it stands. Quotes are
 * compared without such signs.
 */
export function asData(text: string): string {
  return (
    storable(text)
      // oxlint-disable-next-line no-control-regex -- control characters are what it is about
      .replace(/\r\n?/g, '\n')
      .replace(/[^\P{Cc}\n\t]/gu, '')
      .replace(unseenRuns, '')
      .replace(controlWords, '$& ')
      .trim()
  )
}

// Scripts and emoji need such characters one at a time, or two of different kinds (a heart on fire: a variation selector and a
// joiner). More of them in a row show nothing, and can spell out a message. The tags of flags are looked after elsewhere.
const unseenRuns =
  /(?:(?![\u{e0000}-\u{e007f}])\p{DI}){3,}|[\ufe00-\ufe0f\u{e0100}-\u{e01ef}]{2,}|(?:(?![\ufe00-\ufe0f\u{e0000}-\u{e01ef}])\p{DI}){2,}/gu

// The words of all the models that we know of, and those that look like them: a space in a name of some program's does no
// harm. What a model's makers invent tomorrow is not among them.
const controlWords = new RegExp(
  [
    // <|im_end|>, <｜User｜>, <|turn>, <turn|>
    String.raw`<(?=\/?[|｜]|\/?[\w▁][\w▁. -]{0,40}[|｜]>)`,
    // <start_of_turn>, <extra_id_0>, <START_OF_TURN_TOKEN>, <SPECIAL_10>, <tool_call>, <_user>
    String.raw`<(?=\/?\w{0,40}_\w{0,40}>)`,
    // </s>, <eos>, <seed:bos>, <unused7>
    String.raw`<(?=\/?(?:s|think|bos|eos|pad|unk|mask|cls|sep|sop|eop|eot|eod|user|system|assistant|seed:\w+|unused\d+)>)`,
    String.raw`<(?=<\/?SYS>>)`,
    // [INST], [|assistant|], [gMASK]
    String.raw`\[(?=[|｜]|\/?(?:INST|THINK|ARGS|IMG|PREFIX|MIDDLE|SUFFIX|[gs]?MASK|CLS|SEP|BOS|EOS|PAD|UNK|[A-Z]+_[A-Z_]+)\])`,
    // ]~b]user, [e~[
    String.raw`\](?=~!?b[\]\[])|\[(?=e~\[)`,
  ].join('|'),
  'gi',
)

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
