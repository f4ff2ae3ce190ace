import * as z from 'zod/mini'
import { Problem } from '../../shared/errors.ts'
import { findPlaceholders, startClaim } from '../importing/claim.ts'
import type { Db } from '../store/database.ts'
import { authorize } from '../threads/access.ts'
import { route, type Route } from './route.ts'

const name = z.string().check(z.minLength(1), z.maxLength(500))

/** Links by which those who wrote imported comments make them their own. The command line makes them too. */
export function claimRoutes({ db, publicUrl }: { db: Db; publicUrl: string }): Route[] {
  return [
    route({
      method: 'post',
      path: '/api/claims',
      summary: 'Makes a link by which an author of imported comments can claim them',
      body: z.strictObject({ source: name, author: name }),
      status: 201,
      answer: z.object({ name: z.string(), posts: z.int(), url: z.string(), expiresAt: z.string() }),
      problems: ['invalid', 'sign-in-required', 'forbidden', 'not-found'],
      limit: 'write',
      handle: async ({ actor, body }) => {
        authorize(actor, 'manage-accounts')
        return await claimLink({ db, publicUrl }, body.source, body.author)
      },
    }),
  ]
}

/**
 * A link by which the author whom `who` means can claim what they wrote: their id at the source, address or name.
 * Problems: not-found; invalid where several are meant, with their ids.
 */
export async function claimLink(
  { db, publicUrl }: { db: Db; publicUrl: string },
  source: string,
  who: string,
): Promise<{ name: string; posts: number; url: string; expiresAt: string }> {
  const found = await findPlaceholders(db, source, who)
  const [one, ...more] = found
  if (one === undefined)
    throw new Problem('not-found', {
      detail: `Nobody was imported from ${source} as ${who}, or they have claimed it.`,
    })
  if (more.length > 0) {
    const list = found.map((each) => `${each.source} ${each.sourceId} (${each.name}, ${each.posts} posts)`)
    throw new Problem('invalid', {
      detail: `Several authors are meant; name one by source and id: ${list.join('; ')}`,
    })
  }
  const { code, expiresAt } = await startClaim(db, one)
  const url = `${publicUrl}/claim?code=${code}`
  return { name: one.name, posts: one.posts, url, expiresAt: expiresAt.toISOString() }
}
