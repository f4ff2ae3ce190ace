import { extractText, type ExtractedText } from '../../server/links/article-extract.ts'

/** The text of a page, made in this process. */
export function textOf(
  body: string | Uint8Array,
  more: { type?: string; charset?: string; name?: string } = {},
): Promise<ExtractedText> {
  const { type = 'text/html', charset, name = 'page.html' } = more
  return extractText({ type, charset, bytes: new Uint8Array(Buffer.from(body as string)), name })
}

/** All that is said in a text, headings included. */
export function wordsOf({ sections }: Pick<ExtractedText, 'sections'>): string {
  return sections.map(({ heading, text }) => `${heading ?? ''}\n${text}`).join('\n')
}
