import { createFollower } from './follow.ts'
import { createDrawing } from './drawing.ts'
import { drawPaced, untilNext, type Pace } from './pace.ts'
import type { Extras } from './renderer.ts'
import { createSteady } from './steady.ts'

/** The reader's view of a text that is being written. */
export interface StreamView {
  /** Takes the whole text so far. It is drawn in the next frame, or later where drawing takes long. */
  show(text: string): void
  /**
   * Takes the server's HTML of the whole text, keeps the nodes that are the same in it, and closes the view. Returns the
   * HTML as the element says it now: a framework that is given this leaves the nodes alone.
   */
  settle(html: string): string
  /** Draws what was shown last as the whole text, and ends the view. */
  close(): void
}

/**
 * A view that draws into `into`, an element of the class `text`, as the server's HTML would look there. `thread` is the id of
 * the thread, `publicUrl` the server's address; views that are given the same `extras` load and prepare things once, and
 * those with the same `pace` share the time that drawing may take.
 */
export function createStreamView(
  into: HTMLElement,
  at: { thread: string; publicUrl: string; extras?: Extras; pace?: Pace },
): StreamView {
  const follower = createFollower(() => into.closest<HTMLElement>('.post') ?? into)
  const steady = createSteady(into)
  const { pace = { even: 0 } } = at
  let text: string | undefined
  let frame: number | undefined
  let rest: ReturnType<typeof setTimeout> | undefined
  let closed = false
  const drawing = createDrawing(into, { extras: {}, ...at, onLoaded: drawSoon })
  into.classList.add('growing')

  function drawSoon(): void {
    if (closed || frame !== undefined || rest !== undefined) return
    const wait = untilNext(pace)
    if (wait === 0) frame = requestAnimationFrame(drawNow)
    else rest = setTimeout(rested, wait)
  }

  /** Another view may have drawn meanwhile. */
  function rested(): void {
    rest = undefined
    drawSoon()
  }

  function drawNow(): void {
    frame = undefined
    let done = true
    const draw = () => {
      if (text !== undefined) done = drawing.draw(text)
    }
    drawPaced(pace, () => follower.around(() => steady.around(draw)))
    if (!done) drawSoon()
  }

  function end(): void {
    closed = true
    if (frame !== undefined) cancelAnimationFrame(frame)
    clearTimeout(rest)
    follower.stop()
    into.classList.replace('growing', 'grown')
  }

  return {
    show(next) {
      text = next
      drawSoon()
    },
    settle(html) {
      follower.around(() => {
        steady.release()
        drawing.settle(html)
      })
      text = undefined
      end()
      return into.innerHTML
    },
    close() {
      if (closed) return
      follower.around(() => {
        steady.release()
        if (text !== undefined) drawing.finish(text)
      })
      end()
    },
  }
}
