/** What a post of the load says: which one it is and when it was sent, then words up to a given size. */
export function stampedText(id: number, sentUs: number, bytes: number): string {
  const stamp = `bench${id}x${Math.round(sentUs)} `
  return stamp + filler.slice(0, Math.max(0, bytes - stamp.length))
}

/** The stamp in a post's text or HTML, wherever it stands. */
export function readStamp(text: string): { id: number; sentUs: number } | undefined {
  const found = /\bbench(\d+)x(\d+)/.exec(text)
  return found ? { id: Number(found[1]), sentUs: Number(found[2]) } : undefined
}

// Plain words: no system is to be measured by how it likes special characters.
const filler =
  'a reader who argues with a text reads it twice and the second time more slowly than before '.repeat(100)
