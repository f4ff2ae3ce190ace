import { getResolvedPDFJS } from 'unpdf'
import type { Block } from './article-blocks.ts'
import { Unreadable } from './article-failure.ts'
import type { Page } from './article-html.ts'
import { articleLimits } from './limits.ts'
import { pdfParagraphs, type PdfText } from './article-pdf-lines.ts'

/** The text of a PDF, page by page. */
export async function readPdf(bytes: Uint8Array): Promise<Page> {
  const { getDocument, VerbosityLevel } = await getResolvedPDFJS()
  const loading = getDocument({
    data: bytes,
    verbosity: VerbosityLevel.ERRORS,
    isEvalSupported: false,
    useSystemFonts: false,
    disableFontFace: true,
    useWasm: false,
    enableXfa: false,
    stopAtErrors: false,
  })
  try {
    const document = await loading.promise
    const blocks: Block[] = []
    let length = 0
    const pages = Math.min(document.numPages, articleLimits.pages)
    for (let number = 1; number <= pages && length < articleLimits.textMax; number++) {
      const page = await document.getPage(number)
      const { items } = await page.getTextContent()
      const paragraphs = pdfParagraphs(
        (items as readonly object[]).filter((item): item is PdfText => 'str' in item),
        page.view,
      )
      page.cleanup()
      if (paragraphs.length === 0) continue
      blocks.push({ kind: 'heading', text: `Page ${number}` })
      for (const text of paragraphs) {
        blocks.push({ kind: 'text', text })
        length += text.length
      }
    }
    if (length === 0) throw new Unreadable('no-text-pdf')
    return { title: await titleOf(document), blocks }
  } catch (error) {
    throw asUnreadable(error)
  } finally {
    await loading.destroy()
  }
}

async function titleOf(document: { getMetadata(): Promise<{ info: object }> }): Promise<string | undefined> {
  const { info } = await document.getMetadata()
  const title = 'Title' in info && typeof info.Title === 'string' ? info.Title.trim() : ''
  // Programs put the names of their own files there.
  if (/^untitled|\.(docx?|dvi|indd|odt|pptx?|rtf|tex)$/i.test(title)) return undefined
  return title.replace(/^Microsoft \w+ - /, '') || undefined
}

function asUnreadable(error: unknown): unknown {
  if (error instanceof Unreadable || !(error instanceof Error)) return error
  return new Unreadable(error.name === 'PasswordException' ? 'locked-pdf' : 'broken-pdf', error)
}
