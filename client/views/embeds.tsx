import type { Embed, LinkEmbed, PostEmbed } from '../../shared/post.ts'
import { AuthorName } from './author.tsx'
import { postPath, safeHref, siteOf } from './format.ts'

const outward = 'nofollow noopener ugc'

/** What a post shows in the place of a link that stands alone. */
export function EmbedCard({ embed }: { embed: Embed }) {
  return embed.kind === 'link' ? <LinkCard embed={embed} /> : <PostCard embed={embed} />
}

export function LinkCard({ embed }: { embed: LinkEmbed }) {
  const href = safeHref(embed.url)
  if (embed.state === 'missing') return <Missing what="Link not found" href={href} text={embed.url} />
  if (embed.state === 'pending')
    return (
      <p class="card card-pending">
        <a href={href} rel={outward}>
          {embed.url}
        </a>
      </p>
    )
  return (
    <a class="card" href={href} rel={outward}>
      {embed.image !== undefined && (
        <img
          class="card-image"
          src={embed.image}
          alt=""
          width="160"
          height="120"
          loading="lazy"
          decoding="async"
        />
      )}
      <span class="card-words">
        <span class="card-site">{embed.site ?? siteOf(embed.url)}</span>
        <span class="card-title" dir="auto">
          {embed.title ?? embed.url}
        </span>
        {embed.description !== undefined && (
          <span class="card-text" dir="auto">
            {embed.description}
          </span>
        )}
      </span>
    </a>
  )
}

function PostCard({ embed }: { embed: PostEmbed }) {
  const path = postPath(embed.thread, embed.number)
  if (embed.state === 'missing') return <Missing what="Post not found" href={path} text={path} />
  return (
    <figure class="card card-post">
      <blockquote>
        <p dir="auto">{embed.excerpt}</p>
      </blockquote>
      <figcaption>
        {embed.author !== undefined && <AuthorName author={embed.author} />}{' '}
        <a href={path}>{embed.title === undefined ? `post ${embed.number}` : `in “${embed.title}”`}</a>
      </figcaption>
    </figure>
  )
}

function Missing({ what, href, text }: { what: string; href: string; text: string }) {
  return (
    <p class="card card-missing">
      <strong>{what}</strong>{' '}
      <a href={href} rel={outward}>
        {text}
      </a>
    </p>
  )
}
