import { Problem } from '../../shared/errors.ts'
import { importLimits } from './limits.ts'

/** One JSON value, or why it is none. */
export interface JsonRecord {
  line: number
  value: unknown
  flaw: string | undefined
}

/**
 * The JSON values of a text one by one: lines of JSON, documents that follow one another, or the elements of an array.
 * A value that is broken is told as such, and reading goes on at the next line that begins with an object.
 * Problems: invalid, where the text ends within a value or an array; after all values before.
 */
export async function* jsonValues(text: AsyncIterable<string>): AsyncGenerator<JsonRecord, void, void> {
  let line = 1
  let began = 1
  let value = ''
  /** Brackets that are open within the value. */
  let depth = 0
  let inArray = false
  let inString = false
  let escaped = false
  /** Where reading is lost, until a line begins with an object. */
  let lost = false
  let before = '\n'

  for await (const chunk of text) {
    /** Where what belongs to the value begins in this chunk. */
    let from = depth > 0 || value !== '' ? 0 : -1
    for (let at = 0; at < chunk.length; at++) {
      const char = chunk[at]!
      const atLineStart = before === '\n'
      before = char
      if (char === '\n') line++
      if (char === '{' && atLineStart && (lost || depth > 0)) {
        if (!lost) yield flawed(began, 'it has no end')
        lost = false
        ;[value, depth, inString, escaped, from, began] = ['', 1, false, false, at, line]
        continue
      }
      if (lost) continue
      if (inString) {
        if (char === '\n') {
          yield flawed(began, 'a text in it has no end')
          ;[value, depth, inString, escaped, from, lost] = ['', 0, false, false, -1, true]
        } else if (escaped) escaped = false
        else if (char === '\\') escaped = true
        else if (char === '"') {
          inString = false
          if (depth === 0) yield* take(at + 1)
        }
        continue
      }
      if (from < 0) {
        if (/[\s,\ufeff]/.test(char)) continue
        if (char === '[' && !inArray) inArray = true
        else if (char === ']' && inArray) inArray = false
        else {
          from = at
          began = line
          if (char === '"') inString = true
          else if (char === '{' || char === '[') depth = 1
          else if (/[}\]]/.test(char)) yield* take(at + 1)
        }
        continue
      }
      if (char === '"') inString = true
      else if (char === '{' || char === '[') depth++
      else if (char === '}' || char === ']') {
        if (depth > 0 && --depth === 0) yield* take(at + 1)
        else if (depth === 0) {
          // The end of an array right after a number or a word.
          yield* take(at)
          if (inArray && char === ']') inArray = false
        }
      } else if (depth === 0 && /[\s,]/.test(char)) yield* take(at)
    }
    if (from >= 0) value += chunk.slice(from)
    if (value.length > importLimits.jsonMax)
      throw new Problem('invalid', { detail: `line ${began}: a value is longer than can be read` })

    function* take(end: number): Generator<JsonRecord, void, void> {
      const source = value + chunk.slice(from, end)
      value = ''
      from = -1
      yield parsed(source, began)
    }
  }
  if (value !== '' && depth === 0 && !inString) {
    yield parsed(value, began)
    value = ''
  }
  if (value !== '' || inArray)
    throw new Problem('invalid', { detail: `line ${line}: the file ends before its end: it was cut off` })
}

function parsed(source: string, line: number): JsonRecord {
  try {
    return { line, value: JSON.parse(source) as unknown, flaw: undefined }
  } catch {
    return flawed(line, 'it is not JSON')
  }
}

function flawed(line: number, flaw: string): JsonRecord {
  return { line, value: undefined, flaw }
}
