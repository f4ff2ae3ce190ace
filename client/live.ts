import type { Down, Up } from '../shared/live.ts'
import { limits } from '../shared/limits.ts'
import { protocolVersion } from '../shared/protocol.ts'
import { createAliases } from './aliases.ts'
import { readFrame } from './frames.ts'
import { createWatchdog, retryDelay } from './reconnect.ts'
import { systemTimers, type Timers } from './timers.ts'

/** What is used of a WebSocket; the browser's and Node's `ws` both have it. */
export interface Socket {
  onopen: ((event: never) => void) | null
  onmessage: ((event: never) => void) | null
  onclose: ((event: never) => void) | null
  onerror: ((event: never) => void) | null
  send(data: string): void
  close(): void
}

/** `until` is when the next try comes, in milliseconds since 1970. */
export type LiveStatus =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'live' }
  | { readonly kind: 'waiting'; readonly until: number }
  | { readonly kind: 'offline' }
  | { readonly kind: 'stopped'; readonly why: 'protocol' | 'closed' }

export type LiveError = Extract<Down, { type: 'error' }>

/** Who listens to one thread. */
export interface Room {
  /** The seq up to which everything is known. */
  after(): number
  /** The replies whose text is known in part, and up to where. */
  have?(): { run: string; at: number }[]
  /** Whether others should not see this reader among the thread's viewers. */
  readonly quiet?: boolean
  /** The thread may not be there yet: the server is to wait for it. */
  readonly expected?: boolean
  /** The thread's messages of one frame, in order. */
  receive(messages: readonly Down[]): void
}

export interface LiveParts {
  /** Address of the live endpoint, `ws:` or `wss:`. */
  url: string
  /** Nothing is opened before the first `wake`. */
  paused?: boolean
  openSocket?: (url: string) => Socket
  timers?: Timers
  random?: () => number
  onStatus?: (status: LiveStatus) => void
  onError?: (error: LiveError) => void
  /** Something threw while it handled a message; the connection goes on. */
  onFault?: (fault: unknown) => void
}

export interface Live {
  readonly status: LiveStatus
  /** Listens to a thread from now on, over every reconnect. */
  join(thread: string, room: Room): void
  /** Asks again for what changed since the room's `after`. */
  rejoin(thread: string): void
  leave(thread: string): void
  /** Sends a message when the connection stands; says whether it did. */
  send(message: Up): boolean
  /** Signs the connection in with a bearer token, now and after each reconnect. */
  authenticate(token: string): void
  /** Opens a new connection, for instance because the cookies have changed. */
  reconnect(): void
  /** The network may be back, or the page is looked at again: tries at once, and drops a connection that has gone quiet. */
  wake(): void
  /** There is no network: waits for `wake`. */
  pause(): void
  close(): void
}

const welcomeMs = 10_000

