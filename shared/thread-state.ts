import type { Delta, Joined, PostChanged, Presence, ThreadChanged, Typist, Down } from './live.ts'
import { limits } from './limits.ts'
import type { Post } from './post.ts'
import type { ThreadSnapshot } from './http.ts'
import type { Thread } from './thread.ts'

/**
 * What a client knows of one thread. `posts[n - 1]` is post n. The state is current when `seq === head`;
 * otherwise something is missing, and the client asks for what changed after `seq`.
 */
export interface ThreadState {
  readonly thread: Thread
  /** The version that `posts` and `thread` show. */
  readonly seq: number
  /** The newest version known to exist. */
  readonly head: number
  /** The difference is too large for the socket: it is to be fetched over HTTP. */
  readonly behind: boolean
  readonly posts: readonly (Post | undefined)[]
  /** Changes that came before an older one did, by seq. */
  readonly held: ReadonlyMap<number, Change>
  readonly viewers: number
  readonly typing: readonly Typist[]
  /** AI replies that are being written, by post number. */
  readonly streams: ReadonlyMap<number, Stream>
}

/** A reply's text so far. `torn`: a piece is missing after it, and is to be asked for. */
export interface Stream {
  readonly run: string
  readonly text: string
  readonly torn: boolean
}

type Change = PostChanged | ThreadChanged

/** A snapshot as the state of a client that has just opened the thread. */
export function fromSnapshot({ thread, posts, seq }: ThreadSnapshot): ThreadState {
  const numbered: (Post | undefined)[] = []
  for (const post of posts) numbered[post.number - 1] = post
  return {
    thread,
    seq,
    head: seq,
    behind: false,
    posts: numbered,
    held: new Map(),
    viewers: 0,
    typing: [],
    streams: new Map(),
  }
}

/** The next state after one message of the server. Messages of other threads, and ones already applied, change nothing. */
export function apply(state: ThreadState, message: Down): ThreadState {
  if (!('thread' in message) || message.thread !== state.thread.id) return state
  switch (message.type) {
    case 'post':
    case 'thread':
      return dropEnded(receive(state, message), state)
    case 'joined':
      return joinStreams({ ...dropEnded(catchUp(state, message), state), viewers: message.viewers }, message)
    case 'head':
      return message.seq > state.head ? { ...state, head: message.seq } : state
    case 'presence':
      return present(state, message)
    case 'delta':
      return grow(state, message)
    case 'error':
      return state
  }
}

/** What changed since a seq, as the HTTP API answers it. */
export function applyChanges(state: ThreadState, after: number, changes: ThreadSnapshot): ThreadState {
  // The server stands before this client: it was restored from an older copy. Its word is the truth.
  if (changes.seq < after) return { ...fromSnapshot(changes), viewers: state.viewers, typing: state.typing }
  return dropEnded(
    catchUp(state, { after, seq: changes.seq, posts: changes.posts, info: changes.thread }),
    state,
  )
}

/** Whether something is known to be missing. */
export function isMissing(state: ThreadState): boolean {
  return state.behind || state.seq < state.head
}

/** Puts a piece of a reply where it belongs: at the end of its text. What is known of it already is passed over. */
function grow(
  state: ThreadState,
  { post: number, run, at, text }: Omit<Delta, 'type' | 'thread'>,
): ThreadState {
  const post = state.posts[number - 1]
  // Its final text has overtaken it, or it is the text of a run that this post never had.
  if (post !== undefined && (post.state !== 'streaming' || post.run !== run)) return state
  const known = state.streams.get(number)
  const before = known?.run === run ? known : { run, text: '', torn: false }
  const length = before.text.length
  if (at > length) return before.torn ? state : withStream(state, number, { ...before, torn: true })
  if (at + text.length <= length && !(before.torn && at + text.length === length)) return state
  return withStream(state, number, { run, text: before.text + text.slice(length - at), torn: false })
}

function withStream(state: ThreadState, number: number, stream: Stream): ThreadState {
  return { ...state, streams: new Map(state.streams).set(number, stream) }
}

function joinStreams(state: ThreadState, { streams }: Joined): ThreadState {
  let next = state
  for (const { at = 0, ...stream } of streams) next = grow(next, { ...stream, at })
  return next
}

/** Forgets the text of replies that have ended: their post has it. */
function dropEnded(state: ThreadState, before: ThreadState): ThreadState {
  if (state.posts === before.posts || state.streams.size === 0) return state
  const left = [...state.streams].filter(([number, { run }]) => {
    const post = state.posts[number - 1]
    return post === undefined || (post.state === 'streaming' && post.run === run)
  })
  return left.length === state.streams.size ? state : { ...state, streams: new Map(left) }
}

function present(state: ThreadState, { viewers, typing }: Presence): ThreadState {
  return { ...state, viewers, typing }
}

