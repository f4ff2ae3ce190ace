import type { Actor } from '../threads/access.ts'
import type { Ctx } from './context.ts'

/** Who asks for what only admins read: routes that read look nobody up by themselves. */
export async function adminAsking(c: Ctx): Promise<Actor | null> {
  return (await c.get('identify')())?.actor ?? null
}

/** What admins read is for them alone. */
export function noStore(c: Ctx): void {
  c.header('cache-control', 'no-store')
}
