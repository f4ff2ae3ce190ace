import { Problem } from '../../shared/errors.ts'
import { editPost, emoji, newPost, postAnswer, replyAnswer } from '../../shared/http.ts'
import { threadId } from '../../shared/post.ts'
import { begin } from '../ai/agents.ts'
import { replyAndAsk } from '../ai/mentions.ts'
import type { Heads } from '../live/heads.ts'
import { readBody, readHeads, readPost } from '../store/read.ts'
import { edit, react, remove } from '../threads/posts.ts'
import { place, placeProblems } from './place.ts'
import { route, type Route } from './route.ts'
import { admitting, type RunRouteParts } from './runs.ts'

export function postRoutes(parts: RunRouteParts & { heads: Pick<Heads, 'told'> }): Route[] {
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
      summary:
        'Replies, and asks the AI participants that the text names. With state "streaming", an agent begins a reply ' +
        'whose text it sends piece by piece. The same clientId again returns the first post',
      params: { thread: threadId },
      body: newPost,
      status: 201,
      answer: replyAnswer,
      problems: [
        'invalid',
        'forbidden',
        ...placeProblems,
        'quote-mismatch',
        'ai-loop',
        'ai-budget',
        'ai-busy',
      ],
      limit: 'write',
      async handle({ actor, params: { thread }, body }, c) {
        if (body.state === 'streaming') return { post: await begin(parts, actor, thread, body) }
        const { state: _, ...post } = body
        const answer = await replyAndAsk({ ...parts, ...admitting(parts, c) }, actor, thread, post)
        // A request that is repeated may have been answered by another node the first time.
        parts.heads.told(thread, answer.post.seq)
        return answer
      },
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
