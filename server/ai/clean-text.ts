const highSurrogate = /[\ud800-\udbff]$/

/**
 * Makes pieces of one text fit to be stored: NUL goes, because Postgres takes none, and so do halves of characters. A
 * character that was cut between two pieces comes whole with the second. Pieces may come out empty.
 */
export function createTextCleaner(): (piece: string) => string {
  let held = ''
  return (piece) => {
    let text = held + piece
    held = highSurrogate.exec(text)?.[0] ?? ''
    if (held !== '') text = text.slice(0, -1)
    return text.toWellFormed().replaceAll('\0', '')
  }
}
