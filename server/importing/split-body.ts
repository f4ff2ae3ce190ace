/**
 * A text in pieces of at most `max` UTF-16 units, cut between paragraphs where there are any, else between lines, words,
 * or characters. Code that is cut goes on as code.
 */
export function splitBody(body: string, max: number): string[] {
  if (body.length <= max) return [body]
  const pieces: string[] = []
  let piece = ''
  let fence = ''
  for (const line of linesOf(body, max - 200)) {
    const end = fence === '' ? '' : `\n${closing(fence)}`
    if (piece !== '' && piece.length + 1 + line.length + end.length > max - 100) {
      // Back to the last paragraph's end, if that does not make the piece a scrap.
      const cut = fence === '' ? piece.lastIndexOf('\n\n') : -1
      const keep = cut > max / 2 ? cut : piece.length
      pieces.push(piece.slice(0, keep) + end)
      const rest = piece.slice(keep).replace(/^\n+/, '')
      piece = fence === '' ? (rest === '' ? line : `${rest}\n${line}`) : `${fence}\n${line}`
    } else piece = piece === '' ? line : `${piece}\n${line}`
    const mark = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1]
    if (mark === undefined) continue
    if (fence === '') fence = line.slice(0, 80)
    else if (mark.startsWith(closing(fence))) fence = ''
  }
  if (piece.trim() !== '') pieces.push(piece)
  return pieces.map((text) => text.trim()).filter((text) => text !== '')
}

function closing(fence: string): string {
  return /`+|~+/.exec(fence)![0]
}

function* linesOf(body: string, max: number): Generator<string, void, void> {
  for (const line of body.split('\n')) {
    let rest = line
    while (rest.length > max) {
      const space = rest.lastIndexOf(' ', max)
      // Never between the halves of one character.
      const cut = space > max / 2 ? space : /[\ud800-\udbff]/.test(rest[max - 1]!) ? max - 1 : max
      yield rest.slice(0, cut)
      rest = rest.slice(cut).trimStart()
    }
    yield rest
  }
}
