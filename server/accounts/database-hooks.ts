import type { BetterAuthOptions } from 'better-auth'
import { APIError } from 'better-auth/api'
import { webUrl } from '../../shared/http.ts'
import { limits } from '../../shared/limits.ts'
import type { Bus } from '../bus/bus.ts'
import type { Db } from '../store/database.ts'
import { publishAccountChange } from './changes.ts'
import { appointFirstAdmin } from './first-admin.ts'
import { checkedName, fittedName, invalid } from './names.ts'
import { isBanned } from './tables.ts'

/** The rules that hold however a user or session comes about. */
export function databaseHooks({ db, bus }: { db: Db; bus: Bus }): BetterAuthOptions['databaseHooks'] {
  return {
    user: {
      create: {
        before: async (user, context) => {
          const guest = user['isAnonymous'] === true
          const typed = guest || context?.path === '/sign-up/email'
          return {
            data: {
              name: typed ? checkedName(user.name) : fittedName(user.name),
              image: checkedImage(user.image),
              kind: guest ? 'guest' : 'person',
              role: guest ? 'guest' : 'member',
            },
          }
        },
        after: async (user) => {
          if (user['isAnonymous'] !== true) await appointFirstAdmin(db)
        },
      },
      update: {
        before: async (user) => ({
          data: {
            ...(user.name !== undefined && { name: checkedName(user.name) }),
            ...(user.image !== undefined && { image: checkedImage(user.image) }),
          },
        }),
      },
    },
    session: {
      create: {
        before: async (session, context) => {
          // Through the library, for in a sign-up this runs inside its transaction.
          const user = await context?.context.internalAdapter.findUserById(session.userId)
          const state = user as { banned?: boolean; banExpires?: Date | null } | null | undefined
          if (isBanned({ banned: state?.banned === true, ban_expires: state?.banExpires ?? null })) {
            throw new APIError('FORBIDDEN', { code: 'BANNED', message: 'This account has been suspended' })
          }
        },
      },
      delete: {
        after: ({ id, userId }) => publishAccountChange(bus, { userId, sessionId: id }),
      },
    },
  }
}

function checkedImage(value: unknown): string | null {
  if (value === undefined || value === null || value === '') return null
  const image = webUrl.safeParse(value)
  if (!image.success) throw invalid('image', `must be an address of at most ${limits.urlMax} characters`)
  return image.data
}
