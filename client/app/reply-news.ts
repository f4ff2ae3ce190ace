import type { Post, PostState } from '../../shared/post.ts'
import type { ThreadState } from '../../shared/thread-state.ts'

const endings: Partial<Record<PostState, (name: string) => string>> = {
  complete: (name) => `${name} has replied`,
  interrupted: (name) => `${name}’s reply was interrupted`,
  stopped: (name) => `${name}’s reply was stopped`,
  failed: (name) => `${name}’s reply failed`,
}

/** What those should hear who cannot see a reply grow: that it begins, and that it has ended. */
export function replyNews(before: ThreadState['posts'], after: ThreadState['posts']): string[] {
  const news: string[] = []
  for (let i = 0; i < after.length; i++) {
    const post = after[i]
    if (post === undefined || post === before[i]) continue
    const said = newsOf(before[i], post)
    if (said !== undefined) news.push(said)
  }
  return news
}

function newsOf(before: Post | undefined, { author, state }: Post): string | undefined {
  if (before === undefined) return state === 'streaming' ? `${author.name} is replying` : undefined
  return before.state === 'streaming' ? endings[state]?.(author.name) : undefined
}
