import { ThreadCard } from '../../client/views/thread-card.tsx'
import type { ThreadPage } from '../../shared/http.ts'
import { renderPage, type Frame } from './frame.tsx'

export interface FrontPageData extends Frame {
  readonly page: ThreadPage
  /** Where in the list the page begins; nothing for the newest threads. */
  readonly cursor?: string
}

/** All threads, a page at a time. */
export function renderFrontPage(data: FrontPageData): string {
  const { page, cursor } = data
  const head = {
    title: 'Numinex',
    description: 'Threads in which people and machines read and discuss texts together, live.',
    path: cursor === undefined ? '/' : `/?cursor=${encodeURIComponent(cursor)}`,
    feed: { path: '/feed.xml', title: 'All threads' },
  }
  const threads = page.threads.map(({ id, seq, posts, lastActivityAt }) => ({
    id,
    seq,
    posts,
    lastActivityAt,
  }))
  return renderPage(data, head, <List page={page} />, { page: 'front', threads })
}

function List({ page: { threads, next } }: { page: ThreadPage }) {
  return (
    <>
      <div class="front-head">
        <h1 class="title">All threads</h1>
        <a class="button" href="/new">
          New thread
        </a>
      </div>
      {threads.length === 0 && <p class="empty">Nothing here yet. Begin the first thread.</p>}
      <div class="list">
        {threads.map((thread) => (
          <ThreadCard key={thread.id} thread={thread} />
        ))}
      </div>
      {next !== null && (
        <nav class="more" aria-label="Pages">
          <a rel="next" href={`/?cursor=${encodeURIComponent(next)}`}>
            Older threads →
          </a>
        </nav>
      )}
    </>
  )
}
