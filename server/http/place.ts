import * as z from 'zod/mini'
import { postNumber, threadId } from '../../shared/post.ts'

/** The post that a path names. */
export const place = { thread: threadId, number: z.pipe(z.coerce.number(), postNumber) }

/** What may be wrong with it, for who wants to change something there. */
export const placeProblems = [
  'sign-in-required',
  'thread-not-found',
  'post-not-found',
  'post-deleted',
  'thread-locked',
] as const
