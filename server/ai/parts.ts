import type { LiveText } from '../bus/live-text.ts'
import type { Articles } from '../links/articles.ts'
import type { AtOnce, DailyTokens } from '../store/budgets.ts'
import type { ThreadParts } from '../threads/parts.ts'
import type { GuestSeats } from './guest-seats.ts'
import type { AiMetrics } from './metrics.ts'
import type { Models } from './models.ts'

/** What AI replies need. */
export interface AiParts extends ThreadParts {
  /** This node's name, unique among all that share the database. */
  readonly node: string
  readonly liveText: LiveText
  readonly models: Models
  readonly articles: Articles
  readonly metrics: AiMetrics
  readonly guestSeats: GuestSeats
  /** Null where nothing is limited: for load tests. */
  readonly budgets: { readonly daily: DailyTokens; readonly atOnce: AtOnce } | null
}
