import type { ComponentChildren } from 'preact'
import type { Post, Reaction } from '../../shared/post.ts'
import type { Permissions } from './permissions.ts'
import { count } from './format.ts'

export const commonEmoji = ['👍', '❤️', '😄', '🎉', '🤔', '👀', '🙏', '👎']

/** What the reader has opened beneath a post. */
export interface FootState {
  picker?: boolean
  more?: boolean
  confirming?: boolean
  copied?: boolean
  /** The choice of an AI participant is open. */
  asking?: boolean
  /** How many posts are folded away beneath it. */
  folded?: number | undefined
  /** A refusal, for people. */
  problem?: string | undefined
  /** Where to sign in, when that is what it takes. */
  signIn?: string | undefined
  /** Why AI participants that the post names do not reply, for people. It stays until it is taken away. */
  unanswered?: readonly string[] | undefined
  /** The reader has asked to stop the reply. */
  stopping?: boolean
  /** What the AI read, where the reader has opened it; null until it can be shown. */
  report?: ComponentChildren
}

export interface FootProps {
  post: Post
  viewerId: string | undefined
  may: Permissions
  hasReplies: boolean
  /** Whether what it replies to is shown. */
  hasParent: boolean
  state: FootState
}

/** Reactions as a page without script shows them. They take the place that the live ones take later. */
export function StillFoot({ reactions }: { reactions: readonly Reaction[] }) {
  return (
    <>
      {reactions.map(({ emoji, count: n }) => (
        <span class="reaction">
          {emoji} <span class="reaction-count">{n}</span>
        </span>
      ))}
    </>
  )
}

/** Reactions and actions of a post for one reader. What a button does is told by its `data-action`. */
export function Foot({ post, viewerId, may, hasReplies, hasParent, state }: FootProps) {
  if (post.state === 'deleted') return hasReplies ? <Fold state={state} /> : null
  if (state.confirming) return <ConfirmDelete />
  const written = post.state !== 'streaming'
  return (
    <>
      {may.stop && (
        <Action name="stop" strong>
          {state.stopping === true ? 'Stopping…' : 'Stop'}
        </Action>
      )}
      {post.reactions.map((reaction) => (
        <ReactionButton key={reaction.emoji} reaction={reaction} viewerId={viewerId} may={may.react} />
      ))}
      {may.reply && (
        <Action name="reply" strong>
          Reply
        </Action>
      )}
      {may.reply && written && <Action name="quote">Quote</Action>}
      {may.ask && (
        <Action name="ask" expanded={state.asking === true}>
          Ask AI
        </Action>
      )}
      {may.react && (
        <Action name="pick" expanded={state.picker === true}>
          React
        </Action>
      )}
      <span class="extras" data-open={state.more === true ? '' : undefined}>
        {hasParent && <Action name="parent">Parent</Action>}
        <Action name="link">{state.copied === true ? 'Copied' : 'Link'}</Action>
        {may.edit && <Action name="edit">Edit</Action>}
        {may.delete && <Action name="delete">Delete</Action>}
      </span>
      {hasReplies && <Fold state={state} />}
      <Action name="more" expanded={state.more === true}>
        {state.more === true ? 'Less' : 'More'}
      </Action>
      <AiActions post={post} may={may} state={state} />
      {state.picker === true && <Picker />}
      {state.report}
      {state.unanswered !== undefined && <Unanswered problems={state.unanswered} />}
      {state.problem !== undefined && (
        <span class="problem" role="alert">
          {state.problem} {state.signIn !== undefined && <a href={state.signIn}>Sign in</a>}
        </span>
      )}
    </>
  )
}

/** What can be done about the reply of an AI. That of an agent outside, which has no asker, cannot be asked for again. */
function AiActions({ post, may, state }: Pick<FootProps, 'post' | 'may' | 'state'>) {
  if (post.run === undefined || post.state === 'streaming') return null
  const again = may.ask && post.asker !== undefined && post.parent !== null
  return (
    <span class="foot-ai">
      {again &&
        (post.state === 'complete' ? (
          <Action name="ask-again">Ask again</Action>
        ) : (
          <Action name="retry-ask" strong>
            Retry
          </Action>
        ))}
      <Action name="run-report" expanded={state.report !== undefined}>
        What the AI read
      </Action>
    </span>
  )
}

function Unanswered({ problems }: { problems: readonly string[] }) {
  return (
    <span class="problem" role="alert">
      {problems.join(' ')}
      <Action name="dismiss">Hide</Action>
    </span>
  )
}

function Action(props: { name: string; children: string; strong?: boolean; expanded?: boolean }) {
  const { name, children, strong, expanded } = props
  return (
    <button
      type="button"
      class={`action action-${name}${strong === true ? ' action-strong' : ''}`}
      data-action={name}
      aria-expanded={expanded}
    >
      {children}
    </button>
  )
}

function Fold({ state }: { state: FootState }) {
  const folded = state.folded !== undefined
  return (
    <Action name="fold" expanded={!folded}>
      {folded ? `Show ${count(state.folded ?? 0, 'reply', 'replies')}` : 'Fold'}
    </Action>
  )
}

function ReactionButton(props: { reaction: Reaction; viewerId: string | undefined; may: boolean }) {
  const { emoji, count: n, by } = props.reaction
  const mine = props.viewerId !== undefined && by.includes(props.viewerId)
  return (
    <button
      type="button"
      class="reaction"
      data-action="react"
      data-emoji={emoji}
      aria-pressed={mine}
      aria-label={`${emoji}, ${n}`}
      disabled={!props.may}
    >
      {emoji} <span class="reaction-count">{n}</span>
    </button>
  )
}

function Picker() {
  return (
    <span class="picker" role="group" aria-label="Choose a reaction">
      {commonEmoji.map((emoji) => (
        <button
          type="button"
          class="pick"
          data-action="react"
          data-emoji={emoji}
          aria-label={`React with ${emoji}`}
        >
          {emoji}
        </button>
      ))}
    </span>
  )
}

function ConfirmDelete() {
  return (
    <span class="confirm" role="group" aria-label="Delete this post?">
      <span>Delete this post? Its text will be gone for everyone.</span>
      <button type="button" class="action action-danger" data-action="delete-now">
        Delete
      </button>
      <button type="button" class="action" data-action="keep">
        Keep
      </button>
    </span>
  )
}
