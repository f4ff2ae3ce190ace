import { parseMessage, toFrame, type ToFrame, type ToHost } from '../../../shared/widget.ts'

/** The way to the host page. */
export interface HostLink {
  send(message: ToHost): void
}

/** Hears what the page around the frame says, if it is of the origin `host`, and nobody else. */
export function linkToHost(host: string, onMessage: (message: ToFrame) => void): HostLink {
  const { parent } = window
  window.addEventListener('message', ({ origin, source, data }) => {
    if (origin !== host || source !== parent) return
    const message = parseMessage(toFrame, data)
    if (message !== undefined) onMessage(message)
  })
  return {
    send(message) {
      // Opened by itself, it has no host.
      if (parent !== window) parent.postMessage(message, host)
    },
  }
}
