import { createHash } from 'node:crypto'
import type { Article } from './articles.ts'
import type { Block } from './article-blocks.ts'
import { cleanLine } from './article-clean.ts'
import { Unreadable } from './article-failure.ts'
import { readHtml, type Page } from './article-html.ts'
import { readPlain } from './article-plain.ts'
import { sectionsOf } from './article-sections.ts'
import { decodeHtml } from './charset.ts'
import { linkLimits } from './limits.ts'

/** What was fetched. */
export interface RawPage {
  /** Media type: HTML, XHTML, PDF, plain text or Markdown. */
  readonly type: string
  readonly charset: string | undefined
  readonly bytes: Uint8Array<ArrayBuffer>
  /** Its title, where it says none itself. */
  readonly name: string
}

export type ExtractedText = Omit<Article, 'url'>

/** The readable text of a page. Takes as much time and memory as the page wants: for workers only. Throws Unreadable. */
export async function extractText(raw: RawPage): Promise<ExtractedText> {
  const page = await readPage(raw)
  const title = cleanLine(page.title, linkLimits.titleMax)
  const sections = sectionsOf(withoutTitle(page.blocks, title))
  if (sections.length === 0) throw new Unreadable(raw.type === 'application/pdf' ? 'no-text-pdf' : 'no-text')
  const text = sections
    .flatMap(({ heading, text }) => (heading === null ? [text] : [heading, text]))
    .join('\n\n')
  return {
    title: title ?? raw.name,
    hash: createHash('sha256').update(text).digest('hex'),
    sections,
  }
}

/** The title stands above the text; it need not be its first heading too. */
function withoutTitle(blocks: readonly Block[], title: string | null): readonly Block[] {
  const [first] = blocks
  return first?.kind === 'heading' && cleanLine(first.text, linkLimits.titleMax) === title
    ? blocks.slice(1)
    : blocks
}

async function readPage({ type, charset, bytes }: RawPage): Promise<Page> {
  if (type === 'application/pdf') {
    // Large, and most pages are none.
    const { readPdf } = await import('./article-pdf.ts')
    return await readPdf(bytes)
  }
  let text = ''
  for await (const piece of decodeHtml(whole(bytes), charset)) text += piece
  if (type === 'text/plain' || type === 'text/markdown')
    return readPlain(text, { markdown: type === 'text/markdown' })
  return readHtml(text, { xhtml: type === 'application/xhtml+xml' })
}

async function* whole(bytes: Uint8Array) {
  yield await Promise.resolve(bytes)
}
