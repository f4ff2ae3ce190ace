import type { ProblemCode } from '../../shared/errors.ts'
import type { Outgoing } from '../outbox.ts'
import type { Viewer } from '../page-state.ts'
import { AuthorName, Avatar } from './author.tsx'

const notes = {
  sending: 'sending…',
  waiting: 'not sent yet, tried again by itself',
  failed: 'not sent',
  sent: 'sent',
} as const

const signedOut: ReadonlySet<ProblemCode | undefined> = new Set(['sign-in-required', 'session-ended'])

/** A post on its way, as its writer sees it. `signIn` is where to sign in and come back from. */
export function PendingPost(props: { entry: Outgoing; viewer: Viewer | null; signIn: string }) {
  const { entry, viewer, signIn } = props
  const author = viewer ?? { id: '', name: 'You', kind: 'guest' as const }
  return (
    <>
      <header class="by">
        <Avatar author={author} />
        <h3 class="who">
          <AuthorName author={author} />
        </h3>
        <span class={`note note-${entry.status}`}>{notes[entry.status]}</span>
      </header>
      {entry.quote !== undefined && (
        <blockquote class="quote">
          <p class="quote-text" dir="auto">
            {entry.quote.text}
          </p>
        </blockquote>
      )}
      <div class="body">
        <p class="text text-source" dir="auto">
          {entry.body}
        </p>
      </div>
      <div class="foot">
        {entry.status === 'waiting' && entry.reason !== undefined && (
          <span class="note">{entry.reason}.</span>
        )}
        {entry.status === 'failed' && (
          <>
            <span class="problem" role="alert">
              {entry.reason}
            </span>
            {signedOut.has(entry.code) && (
              <a class="action action-strong" href={signIn}>
                Sign in
              </a>
            )}
            <button type="button" class="action action-strong" data-action="retry">
              Retry
            </button>
            <button type="button" class="action" data-action="rewrite">
              Edit
            </button>
          </>
        )}
        {(entry.status === 'failed' || entry.status === 'waiting') && (
          <button type="button" class="action" data-action="discard">
            Discard
          </button>
        )}
      </div>
    </>
  )
}