/** Opens the live connection and keeps it open until `close`. */
export function connectLive(parts: LiveParts): Live {
  const { url, timers = systemTimers, random = Math.random } = parts
  const openSocket = parts.openSocket ?? ((address: string) => new WebSocket(address) as Socket)
  const rooms = new Map<string, Room>()
  /** Threads that are asked for again in a while. */
  const later = new Set<string>()
  const watchdog = createWatchdog(timers, silent)
  let status: LiveStatus = { kind: parts.paused === true ? 'offline' : 'connecting' }
  let socket: Socket | undefined
  let token: string | undefined
  let attempt = 0
  let retry: unknown
  /** The server said goodbye and when to come back. */
  let invited: number | undefined
  let heardAt = 0
  let heartbeat = 0
  let aliases = createAliases()

  function silent(): void {
    // The server speaks of joined threads; to who has joined none it has nothing to say.
    if (status.kind === 'live' && rooms.size === 0) watchdog.heard()
    else lost()
  }

  function become(next: LiveStatus): void {
    status = next
    parts.onStatus?.(next)
  }

  function open(): void {
    timers.clear(retry)
    drop()
    become({ kind: 'connecting' })
    try {
      const opened = openSocket(url)
      socket = opened
      aliases = createAliases()
      opened.onmessage = (event: { data: unknown }) => receive(event.data)
      opened.onclose = () => lost()
      opened.onerror = () => {}
      watchdog.heard(welcomeMs)
    } catch (fault) {
      parts.onFault?.(fault)
      lost()
    }
  }

  /** Lets go of the socket; nothing it still says is heard. */
  function drop(): void {
    watchdog.stop()
    const old = socket
    socket = undefined
    if (old === undefined) return
    old.onmessage = null
    old.onclose = null
    old.close()
  }

  function lost(): void {
    drop()
    const delay = invited ?? retryDelay(attempt, random)
    attempt++
    invited = undefined
    become({ kind: 'waiting', until: timers.now() + delay })
    retry = timers.set(open, delay)
  }

  function stop(why: 'protocol' | 'closed'): void {
    timers.clear(retry)
    drop()
    become({ kind: 'stopped', why })
  }

  function receive(data: unknown): void {
    heardAt = timers.now()
    watchdog.heard()
    const batches = new Map<string, Down[]>()
    for (const said of readFrame(data)) {
      const message = aliases.resolve(said)
      if (message === undefined) continue
      if (isControl(message)) control(message)
      else if (batches.has(message.thread)) batches.get(message.thread)?.push(message)
      else batches.set(message.thread, [message])
    }
    for (const [thread, batch] of batches) guarded(() => rooms.get(thread)?.receive(batch))
  }

  function control(message: Control): void {
    switch (message.type) {
      case 'welcome':
        return welcomed(message.protocol, message.heartbeat)
      case 'goodbye':
        // It is the server's word and not worth doubling the wait for; a little chance is in it already.
        invited = Math.max(0, message.retryMs)
        attempt = 0
        return
      case 'error':
        if (message.thread !== undefined && message.retryMs !== undefined)
          askLater(message.thread, message.retryMs)
        return guarded(() => parts.onError?.(message))
    }
  }

  function welcomed(protocol: number, ms: number): void {
    if (protocol !== protocolVersion) return stop('protocol')
    heartbeat = ms
    watchdog.heard(2 * ms)
    attempt = 0
    if (token !== undefined) put({ type: 'auth', token })
    for (const thread of rooms.keys()) ask(thread)
    become({ kind: 'live' })
  }

  function ask(thread: string): void {
    const room = rooms.get(thread)
    if (room === undefined) return
    const have = room.have?.() ?? []
    put({
      type: 'join',
      thread,
      after: room.after(),
      brief: true,
      ...(room.quiet && { quiet: true }),
      ...(room.expected && { expected: true }),
      ...(have.length > 0 && { have: have.slice(0, limits.streamsNamed) }),
    })
  }

  /**
   * A thread could not be joined for now, or the text of its replies not be had. As with reconnects, a part of the wait is
   * chance. Several refusals are answered by one join.
   */
  function askLater(thread: string, ms: number): void {
    if (later.has(thread)) return
    later.add(thread)
    const askAgain = () => {
      later.delete(thread)
      if (status.kind === 'live') ask(thread)
    }
    timers.set(askAgain, ms / 2 + (random() * ms) / 2)
  }

  function put(message: Up): boolean {
    try {
      socket?.send(JSON.stringify(message))
      return socket !== undefined
    } catch {
      return false
    }
  }

  function guarded(run: () => void): void {
    try {
      run()
    } catch (fault) {
      parts.onFault?.(fault)
    }
  }

  if (parts.paused !== true) open()

  return {
    get status() {
      return status
    },
    join(thread, room) {
      rooms.set(thread, room)
      if (status.kind === 'live') ask(thread)
    },
    rejoin(thread) {
      if (status.kind === 'live') ask(thread)
    },
    leave(thread) {
      if (rooms.delete(thread) && status.kind === 'live') put({ type: 'leave', thread })
    },
    send: (message) => status.kind === 'live' && put(message),
    authenticate(next) {
      token = next
      if (status.kind === 'live') put({ type: 'auth', token })
    },
    reconnect() {
      if (status.kind === 'stopped') return
      attempt = 0
      open()
    },
    wake() {
      const quiet = status.kind === 'live' && timers.now() - heardAt > 2 * heartbeat
      if (status.kind === 'waiting' || status.kind === 'offline' || quiet) open()
    },
    pause() {
      if (status.kind === 'stopped') return
      timers.clear(retry)
      drop()
      become({ kind: 'offline' })
    },
    close: () => stop('closed'),
  }
}

type Control = Extract<Down, { type: 'welcome' | 'goodbye' | 'error' }>
type More = Extract<Down, { type: 'more' }>

function isControl(message: Exclude<Down, More>): message is Control {
  return message.type === 'welcome' || message.type === 'goodbye' || message.type === 'error'
}
