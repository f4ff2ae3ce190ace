import type { Down } from '../shared/live.ts'

type More = Extract<Down, { type: 'more' }>

/** The short names that the server gives to AI replies on one socket. */
export interface Aliases {
  /** A message in its full form; undefined for a short one of a reply that was never named here. */
  resolve(message: Down): Exclude<Down, More> | undefined
}

export function createAliases(): Aliases {
  const known = new Map<number, { thread: string; post: number; run: string }>()
  return {
    resolve(message) {
      switch (message.type) {
        case 'more': {
          const { as, at, text } = message
          const reply = known.get(as)
          return reply && { type: 'delta', ...reply, at, text }
        }
        case 'delta': {
          const { thread, post, run, as } = message
          if (as !== undefined) known.set(as, { thread, post, run })
          return message
        }
        case 'joined':
          for (const { post, run, as } of message.streams)
            if (as !== undefined) known.set(as, { thread: message.thread, post, run })
          return message
        default:
          return message
      }
    },
  }
}
