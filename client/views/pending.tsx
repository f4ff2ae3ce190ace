import type { Outgoing } from '../outbox.ts'
import type { Viewer } from '../page-state.ts'
import { AuthorName, Avatar } from './author.tsx'

const notes = {
  sending: 'sending…',
  waiting: 'not sent yet: it will be sent as soon as the server answers',
  failed: 'not sent',
  sent: 'sent',
} as const

/** A post on its way, as its writer sees it. */
export function PendingPost({ entry, viewer }: { entry: Outgoing; viewer: Viewer | null }) {
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
          <p class="quote-text">{entry.quote.text}</p>
        </blockquote>
      )}
      <div class="body">
        <p class="text text-source">{entry.body}</p>
      </div>
      <div class="foot">
        {entry.status === 'failed' && (
          <>
            <span class="problem" role="alert">
              {entry.reason}
            </span>
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
