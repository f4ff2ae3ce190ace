import { Problem } from '../../../shared/errors.ts'
import type { WidgetSession } from '../../../shared/site.ts'
import type { Api } from '../../api.ts'
import type { Session } from '../../app/session.ts'
import type { Viewer } from '../../page-state.ts'
import type { HostLink } from './host-link.ts'
import { kept } from './kept.ts'

/** How a session came about: the host's server vouched for the reader, or they signed in by themselves. */
type Way = 'host' | 'own'

/** The reader's session in this widget. Its token is in the frame's memory, and in its storage where the reader may stay. */
export interface Member {
  readonly token: string | undefined
  readonly way: Way | undefined
  /** Goes on with the session of an earlier visit, if there is one. */
  resume(): Promise<void>
  /** The host's server vouches for the reader; null when they signed out there. */
  vouch(token: string | null): Promise<void>
  /** The reader has signed in by a window of their own. */
  signedIn(session: WidgetSession): void
  signOut(): Promise<void>
  /** The reader is someone else now, however that came about. */
  changed(viewer: Viewer | null, token: string | null): void
  /** The server does not know the token any more. */
  lost(): void
}

export interface MemberParts {
  /** Origin of the host page: each has its own session, even where the browser does not keep their storages apart. */
  readonly host: string
  readonly site: string | null
  readonly link: HostLink
  readonly api: Pick<Api, 'request' | 'whoami' | 'signOut'>
  session(): Session
}

/** So much of a session's time has passed when a fresh token is asked for. */
const refreshAfter = 0.8

export function createMember({ host, site, link, api, session }: MemberParts): Member {
  const store = kept(`embed:${host}`)
  let token: string | undefined
  let way: Way | undefined
  let refresh: ReturnType<typeof setTimeout> | undefined
  /** The latest word of the host counts. */
  let word = 0

  function leave(): void {
    token = undefined
    way = undefined
    clearTimeout(refresh)
    store.set(null)
    session().become(null, '')
  }

  return {
    get token() {
      return token
    },
    get way() {
      return way
    },
    async resume() {
      const known = store.get()
      if (known === null) return
      const before = word
      token = known
      const viewer = await api.whoami().catch((error: unknown) => {
        // The server may be back later, and know the token then.
        if (!(error instanceof Problem && error.code === 'unavailable')) store.set(null)
        return null
      })
      if (word !== before || token !== known || way === 'host') return
      if (viewer === null) token = undefined
      else session().become(viewer, token)
    },
    async vouch(vouched) {
      const mine = ++word
      if (vouched === null) {
        if (way === 'host') leave()
        return
      }
      if (site === null) return
      try {
        const input = { site, token: vouched }
        const found = await api.request<WidgetSession>('POST', '/api/embed/sign-in/token', input)
        if (mine !== word) return
        way = 'host'
        session().become(found.user, found.token)
        clearTimeout(refresh)
        const left = Date.parse(found.expiresAt) - Date.now()
        refresh = setTimeout(
          () => link.send({ numinex: 'signin', reason: 'expired' }),
          Math.max(1_000, left * refreshAfter),
        )
      } catch (error) {
        if (mine !== word || !(error instanceof Problem)) return
        link.send({ numinex: 'error', code: error.code, message: error.message })
        if (error.code === 'token-refused') link.send({ numinex: 'signin', reason: 'refused' })
      }
    },
    signedIn(found) {
      word++
      way = 'own'
      session().become(found.user, found.token)
    },
    async signOut() {
      await api.signOut().catch(() => {})
      leave()
    },
    changed(viewer, next) {
      if (viewer === null || next === null || next === '') return
      token = next
      way ??= 'own'
      store.set(way === 'own' ? token : null)
    },
    lost() {
      if (token === undefined) return
      const vouched = way === 'host'
      leave()
      if (vouched) link.send({ numinex: 'signin', reason: 'expired' })
    },
  }
}
