import { createMarkdown, type Rendered, type RenderedAt } from '../../shared/markdown.ts'
import { createHighlighter } from '../../shared/render-code.ts'
import { renderMath } from '../../shared/render-math.ts'

/** Markdown to safe HTML, its plain text, and what it embeds. `thread` is the thread that it stands in, where there is one yet. */
export type Renderer = (body: string, at: RenderedAt) => Rendered

/** The dialect with highlighted code and MathML. `publicUrl` is this server's address. */
export function createRenderer({ publicUrl }: { publicUrl: string }): Renderer {
  const markdown = createMarkdown({ publicUrl, highlight: createHighlighter(), math: renderMath })
  return (body, at) => markdown.render(body, at)
}

/**
 * Whether a passage occurs in a post's plain text. Only letters and numbers count, so that line breaks, quotation
 * marks, list markers and the signs of formulas may differ; a passage without any is in no text. TeX commands
 * may stand in the passage, for who quotes the source of a formula.
 */
export function containsQuote(text: string, quoted: string): boolean {
  const whole = lettersAndNumbers(text)
  return quotedForms(quoted).some((passage) => whole.includes(passage))
}

/** The letters and numbers that a text must hold for a passage to be in it: either of these. */
export function quotedForms(quoted: string): string[] {
  const forms = [quoted, quoted.replace(/\\[a-zA-Z]+/g, '')].map(lettersAndNumbers)
  return forms.filter((passage) => passage !== '')
}

/** A text as quotes are compared. */
export function lettersAndNumbers(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '')
}
