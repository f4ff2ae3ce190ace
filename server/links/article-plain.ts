import type { Block } from './article-blocks.ts'
import type { Page } from './article-html.ts'
import { articleLimits } from './limits.ts'

/** A file of plain text or Markdown. Headings are those of Markdown; the rest is left as it is written. */
export function readPlain(text: string, options: { markdown: boolean }): Page {
  const blocks: Block[] = []
  let paragraph: string[] = []
  let fence: string | null = null
  const endParagraph = () => {
    const joined = paragraph.join('\n').trimEnd()
    if (joined !== '') blocks.push({ kind: 'text', text: joined })
    paragraph = []
  }
  for (const line of text.replaceAll('\t', '  ').split(/\r\n|[\n\r\f]/)) {
    const mark: string | undefined = options.markdown ? /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1] : undefined
    const heading = options.markdown && fence === null ? headingOf(line) : undefined
    if (heading !== undefined) {
      endParagraph()
      blocks.push({ kind: 'heading', text: heading })
    } else if (line.trim() === '' && fence === null) endParagraph()
    else paragraph.push(line.trimEnd())
    if (mark !== undefined && fence === null) fence = mark
    else if (mark !== undefined && fence !== null && mark.startsWith(fence)) fence = null
  }
  endParagraph()
  const [first] = blocks
  return { title: first?.kind === 'heading' ? first.text : undefined, blocks }
}

function headingOf(line: string): string | undefined {
  // Longer ones are none, and would take their time.
  if (line.length > 2 * articleLimits.headingMax) return undefined
  return /^ {0,3}#{1,6} +(.*?)(?: +#+)? *$/.exec(line)?.[1]
}
