import type { Api } from '../api.ts'
import type { Viewer } from '../page-state.ts'

/** Who the reader is, on this page. */
export interface Session {
  readonly viewer: Viewer | null
  /** Where one signs in. */
  readonly signIn: string
  /** Takes a guest name, if nobody is signed in yet. Throws the problem when the name is refused. */
  beGuest(name: string): Promise<void>
  /** The reader has signed in, or out. `token` is a bearer token, for connections that carry no cookies. */
  become(viewer: Viewer | null, token: string | null): void
}

export function createSession(
  api: Pick<Api, 'signInGuest'>,
  from: { viewer: Viewer | null; signIn: () => string },
  onChanged: (viewer: Viewer | null, token: string | null) => void,
): Session {
  let { viewer } = from
  function become(next: Viewer | null, token: string | null): void {
    viewer = next
    onChanged(next, token)
  }
  return {
    get signIn() {
      return from.signIn()
    },
    become,
    get viewer() {
      return viewer
    },
    async beGuest(name) {
      if (viewer !== null) return
      const { id, name: given, token } = await api.signInGuest(name)
      become({ id, name: given, kind: 'guest', role: 'guest' }, token)
    },
  }
}
