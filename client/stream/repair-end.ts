import type { Token } from 'markdown-it'
import type { Outline } from './outline.ts'

/** A text that is still being written, made to read as if it ended here. */
export interface Repaired {
  readonly text: string
  /** Code whose fence is not closed yet: it is not coloured. */
  readonly code?: string
  /** A formula that is not closed yet: its source is shown. */
  readonly tex?: string
}

/** What a step of the repair makes: a shorter text to go on with, a result, or nothing where there is nothing to mend. */
export type Step = string | Repaired | undefined

/** The end of a text. */
export interface End {
  readonly text: string
  readonly lines: readonly string[]
  /** The last line, where it is not whole yet and says something; else empty. */
  readonly partial: string
  /** The last thing with text in it, if the last line belongs to it. */
  readonly leaf: Mapped | undefined
  /** The table that the last line belongs to. */
  readonly table: Mapped | undefined
}

type Mapped = Token & { map: [number, number] }

export function readEnd(text: string, { tokens }: Outline): End {
  const lines = text.split('\n')
  const partial = lines.at(-1)!.trim() === '' ? '' : lines.at(-1)!
  const count = lines.length - (partial === '' ? 1 : 0)
  const atEnd = (token: Token | undefined) =>
    token?.map && token.map[1] >= count ? (token as Mapped) : undefined
  // Behind the table may stand the ends of what it lies in, and nothing else.
  const last = tokens.findLast(({ nesting, type }) => nesting !== -1 || type === 'table_close')
  return {
    text,
    lines,
    partial,
    leaf: atEnd(tokens.findLast(({ type }) => leaves.has(type))),
    table:
      last?.type === 'table_close' ? atEnd(tokens.findLast(({ type }) => type === 'table_open')) : undefined,
  }
}

const leaves = new Set(['inline', 'fence', 'code_block', 'math_block'])

/** Where the first thing with text begins that lies within so many UTF-16 units of a text's end, if one does. */
export function leafWithin(length: number, { text, lines }: End, { tokens }: Outline): number | undefined {
  let [line, at] = [0, 0]
  for (const { type, map } of tokens) {
    if (!map || !leaves.has(type)) continue
    for (; line < map[0]; line++) at += lines[line]!.length + 1
    if (at >= text.length - length) return at
  }
  return undefined
}

/** The text before a line. */
export function before({ lines }: End, line: number): string {
  return lines
    .slice(0, line)
    .map((text) => `${text}\n`)
    .join('')
}

/** A text without what `sign` matches at its end. A pattern for the whole end would begin anew at each such sign before it. */
export function withoutEnd(text: string, sign: RegExp): string {
  let end = text.length
  while (end > 0 && sign.test(text[end - 1]!)) end -= 1
  return text.slice(0, end)
}

/** A line without the marks of the quotes and lists that it stands in; `marked` says that there are some. */
export function withoutMarks(line: string): { rest: string; marked: boolean; item: boolean } {
  const marks = /^(?:\s*(?:>|(?:[-+*]|\d{1,9}[.)])(?=\s)))*\s*/.exec(line)![0]
  return {
    rest: line.slice(marks.length),
    marked: marks.trim() !== '',
    item: /[-+*.)]\s+$/.test(marks),
  }
}
