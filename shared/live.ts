import * as z from 'zod/mini'
import { limits } from './limits.ts'
import { post, postNumber, runId, seqNumber, threadId } from './post.ts'
import { thread } from './thread.ts'

// Up: from the client.

/**
 * With `quiet`, the client follows the thread without being one of its viewers: a list of threads does. `have` names the
 * AI replies whose text it knows in part, and up to which UTF-16 unit; the answer goes on from there. With `brief`, it
 * takes `more` in the place of most `delta` messages. With `expected`, the thread may not be there yet: the client, which
 * has nothing of it (`after` is 0), is told of it when it comes.
 */
export const join = z.strictObject({
  type: z.literal('join'),
  thread: threadId,
  after: seqNumber,
  quiet: z.optional(z.boolean()),
  have: z.optional(
    z.array(z.strictObject({ run: runId, at: seqNumber })).check(z.maxLength(limits.streamsNamed)),
  ),
  brief: z.optional(z.boolean()),
  expected: z.optional(z.boolean()),
})
export const leave = z.strictObject({ type: z.literal('leave'), thread: threadId })
/** Someone writes a reply to `parent`; null says that they stopped. */
export const typing = z.strictObject({
  type: z.literal('typing'),
  thread: threadId,
  parent: z.nullable(postNumber),
})
/** Asks for the text so far of a run, from the UTF-16 unit `at` on or from its beginning. A `delta` answers. */
export const text = z.strictObject({
  type: z.literal('text'),
  thread: threadId,
  post: postNumber,
  run: runId,
  at: z.optional(seqNumber),
})
/** A new bearer token for this socket; an empty one signs it out. */
export const auth = z.strictObject({ type: z.literal('auth'), token: z.string().check(z.maxLength(4096)) })

export const up = z.discriminatedUnion('type', [join, leave, typing, text, auth])
export type Up = z.infer<typeof up>

// Down: from the server.

export const welcome = z.object({
  type: z.literal('welcome'),
  protocol: z.int(),
  node: z.string(),
  /** Milliseconds: the server says something at least this often. */
  heartbeat: z.int(),
})

/** What changed since `after`, to be applied as a whole. With `behind`, the difference is too large: fetch it over HTTP. */
export const joined = z.object({
  type: z.literal('joined'),
  thread: threadId,
  after: seqNumber,
  seq: seqNumber,
  posts: z.array(post),
  /** The thread itself, where it changed since `after`. */
  info: z.optional(thread),
  behind: z.optional(z.boolean()),
  viewers: z.int(),
  /** Replies that are being written: their text so far, from the UTF-16 unit `at` on (from the beginning without it). */
  streams: z.array(
    z.object({
      post: postNumber,
      run: runId,
      at: z.optional(z.int()),
      text: z.string(),
      as: z.optional(z.int()),
    }),
  ),
})
export type Joined = z.infer<typeof joined>

export const postChanged = z.object({ type: z.literal('post'), thread: threadId, seq: seqNumber, post })
export type PostChanged = z.infer<typeof postChanged>

/** The thread itself changed: all of it but its id, which is `thread`. */
export const threadChanged = z.extend(z.omit(thread, { id: true }), {
  type: z.literal('thread'),
  thread: threadId,
  seq: seqNumber,
})
export type ThreadChanged = z.infer<typeof threadChanged>

/** A piece of a reply that is being written. It takes no seq: the final text comes with one. */
export const delta = z.object({
  type: z.literal('delta'),
  thread: threadId,
  post: postNumber,
  run: runId,
  /** Where `text` begins, in UTF-16 units. */
  at: z.int(),
  text: z.string(),
  /** How `more` calls this reply on this socket. */
  as: z.optional(z.int()),
})
export type Delta = z.infer<typeof delta>

/** A `delta` in few bytes, for a reply that was named on this socket before. */
export const more = z.object({ type: z.literal('more'), as: z.int(), at: z.int(), text: z.string() })

export const typist = z.object({ id: z.string(), name: z.string(), parent: postNumber })
export type Typist = z.infer<typeof typist>

export const presence = z.object({
  type: z.literal('presence'),
  thread: threadId,
  viewers: z.int(),
  typing: z.array(typist),
})
export type Presence = z.infer<typeof presence>

/** Where the thread stands: sent when nothing else was, so that silence means a dead socket. */
export const head = z.object({ type: z.literal('head'), thread: threadId, seq: seqNumber })

/** The server is about to close; come back in `retryMs`. */
export const goodbye = z.object({ type: z.literal('goodbye'), retryMs: z.int() })

export const error = z.object({
  type: z.literal('error'),
  code: z.string(),
  message: z.string(),
  retryMs: z.optional(z.int()),
  /** The thread that could not be joined, where it is about one. */
  thread: z.optional(z.string()),
})

export const down = z.discriminatedUnion('type', [
  welcome,
  joined,
  postChanged,
  threadChanged,
  delta,
  more,
  presence,
  head,
  goodbye,
  error,
])
export type Down = z.infer<typeof down>
