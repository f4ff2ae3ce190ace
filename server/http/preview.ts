import * as z from 'zod/mini'
import { preview } from '../../shared/http.ts'
import { embed, type Embed } from '../../shared/post.ts'
import { authorize } from '../threads/access.ts'
import type { ThreadParts } from '../threads/parts.ts'
import { route, type Route } from './route.ts'

/** What Markdown will look like. Nothing is stored or fetched for it, so its links show as pending. */
export function previewRoutes({ render }: Pick<ThreadParts, 'render'>): Route[] {
  return [
    route({
      method: 'post',
      path: '/api/preview',
      summary: 'Markdown as it will be shown',
      body: preview,
      status: 200,
      answer: z.object({ html: z.string(), embeds: z.array(embed) }),
      problems: ['invalid', 'sign-in-required'],
      limit: 'preview',
      handle: ({ actor, body }) => {
        authorize(actor, 'preview')
        const { html, refs } = render(body.body, { thread: body.thread })
        const embeds = refs.map((ref): Embed =>
          ref.kind === 'link'
            ? { kind: 'link', url: ref.url, state: 'pending' }
            : { kind: 'post', thread: ref.thread, number: ref.number, state: 'missing' },
        )
        return Promise.resolve({ html, embeds })
      },
    }),
  ]
}
