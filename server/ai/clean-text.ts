import { storable } from '../../shared/http.ts'

const highSurrogate = /[\ud800-\udbff]$/
/** A flag may go on with the next piece. */
const flag = /\u{1f3f4}[\u{e0030}-\u{e007a}]*$/u

/**
 * Makes pieces of one text fit to be stored: without the characters that no post may hold, or halves of characters. A
 * character that was cut between two pieces comes whole with the second. Pieces may come out empty.
 */
export function createTextCleaner(): (piece: string) => string {
  let held = ''
  /** The end of what was passed on, as far as it tells what may follow. */
  let before = ''
  return (piece) => {
    let text = before + held + piece
    held = highSurrogate.exec(text)?.[0] ?? ''
    if (held !== '') text = text.slice(0, -1)
    const clean = storable(text)
    const added = clean.slice(before.length)
    before = flag.exec(clean)?.[0] ?? ''
    return added
  }
}
