import type { Typist } from '../../shared/live.ts'
import type { Author } from '../../shared/post.ts'
import type { Thread } from '../../shared/thread.ts'
import { AuthorName } from './author.tsx'
import { LinkCard } from './embeds.tsx'
import { count } from './format.ts'
import { Time } from './time.tsx'
import { typingText } from './typing.ts'

/** The thread's title, who began it, and the page under discussion. */
export function ThreadHead(props: {
  thread: Thread
  author: Author | undefined
  now?: number
  mayLock?: boolean
}) {
  const { thread, author, now, mayLock = false } = props
  return (
    <>
      <h1 class="title" dir="auto">
        {thread.title}
      </h1>
      <p class="byline">
        {author !== undefined && <AuthorName author={author} />} <Time at={thread.createdAt} now={now} />
        {thread.locked && <span class="note">locked</span>}
        {mayLock && (
          <button type="button" class="action" data-action="lock">
            {thread.locked ? 'Unlock the thread' : 'Lock the thread'}
          </button>
        )}
      </p>
      {thread.url !== null && (
        <div class="subject">
          <LinkCard embed={thread.card ?? { kind: 'link', url: thread.url, state: 'pending' }} />
        </div>
      )}
    </>
  )
}

/** How the page stands with the server, in words. Nothing while it is still coming up. */
export interface ConnectionNote {
  kind: 'live' | 'trouble'
  text: string
}

export interface ThreadBarProps {
  posts: number
  viewers?: number
  typing?: readonly Typist[]
  connection?: ConnectionNote | undefined
}

/** The line that stays in view: how many posts, who is here, and whether the page is live. */
export function ThreadBar({ posts, viewers = 0, typing = [], connection }: ThreadBarProps) {
  return (
    <>
      <h2 class="bar-count">Thread ({count(posts, 'post')})</h2>
      <p class="bar-people">
        {viewers > 0 && <span title="Open pages of this thread, yours included">{viewers} reading</span>}
        {typing.length > 0 && <span class="bar-typing">{typingText(typing)}</span>}
      </p>
      {connection !== undefined && (
        <p class={`bar-state bar-${connection.kind}`} title={connection.text}>
          {connection.text}
        </p>
      )}
    </>
  )
}
