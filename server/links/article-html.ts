import { Readability } from '@mozilla/readability'
import { blocksOf, type Block } from './article-blocks.ts'
import { readDocument } from './article-document.ts'
import { articleLimits } from './limits.ts'

export interface Page {
  readonly title: string | undefined
  readonly blocks: readonly Block[]
}

/** The article of an HTML page; all of its text where no article stands out. */
export function readHtml(html: string, options: { xhtml: boolean }): Page {
  const { document, elements, pieces } = readDocument(html, options)
  const whole = blocksOf(document.body, isFrame)
  const title = titleOf(document)
  // Looking for the article is more than linear work.
  const isLarge = elements > articleLimits.articleElements || pieces > articleLimits.articlePieces
  const found = isLarge ? null : findArticle(document)
  return { title, blocks: found && isArticle(found, whole) ? found : whole }
}

/** What a page calls itself, without the name of its site where its heading tells which part that is. */
function titleOf(document: Document): string | undefined {
  const open = document.querySelector('meta[property="og:title"]')?.getAttribute('content')?.trim()
  if (open) return open
  const title = document.querySelector('title')?.textContent?.trim() ?? ''
  const headings = [...document.querySelectorAll('h1')]
    .map((each) => each.textContent?.replace(/\s+/g, ' ').trim() ?? '')
    .filter((each) => each !== '')
  const heading = headings.find((each) => title.toLowerCase().startsWith(each.toLowerCase()))
  return heading ?? (title || headings[0])
}

/** Takes the document apart. */
function findArticle(document: Document): Block[] | null {
  const reader = new Readability<Element>(document, {
    disableJSONLD: true,
    keepClasses: true,
    serializer: (node) => node as Element,
  })
  const content = reader.parse()?.content
  return content ? blocksOf(content) : null
}

/** Whether what was found is the page's article, and not some box that looked like one. */
function isArticle(found: readonly Block[], whole: readonly Block[]): boolean {
  const length = lengthOf(found)
  return (
    length > 0 &&
    (length >= articleLimits.articleLeast || length >= lengthOf(whole) * articleLimits.articleShare)
  )
}

function lengthOf(blocks: readonly Block[]): number {
  return blocks.reduce((sum, { text }) => sum + text.length, 0)
}

/** What surrounds the text of a page. */
function isFrame(element: Element): boolean {
  return frameNames.has(element.localName) || frameRoles.has(element.getAttribute('role') ?? '')
}

const frameNames: ReadonlySet<string> = new Set(['aside', 'footer'])
const frameRoles: ReadonlySet<string> = new Set(['banner', 'complementary', 'contentinfo'])
