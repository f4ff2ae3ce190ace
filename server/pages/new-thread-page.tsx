import { limits } from '../../shared/limits.ts'
import { renderPage, type Frame } from './frame.tsx'

/** Where a thread is begun. */
export function renderNewThreadPage(frame: Frame): string {
  const head = { title: 'New thread', description: 'Begin a thread.', path: '/new', hidden: true }
  return renderPage(frame, head, <NewThread asksName={frame.viewer === null} />)
}

function NewThread({ asksName }: { asksName: boolean }) {
  return (
    <>
      <nav class="back" aria-label="Back">
        <a href="/">← Back to all posts</a>
      </nav>
      <h1 class="title">New thread</h1>
      <noscript>
        <p class="empty">Writing needs JavaScript. Reading does not.</p>
      </noscript>
      <form id="new-thread-form" class="form form-wide" method="post">
        {asksName && (
          <label>
            Your name
            <input type="text" name="name" required maxLength={limits.nameMax} autocomplete="nickname" />
            <a href="/sign-in?to=%2Fnew">or sign in</a>
          </label>
        )}
        <label>
          Title
          <input type="text" name="title" required maxLength={limits.titleMax} autocomplete="off" />
        </label>
        <label>
          Address of the page under discussion, if there is one
          <input type="url" name="url" maxLength={limits.urlMax} placeholder="https://" autocomplete="off" />
        </label>
        <label>
          First post
          <textarea
            class="composer-text"
            dir="auto"
            name="body"
            required
            rows={12}
            maxLength={limits.bodyMax}
            placeholder="Markdown works here."
          ></textarea>
        </label>
        <div
          id="new-thread-shown"
          class="body composer-preview"
          tabIndex={0}
          aria-label="Preview"
          hidden
        ></div>
        <p class="problem" role="alert"></p>
        <p class="buttons">
          <button type="submit" class="button">
            Begin the thread
          </button>
          <button type="button" id="new-thread-preview" class="action">
            Preview
          </button>
        </p>
      </form>
    </>
  )
}
