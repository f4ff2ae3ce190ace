import type { ArticleSection } from './articles.ts'
import type { Block } from './article-blocks.ts'
import { cleanLine, cleanParagraph } from './article-clean.ts'
import { articleLimits } from './limits.ts'

/** Sections of `blocks`, from heading to heading; long ones are parted at paragraphs, and the whole is bounded. */
export function sectionsOf(blocks: readonly Block[]): ArticleSection[] {
  const sections = grouped(blocks).flatMap(parted)
  return sections.length > articleLimits.sections ? gathered(sections) : sections
}

/** What sets paragraphs apart. */
const between = '\n\n'

interface Group {
  readonly heading: string | null
  readonly paragraphs: string[]
}

/** The cleaned text by headings. A heading with nothing below it goes before the next one. */
function grouped(blocks: readonly Block[]): Group[] {
  const groups: Group[] = []
  let heading: string | null = null
  let group: Group | undefined
  let left: number = articleLimits.textMax
  for (const { kind, text } of blocks) {
    if (left <= 0) break
    if (kind === 'heading') {
      const name = cleanLine(text, articleLimits.headingMax)
      if (name === null) continue
      if (heading === null) heading = name
      else if (heading.length + name.length < articleLimits.headingMax) heading = `${heading} › ${name}`
      group = undefined
      continue
    }
    const paragraph = cut(cleanParagraph(text.slice(0, left * 4)), left)
    if (paragraph === '') continue
    left -= paragraph.length + between.length
    if (!group) {
      groups.push((group = { heading, paragraphs: [] }))
      left -= (heading?.length ?? 0) + between.length
      heading = null
    }
    group.paragraphs.push(paragraph)
  }
  return groups
}

function parted({ heading, paragraphs }: Group): ArticleSection[] {
  const texts: string[] = []
  let text = ''
  for (const piece of paragraphs.flatMap(pieces)) {
    if (text !== '' && text.length + between.length + piece.length > articleLimits.sectionMax) {
      texts.push(text)
      text = ''
    }
    text = text === '' ? piece : text + between + piece
  }
  texts.push(text)
  return texts.map((each, index) => ({
    heading: heading === null || index === 0 ? heading : `${heading} (continued)`,
    text: each,
  }))
}

/** A paragraph in pieces that fit: parted at lines, else after sentences, else between words, else anywhere. */
function pieces(paragraph: string): string[] {
  const found: string[] = []
  let rest = paragraph
  while (rest.length > articleLimits.sectionMax) {
    const room = rest.slice(0, articleLimits.sectionMax)
    const end =
      [room.lastIndexOf('\n'), lastSentence(room), room.lastIndexOf(' ')].find(
        (at) => at > room.length / 2,
      ) ?? cut(room, room.length - 1).length
    found.push(rest.slice(0, end).trimEnd())
    rest = rest.slice(end).replace(/^\s+/, '')
  }
  return [...found, rest].filter((each) => each !== '')
}

/** Where the last whole sentence of `text` ends; -1 when there is none. */
function lastSentence(text: string): number {
  return Math.max(...['. ', '! ', '? ', '。', '！', '？'].map((end) => text.lastIndexOf(end) + 1 || -1))
}

/** Joins neighbours where there are too many sections. Of any two that are left, one is more than half full. */
function gathered(sections: readonly ArticleSection[]): ArticleSection[] {
  const joined: ArticleSection[] = []
  for (const section of sections) {
    const last = joined.at(-1)
    const text = section.heading === null ? section.text : section.heading + between + section.text
    if (last && last.text.length + between.length + text.length <= articleLimits.sectionMax)
      joined[joined.length - 1] = { heading: last.heading, text: last.text + between + text }
    else joined.push(section)
  }
  return joined
}

/** At most `max` units of `text`, and no half of a character. */
function cut(text: string, max: number): string {
  return text.length <= max ? text : text.slice(0, max).replace(/[\ud800-\udbff]$/, '')
}
