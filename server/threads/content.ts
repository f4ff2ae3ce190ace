import type { Content, StoredEmbed } from '../store/content.ts'
import { limits } from '../../shared/limits.ts'
import { excerpt, type Rendered } from '../../shared/markdown.ts'
import type { Citations } from '../../shared/markdown-citations.ts'
import type { LinkDirectory, ThreadParts } from './parts.ts'

/**
 * Markdown as it is stored: rendered once, its links known and on their way to be looked up. With `citations`, an AI's
 * text is checked against what it read.
 */
export async function prepareContent(
  { render, links }: Pick<ThreadParts, 'render' | 'links'>,
  thread: string,
  body: string,
  citations?: Citations,
): Promise<Content> {
  const rendered = render(body, { thread, ...(citations && { citations }) })
  return { ...textOf(body, rendered), embeds: await knownEmbeds(links, rendered) }
}

/** The part of the content that needs nothing but the text. */
export function textOf(body: string, { html, text }: Rendered): Omit<Content, 'embeds'> {
  return { body, html, excerpt: excerpt(text, limits.excerptMax) }
}

/** What a text embeds. From here on its links are looked up. */
export async function knownEmbeds(links: LinkDirectory, { refs }: Rendered): Promise<StoredEmbed[]> {
  const ids = await links.request(refs.flatMap((ref) => (ref.kind === 'link' ? [ref.url] : [])))
  let next = 0
  return refs.map((ref) =>
    ref.kind === 'link' ? { link: ids[next++]! } : { thread: ref.thread, number: ref.number },
  )
}
