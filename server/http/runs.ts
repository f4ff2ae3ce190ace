import {
  appendText,
  ask as askSchema,
  finishPost,
  lengthAnswer,
  postAnswer,
  runAnswer,
  stop as stopSchema,
} from '../../shared/http.ts'
import { append, finish } from '../ai/agents.ts'
import { ask, type AskParts } from '../ai/ask.ts'
import { reportRun } from '../ai/report.ts'
import { stop } from '../ai/stop.ts'
import type { Actor } from '../threads/access.ts'
import type { Ctx } from './context.ts'
import { place, placeProblems } from './place.ts'
import type { RateLimits } from './rate-limits.ts'
import { route, type Route } from './route.ts'

export interface RunRouteParts extends Omit<AskParts, 'admit' | 'address'> {
  readonly rates: RateLimits
}

/** Counts asks by person, and those of guests by address too: a guest is quickly made anew. */
export function admitting({ rates }: Pick<RunRouteParts, 'rates'>, c: Ctx) {
  const address = c.get('address')
  return {
    address,
    async admit({ id, kind }: Actor): Promise<void> {
      await rates.take('ask', id)
      if (kind === 'guest') await rates.take('guest-asks', address)
    },
  }
}

/** Asking AI participants, and what becomes of it. */
export function runRoutes(parts: RunRouteParts): Route[] {
  const path = '/api/threads/:thread/posts/:number'
  return [
    route({
      method: 'post',
      path: `${path}/ask`,
      summary: 'Asks an AI participant to reply to a post. The answer is the post that it writes',
      params: place,
      body: askSchema,
      status: 202,
      answer: postAnswer,
      problems: [
        ...placeProblems,
        'forbidden',
        'persona-not-found',
        'ai-loop',
        'ai-budget',
        'ai-busy',
        'unavailable',
      ],
      limit: 'write',
      handle: async ({ actor, params, body }, c) => ({
        post: await ask({ ...parts, ...admitting(parts, c) }, actor, params, body),
      }),
    }),
    route({
      method: 'post',
      path: `${path}/stop`,
      summary: 'Stops an AI reply that is being written; what it has of text is kept',
      params: place,
      body: stopSchema,
      status: 202,
      answer: postAnswer,
      problems: ['sign-in-required', 'forbidden', 'run-not-found'],
      limit: 'write',
      handle: async ({ actor, params, body }) => ({ post: await stop(parts, actor, params, body) }),
    }),
    route({
      method: 'get',
      path: `${path}/run`,
      summary: 'How an AI reply came about: what it read, which model wrote it, what it took',
      params: place,
      status: 200,
      answer: runAnswer,
      problems: ['run-not-found'],
      limit: 'read',
      handle: async ({ params }) => ({ run: await reportRun(parts.db, params) }),
    }),
    route({
      method: 'post',
      path: `${path}/append`,
      summary: 'Adds a piece to the reply that an agent writes. What is there already is passed over',
      params: place,
      body: appendText,
      status: 200,
      answer: lengthAnswer,
      problems: [
        'sign-in-required',
        'forbidden',
        'run-not-found',
        'run-ended',
        'text-gap',
        'too-large',
        'invalid',
      ],
      limit: 'append',
      handle: async ({ actor, params, body }) => ({ length: await append(parts, actor, params, body) }),
    }),
    route({
      method: 'post',
      path: `${path}/finish`,
      summary: 'Ends the reply that an agent writes',
      params: place,
      body: finishPost,
      status: 200,
      answer: postAnswer,
      problems: ['sign-in-required', 'forbidden', 'run-not-found'],
      limit: 'write',
      handle: async ({ actor, params, body }) => ({ post: await finish(parts, actor, params, body) }),
    }),
  ]
}
