import { markdownLimits } from '../../shared/markdown-limits.ts'
import { findPairs, type Pairs } from './inline-pairs.ts'
import { withoutEnd } from './repair-end.ts'

/** What inline text needs so that it reads well where it ends now. Places are counted in UTF-16 units of the text. */
export interface InlineRepair {
  /** What follows from here on is kept back. */
  readonly end: number
  /** Parts that are left out. */
  readonly dropped: readonly [from: number, to: number][]
  /** What closes the markup that is open, to be put behind the text. */
  readonly close: string
  /** The formula that is open. */
  readonly tex?: string
}

/** The place where the reading stands, and what it found. */
interface Reading {
  readonly text: string
  readonly pairs: Pairs
  /** Where the last line begins: what is kept back or left out is part of it. */
  readonly lastLine: number
  at: number
  end: number
  readonly dropped: [number, number][]
  /** Emphasis that is open, outermost first. */
  readonly open: { sign: string; length: number }[]
  /** Code or a formula that is open, with the text up to it. */
  last?: { close: string; tex?: string }
}

/** Reads the text of a paragraph, a heading or an item as far as it is there. */
export function repairInline(text: string): InlineRepair {
  const lastLine = text.lastIndexOf('\n') + 1
  const pairs = findPairs(text)
  const reading: Reading = { text, pairs, lastLine, at: 0, end: text.length, dropped: [], open: [] }
  while (reading.at < reading.end && reading.last === undefined) {
    const read = readers[text[reading.at]!]
    if (read === undefined) reading.at += 1
    else read(reading)
  }
  const { end, dropped, open, last } = reading
  const emphasis = open
    .map(({ sign, length }) => sign.repeat(length))
    .toReversed()
    .join('')
  return {
    end,
    dropped,
    close: (last?.close ?? '') + emphasis,
    ...(last?.tex !== undefined && { tex: last.tex }),
  }
}

/** Each moves `at` on. */
const readers: Record<string, ((reading: Reading) => void) | undefined> = {
  '\\': readEscape,
  '`': readCode,
  $: readFormula,
  '&': readEntity,
  '<': readAddress,
  '!': readImage,
  '[': readLink,
  '*': readEmphasis,
  _: readEmphasis,
  '~': readEmphasis,
}

function keepBack(reading: Reading, from: number): void {
  reading.end = from
  reading.at = from
}

function restOf({ text, at, end }: Reading): string {
  return text.slice(at, end)
}

function readEscape(reading: Reading): void {
  if (reading.at + 1 === reading.end) keepBack(reading, reading.at)
  else reading.at += 2
}

/** What a line begins it also ends, most of the time: a mark without a partner in its own line is only a sign. */
function readCode(reading: Reading): void {
  const { at, end, pairs, lastLine } = reading
  const rest = restOf(reading)
  const mark = /^`+/.exec(rest)![0]
  const closing = pairs.code(at, mark.length) ?? end
  if (closing < end || at < lastLine) {
    reading.at = (closing < end ? closing : at) + mark.length
    return
  }
  const code = withoutEnd(rest.slice(mark.length), /`/)
  if (code.trim() === '') keepBack(reading, at)
  else if (mark.length + code.length < rest.length) keepBack(reading, at + mark.length + code.length)
  else reading.last = { close: mark }
}

function readFormula(reading: Reading): void {
  const { text, at, lastLine } = reading
  const rest = restOf(reading)
  const mark = rest.startsWith('$$') ? '$$' : '$'
  if (at > 0 && /[\p{L}\p{N}$]/u.test(text[at - 1]!)) {
    reading.at += mark.length
    return
  }
  const inner = mark === '$' ? /^((?:\\.|[^\\$\n])*)\$/ : /^((?:\\[^]|[^\\$]|\$(?!\$))*)\$\$/
  const closed = inner.exec(rest.slice(mark.length))
  if (closed !== null) {
    reading.at += isFormula(closed[1]!, mark) ? mark.length + closed[0].length : mark.length
    return
  }
  if (mark === '$' && at < lastLine) {
    reading.at += 1
    return
  }
  const tex = withoutEnd(rest.slice(mark.length), /[\\$\s]/)
  if (tex === '') keepBack(reading, at)
  else if (!isFormula(tex, mark) || isProse(tex)) reading.at += mark.length
  else if (mark.length + tex.length < rest.trimEnd().length) keepBack(reading, at + mark.length + tex.length)
  else reading.last = { close: mark, tex: tex.trim() }
}

/** As the dialect tells formulas from prices. */
function isFormula(tex: string, mark: string): boolean {
  if (mark === '$$') return tex.length <= markdownLimits.formula
  if (tex.length > markdownLimits.inlineFormula || /^\s|\s$|\n/.test(tex)) return false
  return !(/^\d/.test(tex) && /\s/.test(tex) && /\p{L}{2}/u.test(tex) && !/[\\^_={}]/.test(tex))
}

/** Before the closing mark is there, less is taken for a formula: amounts and the names of variables are no TeX. */
function isProse(tex: string): boolean {
  return !/[\\^_={}]/.test(tex) && /^\d|\p{L}{3,}/u.test(tex)
}

