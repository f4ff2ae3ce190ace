import * as z from 'zod/mini'
import { author, linkEmbed, seqNumber, threadId } from './post.ts'

/** A thread without its posts. `card` is the preview of the page under discussion. */
export const thread = z.object({
  id: threadId,
  title: z.string(),
  url: z.nullable(z.string()),
  card: z.nullable(linkEmbed),
  locked: z.boolean(),
  createdAt: z.string(),
})
export type Thread = z.infer<typeof thread>

/** A thread as the front page shows it. `posts` counts all that are not deleted, the root included. */
export const threadSummary = z.extend(thread, {
  seq: seqNumber,
  posts: z.int(),
  author,
  excerpt: z.string(),
  lastActivityAt: z.string(),
  /** Who takes part: the first few of each, and how many there are. */
  participants: z.object({ people: z.array(author), peopleCount: z.int(), ai: z.array(author) }),
})
export type ThreadSummary = z.infer<typeof threadSummary>
