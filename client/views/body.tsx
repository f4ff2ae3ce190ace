import type { Embed } from '../../shared/post.ts'
import { EmbedCard } from './embeds.tsx'

const marker = /<p class="embed" data-embed="(\d+)">[\s\S]*?<\/p>/g

/** A post's text, with cards in the places that its html keeps for them. */
export function Body({ html, embeds = [] }: { html: string; embeds?: readonly Embed[] | undefined }) {
  if (embeds.length === 0) return <Text html={html} />
  const parts = []
  let from = 0
  for (const match of html.matchAll(marker)) {
    const embed = embeds[Number(match[1])]
    if (embed === undefined) continue
    if (match.index > from) parts.push(<Text html={html.slice(from, match.index)} />)
    parts.push(
      <div class="embed" data-embed={match[1]}>
        <EmbedCard embed={embed} />
      </div>,
    )
    from = match.index + match[0].length
  }
  if (from < html.length) parts.push(<Text html={html.slice(from)} />)
  return <>{parts}</>
}

function Text({ html }: { html: string }) {
  return <div class="text" dir="auto" dangerouslySetInnerHTML={{ __html: html }} />
}

/** The html that `Body` was given, as far as a page shows it: what stands where a card is no longer matters. */
export function bodyHtml(body: { readonly children: Iterable<Element> }): string {
  let html = ''
  for (const part of body.children) {
    const embed = part.getAttribute('data-embed')
    html += embed === null ? part.innerHTML : `<p class="embed" data-embed="${embed}"></p>`
  }
  return html
}
