import type { Post } from '../../shared/post.ts'
import type { ThreadSnapshot } from '../../shared/http.ts'
import type { Thread } from '../../shared/thread.ts'

export const ada = { id: 'ada', name: 'Ada Byron', kind: 'person' } as const
export const reader = { id: 'reader', name: 'A reader', kind: 'guest' } as const
export const check = { id: 'check', name: 'Check', kind: 'ai' } as const

export function aThread(changes: Partial<Thread> = {}): Thread {
  return {
    id: 'k3v9x2q7ab',
    title: 'On chairs',
    url: null,
    card: null,
    locked: false,
    createdAt: '2026-05-04T08:12:00.000Z',
    ...changes,
  }
}

export function aPost(number: number, changes: Partial<Post> = {}): Post {
  return {
    number,
    parent: number === 1 ? null : 1,
    author: ada,
    html: `<p>Post ${number}</p>`,
    state: 'complete',
    createdAt: '2026-05-04T08:12:00.000Z',
    editedAt: null,
    quote: null,
    reactions: [],
    seq: number,
    ...changes,
  }
}

export function aSnapshot(posts: Post[], thread = aThread()): ThreadSnapshot {
  return { thread, posts, seq: Math.max(0, ...posts.map(({ seq }) => seq)) }
}
