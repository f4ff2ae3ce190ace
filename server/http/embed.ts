import * as z from 'zod/mini'
import { Problem } from '../../shared/errors.ts'
import { threadSnapshot } from '../../shared/http.ts'
import { limits } from '../../shared/limits.ts'
import { openPage } from '../../shared/site.ts'
import { getCounts } from '../embedding/counts.ts'
import { openPageThread, type PageParts } from '../embedding/page-threads.ts'
import type { ThreadParts } from '../threads/parts.ts'
import { route, type Route } from './route.ts'

/** For how long counts may be kept, in seconds. */
const countsAge = 30

const addresses = z
  .array(z.string().check(z.maxLength(limits.urlMax)))
  .check(z.maxLength(limits.countsPerRequest))

/** What widgets in other sites' pages ask for, beside what all clients do. */
export function embedApiRoutes(parts: ThreadParts & PageParts): Route[] {
  return [
    route({
      method: 'post',
      path: '/api/embed/threads',
      summary: 'The thread of a page, which is made where the page has none yet',
      body: openPage,
      status: 200,
      answer: threadSnapshot,
      problems: ['invalid', 'sign-in-required', 'page-not-allowed'],
      limit: 'open-page',
      handle: ({ actor, body }) => openPageThread(parts, actor, body),
    }),
    route({
      method: 'get',
      path: '/embed/counts',
      summary:
        'How many posts the threads of pages have, by the addresses as they are given. What may have none is left out',
      query: { url: addresses, thread: addresses },
      status: 200,
      answer: z.object({ counts: z.record(z.string(), z.int()) }),
      problems: ['invalid'],
      limit: 'counts',
      handle: async ({ query: { url: urls, thread: threads } }, c) => {
        c.header('access-control-allow-origin', '*')
        checkCount(urls.length + threads.length)
        c.header('cache-control', `public, max-age=${countsAge}`)
        return { counts: await getCounts(parts, { urls, threads }) }
      },
    }),
  ]
}

function checkCount(asked: number): void {
  if (asked <= limits.countsPerRequest) return
  throw new Problem('invalid', { detail: `at most ${limits.countsPerRequest} are counted in one request` })
}