function readEntity(reading: Reading): void {
  if (/^&(?:#(?:\d{0,7}|[xX][\da-fA-F]{0,6})|[A-Za-z][A-Za-z\d]{0,31})?$/.test(restOf(reading)))
    keepBack(reading, reading.at)
  else reading.at += 1
}

function readAddress(reading: Reading): void {
  const address = /^<[A-Za-z][^\s<>]*(>?)/.exec(restOf(reading))
  if (address === null) reading.at += 1
  else if (address[1] === '>') reading.at += address[0].length
  else if (address[0].length === restOf(reading).length) keepBack(reading, reading.at)
  else reading.at += 1
}

function readImage(reading: Reading): void {
  if (reading.text[reading.at + 1] === '[' && reading.at + 1 < reading.end) {
    reading.at += 1
    readLink(reading, reading.at - 1)
  } else reading.at += 1
}

/** What an AI cites by is no link's text: `[#17]`, `[doc §3]`, `[1]`. */
const citation = /^\[(?:#|\d|doc(?:ument)?[.\s]{0,2}\d{0,2}\s{0,2}§|§)/

/** The text of a link is shown while its address comes, without the brackets. */
function readLink(reading: Reading, start = reading.at): void {
  const { text, pairs, lastLine, at, end } = reading
  const rest = restOf(reading)
  const wordBefore = start > 0 && /[\p{L}\p{N}]/u.test(text[start - 1]!)
  if (rest === '[') keepBack(reading, start)
  else if (citation.test(rest) || (wordBefore && start === at)) reading.at += 1
  else {
    const found = pairs.bracket(at)
    const close = found !== undefined && found < end ? found : undefined
    const target = close === undefined ? '' : text.slice(close + 1, end)
    const whole = /^(?:\((?:\\.|[^\\()\n]|\((?:\\.|[^\\()\n])*\))*\)|\[[^\]\n]*\])/.exec(target)?.[0]
    if (whole !== undefined) {
      reading.at = close! + 1 + whole.length
      return
    }
    if (at >= lastLine && /^(?:$|[([])/.test(target)) {
      reading.dropped.push([start, at + 1])
      if (close !== undefined) reading.end = close
    }
    reading.at = at + 1
  }
}

function readEmphasis(reading: Reading): void {
  const { text, at, end, open } = reading
  const sign = text[at]!
  let run = 1
  while (at + run < end && text[at + run] === sign) run += 1
  const [before, after] = [text[at - 1] ?? ' ', at + run < end ? text[at + run]! : undefined]
  if (sign === '*' && run === 1 && isWord(before) && after !== undefined && isWord(after)) {
    // A product, more often than emphasis within a word.
    reading.at += 1
    return
  }
  const closes = canClose(sign, before, after)
  let left = run
  if (closes) left = closeEmphasis(open, sign, run, after === undefined)
  if (after === undefined) {
    // It may open something, or be the first half of what closes it.
    if (left > 0) keepBack(reading, end - left)
    else reading.at = end
    return
  }
  if (left > 0 && canOpen(sign, before, after)) {
    if (sign === '~') {
      if (left === 2) open.push({ sign, length: 2 })
    } else {
      // Three are two and one; more than that have no meaning that anyone would want.
      if (left === 2 || left === 3) open.push({ sign, length: 2 })
      if (left === 1 || left === 3) open.push({ sign, length: 1 })
    }
    // Deeper ones have no effect, so what has been open for long is only a sign.
    open.splice(0, open.length - markdownLimits.inlineNesting)
  }
  reading.at += run
}

/** Closes what is open by as many of the `count` signs as fit; returns how many are left. */
function closeEmphasis(open: Reading['open'], sign: string, count: number, atEnd: boolean): number {
  let left = count
  while (left > 0) {
    const index = open.findLastIndex((one) => one.sign === sign)
    if (index < 0) break
    const { length } = open[index]!
    if (length > left) {
      // One of two: at the end of the text the other is on its way.
      if (atEnd || sign === '~') break
      open[index]!.length -= left
      return 0
    }
    left -= length
    open.length = index
  }
  return left
}

function canOpen(sign: string, before: string, after: string): boolean {
  if (isSpace(after) || (isPunctuation(after) && !isSpace(before) && !isPunctuation(before))) return false
  return sign !== '_' || !isWord(before)
}

/** At the end of the text everything that stands behind something may close it. */
function canClose(sign: string, before: string, after: string | undefined): boolean {
  if (isSpace(before)) return false
  if (after === undefined) return true
  if (isPunctuation(before) && !isSpace(after) && !isPunctuation(after)) return false
  return sign !== '_' || !isWord(after)
}

function isSpace(character: string): boolean {
  return /\s/.test(character)
}

function isPunctuation(character: string): boolean {
  return /[\p{P}\p{S}]/u.test(character)
}

function isWord(character: string): boolean {
  return !isSpace(character) && !isPunctuation(character)
}
