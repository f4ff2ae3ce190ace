import { storable } from '../../shared/http.ts'

const highSurrogate = /[\ud800-\udbff]$/

/**
 * Makes pieces of one text fit to be stored: without the characters that no post may hold, or halves of characters. A
 * character that was cut between two pieces comes whole with the second. Pieces may come out empty.
 */
export function createTextCleaner(): (piece: string) => string {
  let held = ''
  return (piece) => {
    let text = held + piece
    held = highSurrogate.exec(text)?.[0] ?? ''
    if (held !== '') text = text.slice(0, -1)
    return storable(text)
  }
}
