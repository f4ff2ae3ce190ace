import { render } from 'preact'
import type { Down } from '../../shared/live.ts'
import type { Post } from '../../shared/post.ts'
import { connectLive, type Live } from '../live.ts'
import type { ListedThread, PageState } from '../page-state.ts'
import { ListedFacts } from '../views/thread-card.tsx'
import { startClock } from './clock.ts'
import { followBrowser, liveUrl } from './connection.ts'

/** Brings the list of threads to life: one socket for all of them. */
export function startFrontPage({ threads }: Extract<PageState, { page: 'front' }>): void {
  const live = connectLive({ url: liveUrl(), onFault: reportError })
  followBrowser(live)
  startClock(() => [document.body])(document.body)
  for (const thread of threads) follow(live, thread)
}

/** Counts what happens in one listed thread. Its posts are not on the page, so only what came since is counted. */
function follow(live: Live, { id, seq, posts, lastActivityAt }: ListedThread): void {
  const facts = document.querySelector(`#t-${id} .listed-facts`)
  if (facts === null) return
  const locked = facts.querySelector('.note') !== null
  const fresh = new Set<number>()
  const deleted = new Set<number>()
  let after = seq
  let viewers = 0
  let latest = lastActivityAt

  function note(post: Post): void {
    const isNew = post.createdAt > lastActivityAt
    if (post.state === 'deleted') {
      if (!fresh.delete(post.number) && !isNew) deleted.add(post.number)
      return
    }
    if (!isNew) return
    fresh.add(post.number)
    if (post.createdAt > latest) latest = post.createdAt
  }

  function receive(messages: readonly Down[]): void {
    for (const message of messages) {
      if (message.type === 'joined') {
        viewers = message.viewers
        for (const post of message.posts) note(post)
        after = Math.max(after, message.seq)
      } else if (message.type === 'presence') viewers = message.viewers
      else if (message.type === 'post') {
        note(message.post)
        after = Math.max(after, message.seq)
      }
    }
    const now = posts + fresh.size - deleted.size
    const view = { posts: now, lastActivityAt: latest, locked, fresh: fresh.size, viewers, now: Date.now() }
    if (!drawn) facts?.replaceChildren()
    drawn = true
    if (facts !== null) render(<ListedFacts {...view} />, facts)
  }

  let drawn = false
  live.join(id, { after: () => after, receive, quiet: true })
}
