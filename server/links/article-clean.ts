import { cleanText, unseen } from './text.ts'

/** A line of a stranger's page, as `cleanText` makes it. */
export function cleanLine(text: string | undefined, max: number): string | null {
  return cleanText(text?.slice(0, max * 4).replace(spelling, ''), max)
}

/** A paragraph: what can be seen of it, and its line breaks. */
export function cleanParagraph(text: string): string {
  return text
    .toWellFormed()
    .replace(/\r\n?/g, '\n')
    .replace(spelling, '')
    .split('\n')
    .map((line) =>
      line
        .replace(/[^\S\ufeff]/g, ' ')
        .replace(unseen, '')
        .trimEnd(),
    )
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .replace(/^\n+|\n+$/g, '')
}

// Marks that change how their neighbour looks. Scripts and emoji need single ones; a run of them shows nothing, and can
// spell out a message.
const spelling = /[\ufe00-\ufe0f\u{e0100}-\u{e01ef}]{2,}|[\u200c\u200d]{2,}/gu
