import * as z from 'zod/mini'
import { limits } from './limits.ts'
import { personaHandle } from './persona.ts'
import { post, postNumber, runId, seqNumber, threadId } from './post.ts'
import { runReport } from './run.ts'
import { thread, threadSummary } from './thread.ts'

/** Text that people wrote: trimmed, not empty, without characters that databases and terminals choke on. */
const text = (max: number) =>
  z.string().check(
    z.overwrite((value: string) => storable(value).trim()),
    z.minLength(1),
    z.maxLength(max),
  )
// NUL, other C0 controls but tab and newlines, and lone surrogates.
// oxlint-disable-next-line no-control-regex -- control characters are what it is about
const unsafe = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]|\p{Surrogate}/gu

// Tags show nothing, so a text of them is read by models alone. Flags of regions are written with a few of them, and their
// beginnings are let be, as a text may come in pieces.
const tags = /(\u{1f3f4}[\u{e0030}-\u{e0039}\u{e0061}-\u{e007a}]{1,6}\u{e007f}?)|[\u{e0000}-\u{e007f}]/gu

/** Text without what databases and terminals choke on, and without the letters that nobody can see. */
export function storable(text: string): string {
  return text.replace(unsafe, '').replace(tags, '$1')
}

/** One line of text: white space folded, bidirectional overrides removed. */
const line = (max: number) =>
  z.string().check(
    z.overwrite((value: string) => storable(value).replace(bidi, '').replace(/\s+/g, ' ').trim()),
    z.minLength(1),
    z.maxLength(max),
  )
const bidi = /[\u200e\u200f\u202a-\u202e\u2066-\u2069]/g

export const displayName = line(limits.nameMax)

export const webUrl = z.string().check(
  z.trim(),
  z.maxLength(limits.urlMax),
  z.refine((value: string) => {
    // The parser passes over control characters, which an address that people see should not hold.
    const url = !/[\s\p{Cc}\p{Surrogate}]/u.test(value) && URL.canParse(value) ? new URL(value) : undefined
    return (
      (url?.protocol === 'https:' || url?.protocol === 'http:') && url.username === '' && url.password === ''
    )
  }, 'must be an http or https address without credentials'),
)

export const createThread = z.strictObject({
  title: line(limits.titleMax),
  body: text(limits.bodyMax),
  url: z.optional(webUrl),
})
export type CreateThread = z.infer<typeof createThread>

/** Chosen by the writer, unique for each post of theirs: sending the same request again makes no second post. */
const clientId = z.string().check(z.regex(/^[\w-]+$/), z.maxLength(limits.clientIdMax))

export const createPost = z.strictObject({
  parent: postNumber,
  body: text(limits.bodyMax),
  clientId,
  quote: z.optional(z.strictObject({ number: postNumber, text: text(limits.quoteMax) })),
})
export type CreatePost = z.infer<typeof createPost>

export const editPost = z.strictObject({
  body: text(limits.bodyMax),
  /** The `seq` of the post that was edited. */
  seq: seqNumber,
})
export type EditPost = z.infer<typeof editPost>

export const changeThread = z.strictObject({
  locked: z.optional(z.boolean()),
  title: z.optional(line(limits.titleMax)),
})
export type ChangeThread = z.infer<typeof changeThread>

/** A single emoji, as Unicode recommends it for interchange. */
export const emoji = z.string().check(z.maxLength(32), z.regex(/^\p{RGI_Emoji}$/v))

/** `thread` is where the text is to stand: `#17` in it is that thread's post. */
export const preview = z.strictObject({ body: text(limits.bodyMax), thread: z.optional(threadId) })

/** Asks a persona to reply to a post. */
export const ask = z.strictObject({
  persona: personaHandle,
  /** What the asker wants of it, in one line. */
  request: z.optional(line(limits.requestMax)),
  /** The last post that the asker had read before: what came later is new to them. */
  since: z.optional(postNumber),
  clientId: z.optional(clientId),
})
export type Ask = z.infer<typeof ask>

/** Names the run, so that a stale button cannot stop a newer one. */
export const stop = z.strictObject({ run: runId })

/** An agent outside begins a reply whose text it sends piece by piece. */
export const beginPost = z.strictObject({ parent: postNumber, state: z.literal('streaming'), clientId })
export type BeginPost = z.infer<typeof beginPost>

export const newPost = z.discriminatedUnion('state', [
  z.extend(createPost, { state: z.optional(z.literal('complete')) }),
  beginPost,
])

/** A piece of such a reply. `at` is where it begins, in UTF-16 units; what is there already is passed over. */
export const appendText = z.strictObject({
  run: runId,
  at: seqNumber,
  text: z.string().check(z.minLength(1), z.maxLength(limits.bodyMax)),
})
export type AppendText = z.infer<typeof appendText>

export const finishPost = z.strictObject({
  run: runId,
  state: z._default(z.enum(['complete', 'failed']), 'complete'),
  /** Why it failed, for people. */
  reason: z.optional(line(limits.requestMax)),
})
export type FinishPost = z.infer<typeof finishPost>

// Answers.

export const threadPage = z.object({ threads: z.array(threadSummary), next: z.nullable(z.string()) })
export type ThreadPage = z.infer<typeof threadPage>

/** A thread whole, or what changed in it since a seq. `seq` is where the thread stood when it was read. */
export const threadSnapshot = z.object({ thread, posts: z.array(post), seq: seqNumber })
export type ThreadSnapshot = z.infer<typeof threadSnapshot>

export const postAnswer = z.object({ post })
export type PostAnswer = z.infer<typeof postAnswer>

/** A post that was written, and what became of the AI participants that it names. */
export const replyAnswer = z.object({
  post,
  asked: z.optional(
    z.array(
      z.object({ persona: personaHandle, code: z.optional(z.string()), message: z.optional(z.string()) }),
    ),
  ),
})
export type ReplyAnswer = z.infer<typeof replyAnswer>

export const runAnswer = z.object({ run: runReport })

/** How long the text of a reply is now, in UTF-16 units. */
export const lengthAnswer = z.object({ length: z.int() })
