import * as z from 'zod/mini'
import { roles } from '../threads/access.ts'
import { ban, setRole, unban, type ModerationParts } from '../accounts/moderation.ts'
import { route, type Route } from './route.ts'

const user = z.string().check(z.minLength(1), z.maxLength(64))
const done = z.object({ ok: z.literal(true) })
const problems = ['invalid', 'sign-in-required', 'forbidden', 'not-found'] as const

/** What admins do about people. */
export function userRoutes(parts: ModerationParts): Route[] {
  return [
    route({
      method: 'patch',
      path: '/api/users/:user',
      summary: 'Gives a person another role',
      params: { user },
      body: z.strictObject({ role: z.enum(roles) }),
      status: 200,
      answer: done,
      problems,
      limit: 'write',
      handle: async ({ actor, params, body }) => {
        await setRole(parts, actor, params.user, body.role)
        return { ok: true as const }
      },
    }),
    route({
      method: 'put',
      path: '/api/users/:user/ban',
      summary: 'Bans a user and ends their sessions at once; with `until`, for a time',
      params: { user },
      body: z.strictObject({ reason: z.optional(z.string()), until: z.optional(z.iso.datetime()) }),
      status: 200,
      answer: done,
      problems,
      limit: 'write',
      handle: async ({ actor, params, body }) => {
        const { reason, until } = body
        await ban(parts, actor, params.user, {
          ...(reason !== undefined && { reason }),
          ...(until !== undefined && { expiresAt: new Date(until) }),
        })
        return { ok: true as const }
      },
    }),
    route({
      method: 'delete',
      path: '/api/users/:user/ban',
      summary: 'Lifts a ban',
      params: { user },
      status: 200,
      answer: done,
      problems,
      limit: 'write',
      handle: async ({ actor, params }) => {
        await unban(parts, actor, params.user)
        return { ok: true as const }
      },
    }),
  ]
}
