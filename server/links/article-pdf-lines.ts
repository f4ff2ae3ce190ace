import { articleLimits } from './limits.ts'

/** A piece of text on a page of a PDF, as its reader gives it: `transform` ends with x and y, from below. */
export interface PdfText {
  readonly str: string
  readonly transform: readonly number[]
  readonly width: number
  readonly height: number
  readonly hasEOL: boolean
}

interface Line {
  text: string
  x: number
  y: number
  size: number
}

/**
 * Paragraphs of a page: lines that stand close to each other, joined. `view` is what of the page is shown, as left,
 * bottom, right, top; text outside of it, or too small to be read, is not there for readers and is left out.
 */
export function pdfParagraphs(texts: readonly PdfText[], view: readonly number[]): string[] {
  const paragraphs: string[] = []
  let paragraph = ''
  let last: Line | undefined
  for (const line of linesOf(texts.filter((text) => isShown(text, view)))) {
    if (last && startsParagraph(line, last)) {
      paragraphs.push(paragraph)
      paragraph = ''
    }
    paragraph = joined(paragraph, line.text)
    last = line
  }
  paragraphs.push(paragraph)
  return paragraphs.filter((each) => each !== '')
}

function isShown(
  { str, transform, height }: PdfText,
  [left = 0, bottom = 0, right = 0, top = 0]: readonly number[],
) {
  // White space may have no height at all.
  if (str.trim() === '') return true
  const [a = 0, b = 0, , , x = 0, y = 0] = transform
  const size = Math.max(height, Math.hypot(a, b))
  return size >= articleLimits.leastLetter && x >= left && x <= right && y >= bottom && y <= top
}

function linesOf(texts: readonly PdfText[]): Line[] {
  const lines: Line[] = []
  let line: Line | undefined
  for (const { str, transform, height, hasEOL } of texts) {
    if (str !== '') {
      const [, , , , x = 0, y = 0] = transform
      if (line) line.text += str
      else line = { text: str, x, y, size: height }
      line.size = Math.max(line.size, height)
    }
    if (hasEOL && line) {
      lines.push(line)
      line = undefined
    }
  }
  if (line) lines.push(line)
  return lines
    .map((each) => ({ ...each, text: each.text.replace(/\s+/g, ' ').trim() }))
    .filter((each) => each.text !== '')
}

/** After a gap, at another size of letters, at the top of the next column, or where the line begins further in. */
function startsParagraph(line: Line, last: Line): boolean {
  const size = Math.max(line.size, last.size, 1)
  const down = last.y - line.y
  const sizes = Math.abs(line.size - last.size)
  return down > size * 1.8 || down < -size || sizes > size * 0.2 || (down > 0 && line.x - last.x > size * 0.8)
}

function joined(paragraph: string, line: string): string {
  if (paragraph === '') return line
  // A word that was parted at the end of the line is put together again.
  if (/\p{Ll}[-\u00ad]$/u.test(paragraph) && /^\p{Ll}/u.test(line)) return paragraph.slice(0, -1) + line
  // Chinese and Japanese have no spaces between words.
  const between = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\u3001\u3002]$/u.test(paragraph) ? '' : ' '
  return `${paragraph}${between}${line}`
}
