import * as z from 'zod/mini'
import { limits } from './limits.ts'
import { lastPostNumber, threadIdPattern } from './post-names.ts'

/** Ids of threads: ten characters of base 58 (no 0, O, I, l). */
export const threadId = z.string().check(z.regex(threadIdPattern))

/** A post's number in its thread, from 1. */
export const postNumber = z.int().check(z.gte(1), z.lte(lastPostNumber))

/** A thread's version; 0 is "before anything". */
export const seqNumber = z.int().check(z.gte(0))

/** One generation of an AI reply. */
export const runId = z.string().check(z.minLength(1), z.maxLength(limits.runIdMax))

export const authorKind = z.enum(['person', 'guest', 'ai'])

/** `picture` is one emoji, shown in the place of initials; only AI authors have one. */
export const author = z.object({
  id: z.string(),
  name: z.string(),
  kind: authorKind,
  picture: z.optional(z.string()),
})
export type Author = z.infer<typeof author>

export const postState = z.enum(['complete', 'streaming', 'interrupted', 'stopped', 'failed', 'deleted'])
export type PostState = z.infer<typeof postState>

/** A passage of another post of the same thread. `text` is null once that post is deleted. */
export const quote = z.object({ number: postNumber, text: z.nullable(z.string()) })
export type Quote = z.infer<typeof quote>

/** One emoji under a post: how many chose it, and the ids of the first `limits.reactorsListed` of them. */
export const reaction = z.object({ emoji: z.string(), count: z.int(), by: z.array(z.string()) })
export type Reaction = z.infer<typeof reaction>

/** What is known of a linked page. `image` is a path on this server, never the page's own address. */
export const linkEmbed = z.object({
  kind: z.literal('link'),
  url: z.string(),
  state: z.enum(['pending', 'found', 'missing']),
  title: z.optional(z.string()),
  site: z.optional(z.string()),
  description: z.optional(z.string()),
  image: z.optional(z.string()),
})
export type LinkEmbed = z.infer<typeof linkEmbed>

/** A live quote of another post (`number`) or of a thread's root, as that post is now. */
export const postEmbed = z.object({
  kind: z.literal('post'),
  thread: z.string(),
  number: postNumber,
  state: z.enum(['found', 'missing']),
  title: z.optional(z.string()),
  author: z.optional(author),
  excerpt: z.optional(z.string()),
})
export type PostEmbed = z.infer<typeof postEmbed>

export const embed = z.discriminatedUnion('kind', [linkEmbed, postEmbed])
export type Embed = z.infer<typeof embed>

/**
 * One message of a thread, as every reader gets it. `html` is safe to show as it is; where it has
 * `<p class="embed" data-embed="N">…</p>` at its top level, `embeds[N]` says what to show there.
 * A deleted post has an empty `html`, no quote, no embeds and no reactions. One that is `streaming` has an empty `html`
 * too: its text so far comes by the live connection.
 */
export const post = z.object({
  number: postNumber,
  parent: z.nullable(postNumber),
  author,
  html: z.string(),
  body: z.optional(z.string()),
  state: postState,
  createdAt: z.string(),
  editedAt: z.nullable(z.string()),
  quote: z.nullable(quote),
  reactions: z.array(reaction),
  embeds: z.optional(z.array(embed)),
  seq: seqNumber,
  clientId: z.optional(z.string().check(z.maxLength(limits.clientIdMax))),
  /** Of an AI reply: the generation that writes or wrote it. */
  run: z.optional(runId),
  /** Of an AI reply: who asked for it, and with which words of their own. */
  asker: z.optional(author),
  request: z.optional(z.string()),
  /** Why an AI reply ended early, for people. */
  reason: z.optional(z.string()),
})
export type Post = z.infer<typeof post>
