import type { Viewer } from '../page-state.ts'
import { AuthorName } from './author.tsx'

/** Who is signed in, or the way to it. `path` is where the reader comes back to. */
export function SignedIn({ viewer, path }: { viewer: Viewer | null; path: string }) {
  if (viewer === null) return <a href={signInPath(path)}>Sign in</a>
  return (
    <form id="sign-out-form" class="signed-in">
      <span class="me">
        <AuthorName author={viewer} />
      </span>
      {viewer.role === 'admin' && <a href="/admin">Admin</a>}
      <button type="submit" class="action">
        Sign out
      </button>
    </form>
  )
}

/** The sign-in page that leads back to `path`. */
export function signInPath(path: string): string {
  return `/sign-in?to=${encodeURIComponent(path)}`
}
