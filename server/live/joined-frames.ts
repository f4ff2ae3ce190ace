import type { Joined } from '../../shared/live.ts'
import { textFrame } from './frame.ts'
import { liveLimits } from './limits.ts'

/** A `joined`, framed for the many who are told just that, and as a line for those who get more with it. */
export interface Answer {
  /** Without its `streams` and its last brace. */
  readonly line: string
  readonly frame: Buffer
}

export function answer({ streams: _, ...message }: Joined): Answer {
  const line = JSON.stringify(message).slice(0, -1)
  return { line, frame: textFrame(withStreams(line, [])) }
}

/** The message of an answer, without texts of replies. */
export function textOf({ line }: Answer): string {
  return withStreams(line, [])
}

function withStreams(line: string, streams: Joined['streams']): string {
  return `${line},"streams":${JSON.stringify(streams)}}`
}

/** Frames of answers together with the texts of replies that are being written. */
export interface JoinedFrames {
  /** The same frame for all who are told the same: a crowd that comes back while a reply is written shares it. */
  frame(known: Answer, texts: Joined['streams']): Buffer
  forget(): void
}

export function createJoinedFrames(): JoinedFrames {
  const made = new Map<Answer, Map<string, Buffer>>()
  let count = 0
  let bytes = 0

  function forget(): void {
    made.clear()
    count = 0
    bytes = 0
  }

  function keep(known: Answer, key: string, frame: Buffer): void {
    // Texts grow all the time, so what is old will not be asked for again: there is nothing to choose from.
    if (count >= liveLimits.joinedFrames || bytes + frame.length > liveLimits.joinedFramesBytes) forget()
    if (frame.length > liveLimits.joinedFramesBytes) return
    const frames = made.get(known) ?? new Map<string, Buffer>()
    made.set(known, frames.set(key, frame))
    count++
    bytes += frame.length
  }

  return {
    frame(known, texts) {
      if (texts.length === 0) return known.frame
      const key = keyOf(texts)
      let frame = made.get(known)?.get(key)
      if (frame === undefined) {
        frame = textFrame(withStreams(known.line, texts))
        keep(known, key, frame)
      }
      return frame
    },
    forget,
  }
}

/** Under one short name a text only ever grows: where a piece of it begins and how long it is tell what it says. */
function keyOf(texts: Joined['streams']): string {
  let key = ''
  for (const { run, as, at = 0, text } of texts) key += `${run} ${as} ${at} ${text.length},`
  return key
}
