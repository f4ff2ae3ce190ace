import type { Persona } from '../../shared/persona.ts'

/** A handle that is being written: where its `@` stands, and what follows it so far. */
export interface Mention {
  readonly at: number
  readonly query: string
}

// Not in the midst of an address or a path: `mail@site`, `/@name`. Where words are not set apart, a letter may stand before.
const begun =
  /(?<!(?![\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}])[\p{L}\p{N}_@/.+\\-])@([a-z0-9-]*)$/iu

/** The handle that is being written where the cursor stands. */
export function mentionAt(text: string, cursor: number): Mention | undefined {
  const query = begun.exec(text.slice(0, cursor))?.[1]
  return query === undefined ? undefined : { at: cursor - query.length - 1, query: query.toLowerCase() }
}

/** Whose handle or name begins like this. Nobody, once the one that fits is written out. */
export function matching(personas: readonly Persona[], query: string): Persona[] {
  const found = personas.filter(
    ({ handle, name }) => handle.startsWith(query) || name.toLowerCase().startsWith(query),
  )
  return found.length === 1 && found[0]!.handle === query ? [] : found
}

/** The text with the handle written out, and where the cursor stands then. */
export function complete(
  text: string,
  { at, query }: Mention,
  handle: string,
): { text: string; cursor: number } {
  const rest = text.slice(at + 1 + query.length)
  const before = `${text.slice(0, at)}@${handle}`
  const space = /^\s/.test(rest) ? '' : ' '
  return { text: before + space + rest, cursor: before.length + 1 }
}
