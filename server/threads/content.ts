import type { Content } from '../store/content.ts'
import type { StoredEmbed } from '../store/content.ts'
import { limits } from '../../shared/limits.ts'
import { excerpt } from '../../shared/markdown.ts'
import type { Citations } from '../../shared/markdown-citations.ts'
import type { ThreadParts } from './parts.ts'

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
  const { html, text, refs } = render(body, { thread, ...(citations && { citations }) })
  const ids = await links.request(refs.flatMap((ref) => (ref.kind === 'link' ? [ref.url] : [])))
  let next = 0
  const embeds = refs.map((ref): StoredEmbed =>
    ref.kind === 'link' ? { link: ids[next++]! } : { thread: ref.thread, number: ref.number },
  )
  return { body, html, excerpt: excerpt(text, limits.excerptMax), embeds }
}
