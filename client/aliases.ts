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
      if (message.type === 'more') {
        const { as, at, text } = message
        const reply = known.get(as)
        return reply && { type: 'delta', ...reply, at, text }
      }
      const named = message.type === 'delta' ? [message] : message.type === 'joined' ? message.streams : []
      for (const { post, run, as } of named) {
        if (as !== undefined && 'thread' in message) known.set(as, { thread: message.thread!, post, run })
      }
      return message
    },
  }
}
