import type { Viewer } from '../../page-state.ts'
import { AuthorName } from '../../views/author.tsx'

/** Who the reader is in this widget, or the way to say so. */
export function Who({
  viewer,
  signIn,
  mayLeave,
}: {
  viewer: Viewer | null
  signIn: string
  mayLeave: boolean
}) {
  if (viewer === null)
    return (
      <a class="action" href={signIn}>
        Sign in
      </a>
    )
  return (
    <>
      <span class="me">
        <AuthorName author={viewer} />
      </span>
      {mayLeave && (
        <button type="button" class="action" data-action="sign-out">
          Sign out
        </button>
      )}
    </>
  )
}
