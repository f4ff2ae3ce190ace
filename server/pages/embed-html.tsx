import { renderToString } from 'preact-render-to-string'
import { Body } from '../../client/views/body.tsx'
import { moment, postPath, threadPath } from '../../client/views/format.ts'
import type { ThreadSnapshot } from '../../shared/http.ts'
import type { Post } from '../../shared/post.ts'
import { treeRows } from '../../shared/thread-state.ts'
import { numbered } from './thread-posts.tsx'

export interface EmbedHtmlData {
  /** Without a slash at the end. */
  readonly publicUrl: string
  readonly snapshot: ThreadSnapshot
  /** Whether the thread is there. */
  readonly there: boolean
  readonly headless: boolean
}

/**
 * The thread as clean HTML for a host page to hold in its element: for search engines, for readers without a script, and
 * until the widget takes it over. It brings no styles and no scripts, and its links are whole addresses.
 */
export function renderEmbedHtml({ publicUrl, snapshot, there, headless }: EmbedHtmlData): string {
  const rows = treeRows(numbered(snapshot), { headless })
  const html = renderToString(
    <section class="numinex-comments">
      {rows.length === 0 && <p>No comments yet.</p>}
      {rows.map(({ post, depth }) => (
        <Comment post={post} depth={depth} address={publicUrl + postPath(snapshot.thread.id, post.number)} />
      ))}
      {there && (
        <p>
          <a href={publicUrl + threadPath(snapshot.thread.id)}>Read and reply on {new URL(publicUrl).host}</a>
        </p>
      )}
    </section>,
  )
  // Texts name places of this server by their paths.
  return html.replace(/ (href|src)="\/(?!\/)/g, ` $1="${publicUrl}/`)
}

function Comment({ post, depth, address }: { post: Post; depth: number; address: string }) {
  const { number, author, createdAt, state, html, embeds, parent } = post
  return (
    <article
      id={`numinex-${number}`}
      class="numinex-comment"
      data-post={number}
      data-depth={depth}
      itemscope
      itemtype="https://schema.org/Comment"
    >
      <p>
        {state === 'deleted' ? (
          'This post was deleted.'
        ) : (
          <b itemprop="author">
            {author.name}
            {author.kind === 'ai' && ' (AI)'}
          </b>
        )}{' '}
        <a href={address} itemprop="url">
          <time datetime={createdAt} itemprop="dateCreated">
            {moment(createdAt)}
          </time>
        </a>
        {parent !== null && parent !== 1 && <> in reply to #{parent}</>}
      </p>
      {state !== 'deleted' && (
        <div itemprop="text">
          <Body html={html} embeds={embeds} />
        </div>
      )}
    </article>
  )
}
