import { topics } from '../bus/bus.ts'
import type { AccountChange, Accounts } from './accounts.ts'
import { openAuth, type AuthParts } from './auth.ts'
import { parseAccountChange } from './changes.ts'
import { identify } from './identify.ts'
import { createIdentityCache } from './identity-cache.ts'
import { asProblem, problemResponse } from './problem-response.ts'
import { openWidgetSession } from './widget-sessions.ts'

/** Accounts over the given database and bus. */
export function createAccounts(parts: AuthParts): Accounts {
  const { db, bus, log } = parts
  const auth = openAuth(parts)
  const identities = createIdentityCache(bus, (headers) => identify({ db, auth }, headers))
  const handlers: ((change: AccountChange) => void)[] = []
  // Not waited for: without the bus the server serves all the same, and looks itself who may still do what.
  const subscribed = bus.subscribe(topics.accounts, (message) => {
    identities.forget()
    const change = parseAccountChange(message)
    if (change === undefined) log.warn('an account change could not be read')
    else for (const handler of handlers) handler(change)
  })
  subscribed.catch((error: unknown) => log.error({ err: error }, 'account changes are not heard of'))

  return {
    identify: identities.identify,
    openWidgetSession: (terms) => openWidgetSession(auth.api, terms),
    onChanged: (handler) => void handlers.push(handler),
    async handle(request) {
      try {
        return await asProblem(await auth.handler(request))
      } catch (error) {
        log.error({ err: error }, 'the auth library failed')
        return problemResponse('internal')
      }
    },
  }
}
