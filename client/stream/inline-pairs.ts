/** Which marks of an inline text belong together. Places are counted in UTF-16 units. */
export interface Pairs {
  /** The place of the backticks that end the code which so many of them begin at `at`. Of several calls, each is for a later place. */
  code(at: number, length: number): number | undefined
  /** The place of the bracket that closes the one at `at`. */
  bracket(at: number): number | undefined
}

/** Reads a text once, however many of its marks have no partner: who looks for each one anew reads it as often as there are marks. */
export function findPairs(text: string): Pairs {
  const codeEnd = findCodeEnds(text)
  const brackets = new Map<number, number>()
  const open: number[] = []
  let behindCode = 0
  for (const { 0: sign, index } of text.matchAll(/\\[^]|`+|[[\]]/g)) {
    if (index < behindCode) continue
    if (sign.startsWith('`')) behindCode = (codeEnd(index, sign.length) ?? index) + sign.length
    else if (sign === '[') open.push(index)
    else if (sign === ']' && open.length > 0) brackets.set(open.pop()!, index)
  }
  return { code: findCodeEnds(text), bracket: (at) => brackets.get(at) }
}

function findCodeEnds(text: string): Pairs['code'] {
  /** Where the runs of each length begin, the last first. */
  const runs = new Map<number, number[]>()
  for (const { 0: run, index } of [...text.matchAll(/`+/g)].toReversed()) {
    const places = runs.get(run.length)
    if (places === undefined) runs.set(run.length, [index])
    else places.push(index)
  }
  return (at, length) => {
    const places = runs.get(length) ?? []
    while (places.length > 0 && places.at(-1)! < at + length) places.pop()
    return places.at(-1)
  }
}
