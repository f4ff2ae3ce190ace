import type { Typist } from '../../shared/live.ts'

/** Who is writing a reply right now, in words. */
export function typingText(typing: readonly Typist[]): string {
  const names = [...new Set(typing.map(({ name }) => name))]
  if (names.length === 1) return `${names[0]} is writing…`
  if (names.length === 2) return `${names[0]} and ${names[1]} are writing…`
  return `${names.length} people are writing…`
}
