import * as z from 'zod'
import { topics, type Bus } from '../bus/bus.ts'
import type { AccountChange } from './accounts.ts'

const accountChange = z.strictObject({ userId: z.string().min(1), sessionId: z.string().min(1).optional() })

/** Tells every node, this one included, that someone's rights changed. */
export function publishAccountChange(bus: Bus, change: AccountChange): Promise<void> {
  return bus.publish(topics.accounts, JSON.stringify(change))
}

/** Reads what `publishAccountChange` sent; undefined for anything else. */
export function parseAccountChange(message: string): AccountChange | undefined {
  let value: unknown
  try {
    value = JSON.parse(message)
  } catch {
    return undefined
  }
  const { success, data } = accountChange.safeParse(value)
  if (!success) return undefined
  return data.sessionId === undefined
    ? { userId: data.userId }
    : { userId: data.userId, sessionId: data.sessionId }
}
