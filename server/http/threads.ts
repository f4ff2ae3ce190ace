import * as z from 'zod/mini'
import { Problem } from '../../shared/errors.ts'
import {
  changeThread as changeSchema,
  createThread as createSchema,
  threadPage,
  threadSnapshot,
} from '../../shared/http.ts'
import { seqNumber, threadId } from '../../shared/post.ts'
import { thread } from '../../shared/thread.ts'
import type { Heads } from '../live/heads.ts'
import type { ThreadParts } from '../threads/parts.ts'
import { changeThread, createThread, getThreads } from '../threads/threads.ts'
import type { Ctx } from './context.ts'
import { encodingFor } from './encoding.ts'
import { etagOf, isKnown } from './etag.ts'
import { route, type Route } from './route.ts'
import { sendPacked, sendUnchanged } from './send.ts'
import type { Snapshots } from './snapshots.ts'

export function threadRoutes(parts: ThreadParts & { snapshots: Snapshots; heads: Heads }): Route[] {
  const { snapshots, heads } = parts

  /** Answers 304 where the client has this version already; the whole text need not be read for that. */
  async function conditional(c: Ctx, thread: string, after: number): Promise<Response> {
    const head = await heads.of(thread)
    if (head === undefined) throw new Problem('thread-not-found')
    const headers = (seq: number) => ({ etag: etagOf(thread, seq), 'cache-control': 'no-cache' })
    if (isKnown(c.req.header('if-none-match'), etagOf(thread, head))) return sendUnchanged(c, headers(head))
    const json = await snapshots.read({ thread, after: after > head ? 0 : after, head }, encodingFor(c))
    return sendPacked(c, json, { 'content-type': 'application/json', ...headers(json.seq) })
  }

  return [
    route({
      method: 'get',
      path: '/api/threads',
      summary: 'Threads, most recent activity first, a page at a time',
      query: { cursor: z.optional(z.string().check(z.maxLength(200))) },
      status: 200,
      answer: threadPage,
      problems: ['bad-request'],
      limit: 'read',
      handle: ({ query }) => getThreads(parts, query.cursor),
    }),
    route({
      method: 'post',
      path: '/api/threads',
      summary: 'Opens a thread with its root post',
      body: createSchema,
      status: 201,
      answer: threadSnapshot,
      problems: ['invalid', 'sign-in-required'],
      limit: 'create-thread',
      handle: ({ actor, body }) => createThread(parts, actor, body),
    }),
    route({
      method: 'get',
      path: '/api/threads/:thread',
      summary: 'A thread whole',
      params: { thread: threadId },
      status: 200,
      answer: threadSnapshot,
      problems: ['thread-not-found'],
      limit: 'read',
      handle: ({ params }, c) => conditional(c, params.thread, 0),
    }),
    route({
      method: 'patch',
      path: '/api/threads/:thread',
      summary: 'Locks, unlocks or renames a thread',
      params: { thread: threadId },
      body: changeSchema,
      status: 200,
      answer: z.object({ thread }),
      problems: ['invalid', 'sign-in-required', 'forbidden', 'thread-not-found'],
      limit: 'write',
      handle: async ({ actor, params, body }) => ({
        thread: await changeThread(parts, actor, params.thread, body),
      }),
    }),
    route({
      method: 'get',
      path: '/api/threads/:thread/posts',
      summary: 'What changed in a thread since a seq: each changed post once, as it is now',
      params: { thread: threadId },
      query: { after: z._default(z.coerce.number().check(z.int(), z.gte(0)), 0) },
      status: 200,
      answer: threadSnapshot,
      problems: ['invalid', 'thread-not-found'],
      limit: 'read',
      handle: ({ params, query }, c) => conditional(c, params.thread, seqNumber.parse(query.after)),
    }),
  ]
}
