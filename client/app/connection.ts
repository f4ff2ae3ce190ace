import type { Live, LiveStatus } from '../live.ts'
import type { ConnectionNote } from '../views/thread-head.tsx'

/** How the connection stands, in words. `now` is in milliseconds since 1970. */
export function connectionNote(
  status: LiveStatus,
  wasLive: boolean,
  now: number,
): ConnectionNote | undefined {
  switch (status.kind) {
    case 'live':
      return { kind: 'live', text: 'live' }
    case 'connecting':
      return wasLive ? { kind: 'trouble', text: 'reconnecting…' } : undefined
    case 'waiting': {
      const seconds = Math.max(1, Math.ceil((status.until - now) / 1000))
      return { kind: 'trouble', text: `reconnecting in ${seconds} s` }
    }
    case 'offline':
      return { kind: 'trouble', text: 'offline: what you write is kept' }
    case 'stopped':
      return status.why === 'closed'
        ? undefined
        : { kind: 'trouble', text: 'this page is out of date: reload it' }
  }
}

/** Tells the connection what only the browser knows: when the network goes and comes, and when the page is looked at. */
export function followBrowser(live: Live): void {
  window.addEventListener('offline', () => live.pause())
  window.addEventListener('online', () => live.wake())
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') live.wake()
  })
  // A page with an open socket could not be kept for the way back.
  window.addEventListener('pagehide', () => live.pause())
  window.addEventListener('pageshow', (event) => {
    if (event.persisted) live.wake()
  })
}

/** Address of this server's live endpoint. */
export function liveUrl(): string {
  return `${location.origin.replace(/^http/, 'ws')}/live`
}
