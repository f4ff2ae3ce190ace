import type { Api } from '../api.ts'
import type { Viewer } from '../page-state.ts'

/** Who the reader is, on this page. */
export interface Session {
  readonly viewer: Viewer | null
  /** Takes a guest name, if nobody is signed in yet. Throws the problem when the name is refused. */
  beGuest(name: string): Promise<void>
}

export function createSession(
  api: Pick<Api, 'signInGuest'>,
  initial: Viewer | null,
  onSignedIn: (token: string | null) => void,
): Session {
  let viewer = initial
  return {
    get viewer() {
      return viewer
    },
    async beGuest(name) {
      if (viewer !== null) return
      const { id, name: given, token } = await api.signInGuest(name)
      viewer = { id, name: given, kind: 'guest', role: 'guest' }
      onSignedIn(token)
    },
  }
}
