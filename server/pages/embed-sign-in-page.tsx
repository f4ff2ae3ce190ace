import type { Viewer } from '../../client/page-state.ts'
import { signInPath } from '../../client/views/signed-in.tsx'
import { renderPage, type Frame } from './frame.tsx'

/** Path of the page where a widget's reader signs in: it opens in a window of its own. */
export const embedSignInPath = '/embed/sign-in'

/** Whether the sign-in page that leads back to `to` was reached from that window. */
export function leadsToWidget(to: string | undefined): boolean {
  return to?.startsWith(`${embedSignInPath}?`) === true
}

/** A sign-in that a widget waits for. */
export interface WaitingSignIn {
  readonly challenge: string
  /** The origin of the page that the widget is in. */
  readonly host: string
}

/** The page; `waiting` is undefined where there is no such sign-in, or no longer. */
export function renderEmbedSignInPage(frame: Frame, waiting: WaitingSignIn | undefined): string {
  const title = waiting === undefined ? 'This sign-in has run out' : 'Sign in to comment'
  // The link at the top of the page leads back here too.
  const path = waiting === undefined ? embedSignInPath : pathFor(waiting)
  const head = { title, description: title, path, hidden: true }
  const content =
    waiting === undefined ? (
      <RanOut />
    ) : (
      <Asking waiting={waiting} viewer={frame.viewer} site={frame.publicUrl} />
    )
  return renderPage(frame, head, <div class="widget-sign-in">{content}</div>)
}

function RanOut() {
  return (
    <>
      <h1 class="title">This sign-in has run out</h1>
      <p>
        It holds for a quarter of an hour. Close this window, go back to the page with the comments, and
        choose “Sign in” there again.
      </p>
    </>
  )
}

function Asking({ waiting, viewer, site }: { waiting: WaitingSignIn; viewer: Viewer | null; site: string }) {
  const host = shown(waiting.host)
  const here = new URL(site).host
  return (
    <>
      <h1 class="title">
        Comment on <bdi>{host}</bdi>
      </h1>
      <div id="embed-asking" class="widget-sign-in">
        <p>
          You came from a page of <strong>{host}</strong>. The comments on it are kept here, at{' '}
          <strong>{here}</strong>, and so is your account.
        </p>
        <ul class="widget-terms">
          <li>{host} does not learn your password, and cannot write in your name.</li>
          <li>
            You stay signed in there for 30 days, or until you sign out in the comments.
            {viewer?.role === 'admin' && ' There you can moderate, but not administrate.'}
          </li>
          <li>
            Did you not come from {host}, or did somebody send you here? Then close this window: nothing has
            happened.
          </li>
        </ul>
        <noscript>
          <p class="empty">Signing in needs JavaScript. Reading does not.</p>
        </noscript>
        <Answer waiting={waiting} viewer={viewer} />
      </div>
      <div id="embed-code" class="widget-sign-in" hidden>
        <p id="embed-code-note" role="status">
          Almost done. If the comments have not noticed by themselves, enter this code there:
        </p>
        <p class="widget-code">
          <output id="embed-code-text" aria-label="Code"></output>
          <button type="button" id="embed-code-copy" class="action" hidden>
            Copy
          </button>
        </p>
        <p class="note">
          It holds for five minutes, for the comments on {host} alone. Tell it to nobody: no one but you needs
          it.
        </p>
      </div>
    </>
  )
}

function Answer({ waiting, viewer }: { waiting: WaitingSignIn; viewer: Viewer | null }) {
  if (viewer === null || viewer.kind !== 'person') {
    return (
      <>
        {viewer !== null && (
          <p>
            You are here as the guest <bdi>{viewer.name}</bdi>. In comments on other sites, guests choose a
            name there.
          </p>
        )}
        <p>
          <a class="button" href={signInPath(pathFor(waiting))}>
            Sign in or create an account
          </a>
        </p>
      </>
    )
  }
  return (
    <form id="embed-sign-in-form" class="form" method="post" data-challenge={waiting.challenge}>
      <p class="problem" role="alert"></p>
      <p class="buttons">
        {/* Its script comes a moment later. */}
        <button type="submit" class="button" disabled>
          Continue as <bdi>{viewer.name}</bdi>
        </button>
        <button type="button" id="embed-not-me" class="action">
          Not you? Sign out
        </button>
      </p>
    </form>
  )
}

function pathFor({ challenge }: WaitingSignIn): string {
  return `${embedSignInPath}?challenge=${encodeURIComponent(challenge)}`
}

/** An origin as people read it; that a page came without encryption is worth knowing. */
function shown(origin: string): string {
  return origin.replace(/^https:\/\//, '')
}
