import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocket } from 'ws'
import { connectLive, type Live, type LiveStatus, type Socket } from '../../client/live.ts'
import { openThread, type LiveThread } from '../../client/thread.ts'
import type { ThreadSnapshot } from '../../shared/http.ts'
import type { Post } from '../../shared/post.ts'
import { fromSnapshot, type ThreadState } from '../../shared/thread-state.ts'
import { guest, type Guest } from './node.ts'

/** Where something is asked, chosen anew each time: a stand-in for the proxy in front of several nodes. */
export type Choose = () => string

/** A reader of one thread, with the site's own connection and state. */
export interface Viewer {
  readonly live: Live
  readonly state: ThreadState
  readonly status: LiveStatus
  /** Address of the node that the latest socket went to. */
  readonly node: string
  /** Every status it ever showed, and the node that the socket of that moment went to. */
  readonly history: readonly { status: LiveStatus['kind']; node: string }[]
  close(): void
}

/** Opens a thread as a page does: a snapshot over HTTP, then the live connection. `choose` says which node is asked. */
export async function openViewer(choose: Choose, thread: string): Promise<Viewer> {
  const initial = fromSnapshot(await snapshotOf(choose(), thread))
  const history: { status: LiveStatus['kind']; node: string }[] = []
  let node = ''
  const live = connectLive({
    url: '',
    openSocket() {
      node = choose()
      return new WebSocket(`${node.replace(/^http/, 'ws')}/live`) as unknown as Socket
    },
    onStatus: ({ kind }) => void history.push({ status: kind, node }),
  })
  const opened: LiveThread = openThread(
    {
      live,
      api: {
        snapshot: (id) => snapshotOf(choose(), id),
        changes: (id, after) => get(`${choose()}/api/threads/${id}/posts?after=${after}`),
      },
    },
    initial,
  )
  return {
    live,
    get state() {
      return opened.state
    },
    get status() {
      return live.status
    },
    get node() {
      return node
    },
    history,
    close() {
      opened.close()
      live.close()
    },
  }
}

export function snapshotOf(url: string, thread: string): Promise<ThreadSnapshot> {
  return get(`${url}/api/threads/${thread}`)
}

async function get<T>(address: string): Promise<T> {
  const answer = await fetch(address)
  if (!answer.ok) throw new Error(`GET ${address}: ${answer.status} ${await answer.text()}`)
  return (await answer.json()) as T
}

/** What two states must agree on: everything that readers see, but presence. */
export function visible({
  thread,
  posts,
  seq,
}: Pick<ThreadState, 'thread' | 'posts' | 'seq'>): ThreadSnapshot {
  const known = posts.filter((post): post is Post => post !== undefined)
  return { thread, seq, posts: known.toSorted((a, b) => a.number - b.number) }
}

/** Guests that reply in a thread all the time. */
export interface Writers {
  /** What the server acknowledged: the post's number, by clientId. */
  readonly acknowledged: ReadonlyMap<string, number>
  /** How often a request failed and was sent again. */
  readonly retries: () => number
  /** Takes on no new posts, and resolves once every one begun is acknowledged. */
  stop(): Promise<void>
}

/** Each of `count` writers has one post on its way at a time, and sends it under its clientId until it is acknowledged. */
export async function startWriters(
  choose: Choose,
  thread: string,
  count: number,
  pauseMs: number,
): Promise<Writers> {
  const acknowledged = new Map<string, number>()
  let retries = 0
  let stopping = false
  const guests = await Promise.all(Array.from({ length: count }, (_, i) => guest(choose(), `Writer ${i}`)))

  async function write(who: Guest, name: string): Promise<void> {
    for (let round = 0; !stopping; round++) {
      const clientId = `${name}-${round}`
      while (!(await tryToPost(who, clientId))) {
        retries++
        await sleep(50)
      }
      await sleep(pauseMs)
    }
  }

  async function tryToPost(who: Guest, clientId: string): Promise<boolean> {
    try {
      const answer = await fetch(`${choose()}/api/threads/${thread}/posts`, {
        method: 'POST',
        headers: who.headers,
        body: JSON.stringify({ parent: 1, body: `This is ${clientId}`, clientId }),
        signal: AbortSignal.timeout(10_000),
      })
      if (answer.status === 201) {
        const { post } = (await answer.json()) as { post: { number: number } }
        acknowledged.set(clientId, post.number)
        return true
      }
      const text = await answer.text()
      if (answer.status < 500) throw new Refused(`${answer.status} ${text}`)
      return false
    } catch (error) {
      if (error instanceof Refused) throw error
      return false
    }
  }

  const writing = Promise.all(guests.map((who, i) => write(who, `w${i}`)))
  // Awaited in stop(); until then a refusal must not count as unhandled.
  writing.catch(() => undefined)
  return {
    acknowledged,
    retries: () => retries,
    async stop() {
      stopping = true
      await writing
    },
  }
}

/** The server said no, where it had no reason to. */
class Refused extends Error {}
