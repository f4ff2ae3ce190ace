import type { Live } from '../../live.ts'

/** Out of view or in a hidden tab, a widget keeps its connection for so long: readers scroll back, and look back. */
const lingerMs = 30_000

/** Opens the connection while the widget has attention, and lets go of it some time after. */
export interface Attention {
  /** The host page says whether it is this widget's turn: of many, only a few may hold connections. */
  show(turn: boolean): void
  /** Whether the widget is in view. */
  see(inView: boolean): void
}

export function payAttention(live: Pick<Live, 'wake' | 'pause'>, turn: boolean): Attention {
  let inView = false
  let letGo: ReturnType<typeof setTimeout> | undefined

  function update(): void {
    clearTimeout(letGo)
    letGo = undefined
    if (!turn) live.pause()
    else if (inView && document.visibilityState === 'visible') live.wake()
    else letGo = setTimeout(() => live.pause(), lingerMs)
  }

  document.addEventListener('visibilitychange', update)
  window.addEventListener('offline', () => live.pause())
  window.addEventListener('online', update)
  // A page with an open socket could not be kept for the way back.
  window.addEventListener('pagehide', () => live.pause())
  window.addEventListener('pageshow', update)
  return {
    show(next) {
      if (next === turn) return
      turn = next
      update()
    },
    see(next) {
      if (next === inView) return
      inView = next
      update()
    },
  }
}
