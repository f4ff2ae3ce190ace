import { aiUsage } from '../../shared/persona-admin.ts'
import type { AiParts } from '../ai/parts.ts'
import { readUsage } from '../store/ai-usage.ts'
import { today } from '../store/budgets.ts'
import { authorize } from '../threads/access.ts'
import { adminAsking, noStore } from './admin.ts'
import { route, type Route } from './route.ts'

/** Threads and people that are told, each. */
const mostTold = 10

/** What AI replies take. For admins. */
export function aiUsageRoutes({ db, budgets }: Pick<AiParts, 'db' | 'budgets'>): Route[] {
  return [
    route({
      method: 'get',
      path: '/api/ai/usage',
      summary: 'Tokens that AI replies took today: of the site, and of the threads and people that took most',
      status: 200,
      answer: aiUsage,
      problems: ['sign-in-required', 'forbidden'],
      limit: 'read',
      handle: async (_, c) => {
        noStore(c)
        authorize(await adminAsking(c), 'manage-ai')
        const day = today()
        return { day, allowed: budgets && { ...budgets.daily }, ...(await readUsage(db, day, mostTold)) }
      },
    }),
  ]
}
