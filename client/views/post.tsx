import type { Author, Post, PostState } from '../../shared/post.ts'
import { AuthorName, Avatar } from './author.tsx'
import { Body } from './body.tsx'
import { moment, postAnchor, postPath } from './format.ts'
import { Time } from './time.tsx'

export interface PostProps {
  thread: string
  post: Post
  /** Who wrote what this post replies to; nothing for the root and for replies to it. */
  repliesTo?: { number: number; author: Author | undefined } | undefined
  /** Who wrote the quoted post, where that is known. */
  quoted?: Author | undefined
  /** Milliseconds since 1970, for times that read "5 min ago". */
  now?: number | undefined
  /** Nothing of a reply that is being written is there yet. */
  thinking?: boolean | undefined
}

const states: Partial<Record<PostState, string>> = {
  streaming: 'is writing…',
  interrupted: 'interrupted',
  stopped: 'stopped',
  failed: 'failed',
}

/** How an AI reply ended that did not end by itself, for when the server gave no reason. */
const endings: Partial<Record<PostState, string>> = {
  interrupted: 'The server that wrote this reply went away.',
  stopped: 'This reply was stopped.',
  failed: 'This reply could not be written.',
}

/** A post without its reactions and actions. Pure, and the same for every reader. */
export function PostMain(props: PostProps) {
  const { thread, post, now, thinking = false } = props
  if (post.state === 'deleted') return <Tombstone {...props} />
  return (
    <>
      <header class="by">
        <Avatar author={post.author} />
        <h3 class="who">
          <AuthorName author={post.author} />
        </h3>
        <a class="at" href={postPath(thread, post.number)}>
          <span class="number">#{post.number}</span> <Time at={post.createdAt} now={now} />
        </a>
        {post.editedAt !== null && (
          <span class="note" title={moment(post.editedAt)}>
            edited
          </span>
        )}
        {states[post.state] !== undefined && (
          <span class={`note note-${post.state}`}>
            {post.state === 'streaming' && thinking ? 'is thinking…' : states[post.state]}
          </span>
        )}
        <ReplyTo {...props} />
      </header>
      <AskedBy post={post} />
      <QuoteBlock {...props} />
      <div class="body">
        <Body html={post.html} embeds={post.embeds} />
      </div>
      <Ending post={post} />
    </>
  )
}

/** Who wanted an AI's reply, and in which words. */
function AskedBy({ post: { asker, request } }: PostPart) {
  if (asker === undefined) return null
  return (
    <p class="asked">
      asked by <bdi>{asker.name}</bdi>
      {request !== undefined && (
        <>
          : “<bdi>{request}</bdi>”
        </>
      )}
    </p>
  )
}

/** Why an AI's reply is not whole, or not there yet. */
function Ending({ post: { state, run, reason } }: PostPart) {
  // What is written meanwhile comes by the live connection. Where there is a script, the styles hide this.
  if (state === 'streaming')
    return <p class="still note">This reply is being written. Load the page again later to read it.</p>
  const ending = endings[state]
  if (run === undefined || ending === undefined) return null
  return <p class="ending">{reason ?? ending}</p>
}

type PostPart = Pick<PostProps, 'post'>

function Tombstone({ thread, post, now }: PostProps) {
  return (
    <header class="by">
      <p class="gone">This post was deleted.</p>
      <a class="at" href={postPath(thread, post.number)}>
        <span class="number">#{post.number}</span> <Time at={post.createdAt} now={now} />
      </a>
    </header>
  )
}

function ReplyTo({ repliesTo }: PostProps) {
  if (repliesTo === undefined) return null
  return (
    <a class="to" href={postAnchor(repliesTo.number)}>
      in reply to #{repliesTo.number} {repliesTo.author?.name}
    </a>
  )
}

function QuoteBlock({ post: { quote }, quoted }: PostProps) {
  if (quote === null) return null
  if (quote.text === null)
    return (
      <blockquote class="quote quote-gone">
        <p>Post not found</p>
      </blockquote>
    )
  return (
    <blockquote class="quote">
      <p class="quote-text" dir="auto">
        {quote.text}
      </p>
      <footer>
        <a href={postAnchor(quote.number)}>
          #{quote.number} {quoted?.name}
        </a>
      </footer>
    </blockquote>
  )
}

/** What stands on the element around a post; the rest of the page knows it by these. */
export function postAttributes(post: Post, depth: number, focused = false): Record<string, string> {
  return {
    id: `p${post.number}`,
    class: focused ? 'post focused' : 'post',
    'data-depth': String(depth),
    ...(post.state === 'complete' ? {} : { 'data-state': post.state }),
    ...(post.author.kind === 'ai' && post.state !== 'deleted' ? { 'data-kind': 'ai' } : {}),
    ...(post.run !== undefined && post.state !== 'deleted' ? { 'data-run': '' } : {}),
    // Screen readers are not to read what grows while it grows.
    ...(post.state === 'streaming' ? { 'aria-busy': 'true' } : {}),
  }
}

/** What a post says of others: whom it answers, when that is not plain from its place, and whom it quotes. */
export function relations(
  post: Post,
  find: (number: number) => Post | undefined,
): Pick<PostProps, 'repliesTo' | 'quoted'> {
  const { parent, quote } = post
  const authorOf = (number: number) => {
    const other = find(number)
    return other === undefined || other.state === 'deleted' ? undefined : other.author
  }
  return {
    repliesTo: parent === null || parent === 1 ? undefined : { number: parent, author: authorOf(parent) },
    quoted: quote === null ? undefined : authorOf(quote.number),
  }
}
