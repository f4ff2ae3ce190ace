import type { Viewer } from '../../client/page-state.ts'
import { renderPage, signInPage, type Frame } from './frame.tsx'

/** The code goes into the query: paths are logged. */
export const claimPath = '/claim'

/** What somebody wrote elsewhere, before it moved here. */
export interface Claimable {
  name: string
  posts: number
}

/**
 * Where people take over what they wrote before it was imported. `claimed`: they just did. It works without scripts.
 */
export function renderClaimPage(
  frame: Frame,
  { claimable, code, claimed }: { claimable: Claimable; code: string; claimed: boolean },
): string {
  const head = {
    title: 'Your comments',
    description: 'Take over what you wrote.',
    path: claimPath,
    hidden: true,
  }
  return renderPage(
    frame,
    head,
    <>
      <h1 class="title">Your comments</h1>
      {claimed ? (
        <p role="status">
          {counted(claimable.posts)} by <bdi>{claimable.name}</bdi> {claimable.posts === 1 ? 'is' : 'are'}{' '}
          yours now. <a href="/">To all posts</a>
        </p>
      ) : (
        <Offer claimable={claimable} code={code} viewer={frame.viewer} />
      )}
    </>,
  )
}

function Offer({ claimable, code, viewer }: { claimable: Claimable; code: string; viewer: Viewer | null }) {
  const { name, posts } = claimable
  const about = (
    <p>
      <bdi>{name}</bdi> wrote {counted(posts)} before they moved here.
    </p>
  )
  if (viewer === null || viewer.kind !== 'person')
    return (
      <>
        {about}
        <p>
          If that is you, <a href={signInPage}>sign in</a> with an account and then open this link again: they
          become yours.
        </p>
      </>
    )
  return (
    <form class="form" method="post" action={claimPath}>
      {about}
      <p>
        If that is you, they become those of <bdi>{viewer.name}</bdi>, the account that you are signed in
        with. This cannot be undone.
      </p>
      <input type="hidden" name="code" value={code} />
      <button type="submit" class="button">
        These are mine
      </button>
    </form>
  )
}

function counted(posts: number): string {
  return posts === 1 ? 'one comment' : `${posts} comments`
}
