import * as z from 'zod/mini'
import { Problem } from '../../shared/errors.ts'
import { createPost, editPost, emoji, postAnswer } from '../../shared/http.ts'
import { postNumber, threadId } from '../../shared/post.ts'
import { readBody, readHeads, readPost } from '../store/read.ts'
import type { ThreadParts } from '../threads/parts.ts'
import { edit, react, remove, reply } from '../threads/posts.ts'
import { route, type Route } from './route.ts'

const number = z.pipe(z.coerce.number(), postNumber)
const place = { thread: threadId, number }
const placeProblems = [
  'sign-in-required',
  'thread-not-found',
  'post-not-found',
  'post-deleted',
  'thread-locked',
] as const

export function postRoutes(parts: ThreadParts): Route[] {
  const { db } = parts
  const setReaction = (method: 'put' | 'delete', on: boolean) =>
    route({
      method,
      path: '/api/threads/:thread/posts/:number/reactions/:emoji',
      summary: on ? 'Sets your reaction to a post' : 'Takes your reaction back',
      params: { ...place, emoji },
      status: 200,
      answer: postAnswer,
      problems: [...placeProblems, 'too-many-reactions'],
      limit: 'react',
      handle: async ({ actor, params }) => ({
        post: await react(parts, actor, params, { emoji: params.emoji, on }),
      }),
    })

  return [
    route({
      method: 'post',
      path: '/api/threads/:thread/posts',
      summary: 'Replies. The same clientId again returns the first post',
      params: { thread: threadId },
      body: createPost,
      status: 201,
      answer: postAnswer,
      problems: ['invalid', ...placeProblems, 'quote-mismatch'],
      limit: 'write',
      handle: async ({ actor, params, body }) => ({ post: await reply(parts, actor, params.thread, body) }),
    }),
    route({
      method: 'get',
      path: '/api/threads/:thread/posts/:number',
      summary: 'A post with its Markdown source',
      params: place,
      status: 200,
      answer: postAnswer,
      problems: ['thread-not-found', 'post-not-found'],
      limit: 'read',
      handle: async ({ params }) => {
        const post = await readPost(db, params.thread, params.number)
        const body = await readBody(db, params.thread, params.number)
        if (post === undefined || body === undefined) {
          const { size } = await readHeads(db, [params.thread])
          throw new Problem(size === 0 ? 'thread-not-found' : 'post-not-found')
        }
        return { post: { ...post, body } }
      },
    }),
    route({
      method: 'patch',
      path: '/api/threads/:thread/posts/:number',
      summary: 'Replaces the text of a post that nobody changed since `seq`',
      params: place,
      body: editPost,
      status: 200,
      answer: postAnswer,
      problems: ['invalid', 'forbidden', ...placeProblems, 'edit-conflict'],
      limit: 'write',
      handle: async ({ actor, params, body }) => ({ post: await edit(parts, actor, params, body) }),
    }),
    route({
      method: 'delete',
      path: '/api/threads/:thread/posts/:number',
      summary: "Takes a post's text away; the post stays as a tombstone while it has replies",
      params: place,
      status: 200,
      answer: postAnswer,
      problems: ['forbidden', ...placeProblems],
      limit: 'write',
      handle: async ({ actor, params }) => ({ post: await remove(parts, actor, params) }),
    }),
    setReaction('put', true),
    setReaction('delete', false),
  ]
}
