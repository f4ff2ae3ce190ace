import { textFrame } from './frame.ts'
import { liveLimits } from './limits.ts'
import type { LiveMetrics } from './metrics.ts'
import type { RoomLine } from './streams.ts'

/** What a room needs of a socket. */
export interface Viewer {
  readonly id: string
  /** Writes a frame that must arrive. */
  deliver(frame: Buffer): void
  /** Writes a frame that may be left out when the socket is slow. */
  mention(frame: Buffer): void
}

/** What a viewer wants to hear: all in full, all in few bytes, or only what lasts. */
export type Ear = 'all' | 'brief' | 'quiet'

/**
 * Tells many viewers the same lines, in order. What costs is the write to a socket, hardly what is in it: so lines that
 * come close together share one. At rest a line goes out in the same turn of the event loop. After each round of writes
 * there is a rest in proportion to what the round cost, within limits: the more viewers and the faster the lines come, the
 * more lines a write carries. A long round is written in slices, between which everything else has its turn.
 */
export interface FanOut {
  readonly size: number
  has(viewer: string): boolean
  /** From here on the viewer is told what is said, and nothing that was said before. */
  add(viewer: Viewer, ear: Ear): void
  /** It is told nothing more. */
  remove(viewer: string): void
  /** `since` is when the line became true, in milliseconds since 1970. */
  say(line: RoomLine, since: number): void
  /** A frame of its own for everyone, now; who is slow may miss it. */
  mention(frame: Buffer): void
  close(): void
}

interface Listener {
  readonly viewer: Viewer
  readonly ear: Ear
  /** How many lines had been said when it came. */
  readonly from: number
  /** It left, or came again and knows more by now. */
  gone: boolean
}

interface Batch {
  readonly lines: RoomLine[]
  /** When the first of them became true. */
  readonly since: number
}

export function createFanOut(metrics: Pick<LiveMetrics, 'delivered' | 'lag'>): FanOut {
  const listeners = new Map<string, Listener>()
  /** How many lines were said so far. */
  let said = 0
  let waiting: Batch | undefined
  let writing = false
  let closed = false
  /** When the next round may begin: with what lasts in it, and with nothing but pieces of replies. */
  let ready = { lasting: 0, passing: 0 }
  let alarm: { at: number; cancel: () => void } | undefined

  function say(line: RoomLine, since: number): void {
    if (listeners.size === 0 || closed) return
    said++
    if (waiting) waiting.lines.push(line)
    else waiting = { lines: [line], since }
    if (!writing) arm(line.passing ? ready.passing : ready.lasting)
  }

  /** Writes at `at`, or earlier where that was intended before. */
  function arm(at: number): void {
    if (alarm !== undefined && alarm.at <= at) return
    alarm?.cancel()
    const wait = at - performance.now()
    if (wait <= 0) {
      const immediate = setImmediate(write)
      alarm = { at, cancel: () => clearImmediate(immediate) }
    } else {
      const timer = setTimeout(write, wait)
      alarm = { at, cancel: () => clearTimeout(timer) }
    }
  }

  function write(): void {
    alarm = undefined
    const batch = waiting
    if (batch === undefined) return
    waiting = undefined
    writing = true
    const frames = framesOf(batch.lines)
    const start = said - batch.lines.length
    const round = [...listeners.values()]
    let next = 0
    let cost = 0
    slice()

    function slice(): void {
      const began = performance.now()
      let passed = 0
      while (next < round.length && passed < liveLimits.sliceMs) {
        const end = Math.min(next + liveLimits.sliceWrites, round.length)
        for (; next < end; next++) {
          const { viewer, ear, from, gone } = round[next]!
          // Some leave before it is their turn.
          if (gone) continue
          const frame = frames(ear, from - start)
          if (frame) viewer.deliver(frame)
        }
        passed = performance.now() - began
      }
      cost += passed
      if (closed) return
      if (next < round.length) setImmediate(slice)
      else rest(cost, round.length, batch!)
    }
  }

  function rest(cost: number, viewers: number, { lines, since }: Batch): void {
    metrics.delivered(lines.length, viewers)
    metrics.lag.observe(Math.max(0, Date.now() - since) / 1000)
    const now = performance.now()
    ready = {
      lasting: now + Math.min(cost * liveLimits.restShare, liveLimits.restMs),
      passing: now + Math.min(cost * liveLimits.passingRestShare, liveLimits.passingRestMs),
    }
    writing = false
    if (waiting) arm(waiting.lines.every(({ passing }) => passing) ? ready.passing : ready.lasting)
  }

  function remove(viewer: string): void {
    const listener = listeners.get(viewer)
    if (listener === undefined) return
    listener.gone = true
    listeners.delete(viewer)
  }

  return {
    get size() {
      return listeners.size
    },
    has: (viewer) => listeners.has(viewer),
    add(viewer, ear) {
      remove(viewer.id)
      listeners.set(viewer.id, { viewer, ear, from: said, gone: false })
    },
    remove,
    say,
    mention(frame) {
      for (const { viewer } of listeners.values()) viewer.mention(frame)
    },
    close() {
      closed = true
      alarm?.cancel()
    },
  }
}

/**
 * Lines as one frame for each kind of ear, without the first `skipped`, which who came later knows; made when the first
 * asks. Undefined where nothing is left.
 */
function framesOf(lines: readonly RoomLine[]): (ear: Ear, skipped: number) => Buffer | undefined {
  // By ear, and then by how many are skipped. Nearly all skip none: nothing is hashed for them.
  const made: Record<Ear, (Buffer | undefined)[]> = { all: [], brief: [], quiet: [] }
  const plain = lines.every((line) => !line.passing)
  return (asked, skipped) => {
    const ear = plain ? 'all' : asked
    const from = Math.max(0, skipped)
    const known = made[ear][from]
    if (known !== undefined) return known
    const heard = from === 0 ? lines : lines.slice(from)
    return (made[ear][from] = frameOf(ear === 'quiet' ? heard.filter((line) => !line.passing) : heard, ear))
  }
}

function frameOf(lines: readonly RoomLine[], ear: Ear): Buffer | undefined {
  if (lines.length === 0) return undefined
  return textFrame(lines.map(({ line, brief }) => (ear === 'brief' && brief) || line).join('\n'))
}
