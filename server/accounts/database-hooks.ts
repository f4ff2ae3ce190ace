import type { AuthContext, BetterAuthOptions } from 'better-auth'
import { APIError } from 'better-auth/api'
import { webUrl } from '../../shared/http.ts'
import { limits } from '../../shared/limits.ts'
import type { Bus } from '../bus/bus.ts'
import type { Db } from '../store/database.ts'
import { personaDomain } from '../store/personas.ts'
import { publishAccountChange } from './changes.ts'
import { appointFirstAdmin } from './first-admin.ts'
import { checkedName, fittedName, invalid, nameless, soundOf } from './names.ts'
import { siteUserDomain } from './site-users.ts'
import { isBanned } from './tables.ts'
import { isWidgetToken } from './widget-sessions.ts'

/** The rules that hold however a user or session comes about. */
export function databaseHooks({ db, bus }: { db: Db; bus: Bus }): BetterAuthOptions['databaseHooks'] {
  return {
    user: {
      create: {
        before: async (user, context) => {
          const guest = user['isAnonymous'] === true
          const typed = guest || context?.path === '/sign-up/email'
          refuseOurAddress(user.email)
          const name = typed ? checkedName(user.name) : fittedName(user.name)
          const taken = await isPersonaName(context, name)
          if (taken && typed) throw personaName()
          return {
            data: {
              name: taken ? nameless : name,
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
        before: async (user, context) => {
          if (user.email !== undefined) refuseOurAddress(user.email)
          const name = user.name === undefined ? undefined : checkedName(user.name)
          if (name !== undefined && (await isPersonaName(context, name))) throw personaName()
          return {
            data: {
              ...(name !== undefined && { name }),
              ...(user.image !== undefined && { image: checkedImage(user.image) }),
            },
          }
        },
      },
    },
    session: {
      create: {
        before: async (session, context) => {
          // Through the library, for in a sign-up this runs inside its transaction.
          const user = await context?.context.internalAdapter.findUserById(session.userId)
          const state = user as
            { kind?: string; banned?: boolean; banExpires?: Date | null } | null | undefined
          // However someone came to be taken for an AI participant: nobody signs in as one.
          if (state?.kind === 'ai') {
            throw new APIError('FORBIDDEN', {
              code: 'FORBIDDEN',
              message: 'Nobody signs in as an AI participant',
            })
          }
          if (isBanned({ banned: state?.banned === true, ban_expires: state?.banExpires ?? null })) {
            throw new APIError('FORBIDDEN', { code: 'BANNED', message: 'This account has been suspended' })
          }
        },
      },
      update: {
        before: async (_, context) => {
          const session = context?.context.session?.session
          // The library would prolong it to what sessions of the site have.
          return isWidgetToken(session?.token) ? { data: { expiresAt: session!.expiresAt } } : undefined
        },
      },
      delete: {
        after: ({ id, userId }) => publishAccountChange(bus, { userId, sessionId: id }),
      },
    },
  }
}

type Context =
  { context: { internalAdapter: Pick<AuthContext['internalAdapter'], 'listUsers'> } } | null | undefined

/** How many AI participants are looked at when a name is chosen. */
const personasMax = 1_000

/**
 * Whether a name is that of an AI participant, or its handle: whoever bears it would speak in its name. Those that are
 * disabled count too, for their posts stay.
 */
async function isPersonaName(context: Context, name: string): Promise<boolean> {
  const sound = soundOf(name)
  if (sound === '') return false
  // Through the library, for this may run inside its transaction.
  const personas = await context?.context.internalAdapter.listUsers(personasMax, undefined, undefined, [
    { field: 'email', operator: 'ends_with', value: `@${personaDomain}` },
  ])
  return (personas ?? []).some(
    (persona) => soundOf(persona.name) === sound || soundOf(persona.email.split('@')[0]!) === sound,
  )
}

function personaName(): APIError {
  return invalid('name', 'is that of an AI participant here; please choose another')
}

/** Addresses that the server makes for accounts which nobody signs up for. */
function refuseOurAddress(email: string): void {
  if ([personaDomain, siteUserDomain].some((domain) => email.toLowerCase().endsWith(`@${domain}`))) {
    throw invalid('email', 'must be an address of yours')
  }
}

function checkedImage(value: unknown): string | null {
  if (value === undefined || value === null || value === '') return null
  const image = webUrl.safeParse(value)
  if (!image.success) throw invalid('image', `must be an address of at most ${limits.urlMax} characters`)
  return image.data
}
