import type { Post } from '../../shared/post.ts'
import type { ThreadState } from '../../shared/thread-state.ts'
import type { Api } from '../api.ts'
import { openOutbox, type Outbox, type Outgoing } from '../outbox.ts'
import { createComposing, type Composing } from './composing.tsx'
import { createPendingList } from './pending-list.tsx'
import type { Personas } from './personas.ts'
import { numberOf, type PostList } from './post-list.tsx'
import { refusals } from './problem-text.ts'
import type { Session } from './session.ts'
import { offerQuotes, openingPassage, selectedPassage } from './selection.ts'
import type { Remembered } from './storage.ts'
import type { Surroundings } from './thread-view.ts'

export interface WritingParts {
  readonly thread: string
  readonly api: Pick<Api, 'createPost' | 'preview' | 'post' | 'editPost'>
  readonly list: HTMLElement
  readonly posts: PostList
  readonly session: Session
  readonly personas: Personas
  readonly surroundings: Pick<Surroundings, 'bringIntoView'>
  /** Where unsent posts outlive the page. */
  readonly storage: Remembered
  /** What writing to the thread itself is called. */
  readonly rootLabel: string
  /** Offers to quote what is selected. */
  readonly quoteButton: HTMLButtonElement
  post(number: number): Post | undefined
  /** Before a post goes out: what it goes to may have to be made first. */
  prepare(): Promise<void>
  typing(parent: number | null): void
  /** A post that was written or edited. */
  onPost(post: Post): void
  onPosted(number: number): void
}

/** All that it takes to write: the composer, the posts on their way, and their places in the list. */
export interface Writing {
  readonly composing: Composing
  readonly outbox: Outbox
  /** Opens a reply that quotes what is selected in the post, or else how it begins. */
  quote(post: Post, article: HTMLElement): void
  /** The page shows this state now: what is seen in it is no longer on its way. */
  seen(state: ThreadState): void
}

export function createWriting(parts: WritingParts): Writing {
  const { thread, api, list, posts, session } = parts
  const drawPending = createPendingList(posts, session)
  const outbox = openOutbox({
    async send(input) {
      await parts.prepare()
      const { post, asked = [] } = await api.createPost(thread, input)
      const unanswered = refusals(asked)
      if (unanswered.length > 0) posts.setFoot(post.number, { unanswered })
      return post
    },
    storage: parts.storage,
    onChange: drawPending,
    onPosted(post) {
      parts.onPost(post)
      parts.onPosted(post.number)
    },
  })
  const composing = createComposing({
    thread,
    api,
    session,
    personas: parts.personas,
    rootLabel: parts.rootLabel,
    onEdited: parts.onPost,
    typing: parts.typing,
    send(draft) {
      const { clientId } = outbox.send(draft)
      const article = list.querySelector(`[data-client="${clientId}"]`)
      if (article !== null) parts.surroundings.bringIntoView(article)
    },
  })
  offerQuotes(parts.quoteButton, (article, text) => {
    const post = parts.post(numberOf(article))
    if (post !== undefined) composing.reply(post, article, { number: post.number, text })
  })
  drawPending(outbox.entries)
  outbox.wake()

  return {
    composing,
    outbox,
    quote(post, article) {
      const selected = selectedPassage()
      const text = selected?.post === article ? selected.text : openingPassage(article)
      composing.reply(post, article, text === '' ? undefined : { number: post.number, text })
    },
    seen(state) {
      const isSeen = ({ clientId, number }: Outgoing) => {
        if (number !== undefined) return state.posts[number - 1] !== undefined
        const me = session.viewer?.id
        return state.posts.some((post) => post?.clientId === clientId && post.author.id === me)
      }
      outbox.confirm(isSeen)
    },
  }
}
