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

/** The text before a line. */
export function before({ lines }: End, line: number): string {
  return lines
    .slice(0, line)
    .map((text) => `${text}\n`)
    .join('')
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
