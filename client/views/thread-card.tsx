import type { Author } from '../../shared/post.ts'
import type { ThreadSummary } from '../../shared/thread.ts'
import { AuthorName, Avatar } from './author.tsx'
import { count, siteOf, threadPath } from './format.ts'
import { Time } from './time.tsx'

/** A thread on the front page. */
export function ThreadCard({ thread }: { thread: ThreadSummary }) {
  return (
    <article class="listed" id={`t-${thread.id}`}>
      <h2 class="listed-title" dir="auto">
        <a href={threadPath(thread.id)}>{thread.title}</a>
      </h2>
      {thread.url !== null && <p class="listed-site">{thread.card?.site ?? siteOf(thread.url)}</p>}
      <p class="listed-excerpt" dir="auto">
        {thread.excerpt}
      </p>
      <Participants thread={thread} />
      <div class="listed-facts">
        <ListedFacts posts={thread.posts} lastActivityAt={thread.lastActivityAt} locked={thread.locked} />
      </div>
    </article>
  )
}

export interface ListedFactsProps {
  posts: number
  lastActivityAt: string
  locked?: boolean
  fresh?: number
  viewers?: number
  now?: number
}

/** What changes about a listed thread while one looks at the list. */
export function ListedFacts({
  posts,
  lastActivityAt,
  locked = false,
  fresh = 0,
  viewers = 0,
  now,
}: ListedFactsProps) {
  return (
    <>
      <span>{count(Math.max(0, posts - 1), 'reply', 'replies')}</span>
      {fresh > 0 && <span class="fresh">{fresh} new</span>}
      <span>
        active <Time at={lastActivityAt} now={now} />
      </span>
      {viewers > 0 && <span class="here">{viewers} reading</span>}
      {locked && <span class="note">locked</span>}
    </>
  )
}

function Participants({ thread }: { thread: ThreadSummary }) {
  const { author, participants } = thread
  const others = participants.people.filter(({ id }) => id !== author.id)
  const unnamed = participants.peopleCount - participants.people.length
  const everyone: Author[] = [author, ...others, ...participants.ai.filter(({ id }) => id !== author.id)]
  return (
    <p class="listed-people">
      <span class="faces">
        {everyone.map((one) => (
          <Avatar key={one.id} author={one} />
        ))}
      </span>
      <span class="names">
        {everyone.map((one, i) => (
          <span key={one.id}>
            <AuthorName author={one} />
            {i < everyone.length - 1 ? ', ' : ''}
          </span>
        ))}
        {unnamed > 0 && ` and ${count(unnamed, 'other')}`}
      </span>
    </p>
  )
}
