import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocket } from 'ws'
import { connectLive, type Socket } from '../../client/live.ts'
import { openThread } from '../../client/thread.ts'
import type { Post } from '../../shared/post.ts'
import { fromSnapshot, type ThreadState } from '../../shared/thread-state.ts'
import { snapshotOf } from './live-client.ts'
import type { Random } from './random.ts'

/** Tokens as a language model writes them: about four and a half characters each, whole words and parts of words. */
export function proseTokens(count: number, random: Random): string[] {
  const words = (
    'the a of to and in that it is was for on as with be by not this are or from an argument reader author claim ' +
    'reason because however therefore evidence suggest essay para graph under stand ing tion ally ment word meaning ' +
    'Leser Übung naïve 猫 🌳 first second between whole part same other question answer'
  ).split(' ')
  const joints = [' ', ' ', ' ', ' ', '', ', ', '. ', ' *', '* ', '\n\n', ' `x` ', '\n- ']
  return Array.from({ length: count }, (_, i) => {
    const word = random.pick(words)
    return i === 0 ? 'So' : `${random.chance(0.85) ? ' ' : random.pick(joints)}${word}`
  })
}

/** A reader that comes and goes while replies are written, and counts what it is sent. */
export interface LoadViewer {
  readonly state: ThreadState
  /** Bytes of all messages that it was ever sent, after the thread as it was when it came. */
  readonly bytes: number
  /** The last text that it saw of each reply while that was written, by run. */
  readonly texts: ReadonlyMap<string, string>
  readonly faults: readonly unknown[]
  /** Loses its connection, as when a train enters a tunnel; it comes back by itself. */
  drop(): void
  close(): void
}

/** Opens a thread with the site's own connection and state. `choose` says which node is asked, anew for each socket. */
export async function openLoadViewer(choose: () => string, thread: string): Promise<LoadViewer> {
  const initial = fromSnapshot(await snapshotOf(choose(), thread))
  const texts = new Map<string, string>()
  const faults: unknown[] = []
  let socket: WebSocket | undefined
  let bytes = 0
  const live = connectLive({
    url: '',
    openSocket() {
      socket = new WebSocket(`${choose().replace(/^http/, 'ws')}/live`)
      socket.on('message', (data: Buffer) => (bytes += data.length))
      return socket as unknown as Socket
    },
    onFault: (fault) => faults.push(fault),
  })
  const opened = openThread(
    {
      live,
      api: {
        snapshot: (id) => snapshotOf(choose(), id),
        changes: async (id, after) => {
          const answer = await fetch(`${choose()}/api/threads/${id}/posts?after=${after}`)
          return (await answer.json()) as Awaited<ReturnType<typeof snapshotOf>>
        },
      },
      onChange(state) {
        for (const { run, text } of state.streams.values()) {
          if (!text.startsWith(texts.get(run) ?? '')) faults.push(`the text of ${run} changed`)
          texts.set(run, text)
        }
      },
    },
    initial,
  )
  return {
    get state() {
      return opened.state
    },
    get bytes() {
      return bytes
    },
    texts,
    faults,
    drop: () => socket?.terminate(),
    close() {
      opened.close()
      live.close()
    },
  }
}

/** Some of the viewers lose their connections at random moments, until `done` says that it is enough. */
export async function shake(
  viewers: readonly LoadViewer[],
  random: Random,
  done: () => boolean,
): Promise<number> {
  let drops = 0
  while (!done()) {
    await sleep(20 + random.int(60))
    if (viewers.length === 0) continue
    for (let i = 0; i < 3; i++) random.pick(viewers).drop()
    drops += 3
  }
  return drops
}

/** The replies of a thread, as a viewer has them now. */
export function repliesOf({ posts }: ThreadState): Post[] {
  return posts.filter((post): post is Post => post?.run !== undefined)
}