function receive(state: ThreadState, change: Change): ThreadState {
  if (change.seq <= state.seq) return state
  const head = Math.max(state.head, change.seq)
  if (change.seq === state.seq + 1) return settle({ ...write(state, [change], change.seq), head })
  // One that finds no room is asked for again: `head` remembers it.
  if (state.held.size >= limits.heldMessages) return { ...state, head }
  return { ...state, head, held: new Map(state.held).set(change.seq, change) }
}

type CatchUp = Pick<Joined, 'after' | 'seq' | 'posts' | 'info' | 'behind'>

function catchUp(state: ThreadState, message: CatchUp): ThreadState {
  const head = Math.max(state.head, message.seq)
  if (message.behind === true) return { ...state, head, behind: true }
  if (message.after > state.seq) return { ...state, head }
  if (message.seq < state.seq) return state
  const posts = state.posts.slice()
  for (const post of message.posts) put(posts, post)
  const thread = message.info ?? state.thread
  return settle({ ...state, posts, thread, seq: message.seq, head, behind: false })
}

/** Applies held changes for as long as the next one is there, and forgets those that were overtaken. */
function settle(state: ThreadState): ThreadState {
  if (state.held.size === 0) return state
  const held = new Map([...state.held].filter(([seq]) => seq > state.seq))
  const ready: Change[] = []
  for (let next = held.get(state.seq + 1); next !== undefined; next = held.get(next.seq + 1)) {
    ready.push(next)
    held.delete(next.seq)
  }
  return { ...write(state, ready, state.seq + ready.length), held }
}

function write(state: ThreadState, changes: readonly Change[], seq: number): ThreadState {
  const posts = state.posts.slice()
  let thread = state.thread
  for (const change of changes) {
    if (change.type === 'post') put(posts, change.post)
    else thread = threadOf(change)
  }
  return { ...state, posts, thread, seq }
}

/** The thread as a `thread` message tells it. */
export function threadOf({ type: _, thread: id, seq: _seq, ...rest }: ThreadChanged): Thread {
  return { id, ...rest }
}

function put(posts: (Post | undefined)[], post: Post): void {
  const known = posts[post.number - 1]
  if (known === undefined || known.seq <= post.seq) posts[post.number - 1] = post
}

/** How many posts the thread shows as its size: all that are not deleted. */
export function countPosts(state: Pick<ThreadState, 'posts'>): number {
  let count = 0
  for (const post of state.posts) if (post !== undefined && post.state !== 'deleted') count++
  return count
}

/** Which part of a thread is shown, and in which order. Without anything: all of it, oldest first. */
export interface TreeView {
  /** One branch only: that of this post. */
  readonly branch?: number | undefined
  /** Without the post at its top: the replies to that stand leftmost. */
  readonly headless?: boolean | undefined
  /** The replies to its top newest first. Further down they stay in the order of a conversation. */
  readonly newestFirst?: boolean | undefined
}

/** A post in its place in the tree. */
export interface Row {
  readonly post: Post
  /** 0 for what stands leftmost. */
  readonly depth: number
  /** How many posts are shown beneath it, at any depth. */
  readonly descendants: number
}

/**
 * The tree in reading order: each post is followed by its replies, oldest first. A deleted post stands in it
 * only while something is shown beneath it.
 */
export function treeRows(posts: readonly (Post | undefined)[], view: TreeView = {}): Row[] {
  const { branch = 1, headless = false, newestFirst = false } = view
  const children = new Map<number, Post[]>()
  const shown = new Int32Array(posts.length + 1)
  // A parent's number is lower than its replies', so one pass from the end counts every branch.
  for (let i = posts.length - 1; i >= 0; i--) {
    const post = posts[i]
    if (post === undefined) continue
    const visible = post.state !== 'deleted' || shown[post.number]! > 0
    if (!visible || post.parent === null) continue
    shown[post.parent]! += shown[post.number]! + (post.state === 'deleted' ? 0 : 1)
    const siblings = children.get(post.parent)
    if (siblings) siblings.push(post)
    else children.set(post.parent, [post])
  }
  const top = posts[branch - 1]
  if (top === undefined || (top.state === 'deleted' && shown[branch] === 0)) return []
  // Children were collected from the end, newest first, so that the oldest is pushed last and taken first.
  if (newestFirst) children.get(branch)?.reverse()
  const rows: Row[] = []
  const open: { post: Post; depth: number }[] = [{ post: top, depth: headless ? -1 : 0 }]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { post, depth } = next
    if (depth >= 0) rows.push({ post, depth, descendants: shown[post.number]! })
    for (const child of children.get(post.number) ?? []) open.push({ post: child, depth: depth + 1 })
  }
  return rows
}
