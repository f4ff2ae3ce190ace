import { topics } from '../bus/bus.ts'
import type { AccountChange, Accounts } from './accounts.ts'
import { openAuth, type AuthParts } from './auth.ts'
import { parseAccountChange } from './changes.ts'
import { identify } from './identify.ts'
import { asProblem, problemResponse } from './problem-response.ts'

/** Accounts over the given database and bus; resolves when it hears of changes on other nodes. */
export async function createAccounts(parts: AuthParts): Promise<Accounts> {
  const { db, bus, log } = parts
  const auth = openAuth(parts)
  const handlers: ((change: AccountChange) => void)[] = []
  await bus.subscribe(topics.accounts, (message) => {
    const change = parseAccountChange(message)
    if (change === undefined) log.warn('an account change could not be read')
    else for (const handler of handlers) handler(change)
  })

  return {
    identify: (headers) => identify({ db, auth }, headers),
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
