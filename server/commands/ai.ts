import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import { createExtractive } from '../ai/extractive.ts'
import { createGuestSeats } from '../ai/guest-seats.ts'
import { atOnceLimits, runLimits } from '../ai/limits.ts'
import { createAiMetrics } from '../ai/metrics.ts'
import { createModels, type ModelDirectory } from '../ai/models.ts'
import type { AiParts } from '../ai/parts.ts'
import { ensureShippedPersonas } from '../ai/personas.ts'
import { createRunner, type Runner } from '../ai/runner.ts'
import type { LiveText } from '../bus/live-text.ts'
import type { Config } from '../config.ts'
import { createArticles } from '../links/articles.ts'
import type { Fetch } from '../links/fetch.ts'
import type { ThreadParts } from '../threads/parts.ts'

/** What AI replies run on, put together. */
export interface Ai {
  readonly parts: AiParts
  readonly models: ModelDirectory
  readonly runner: Runner
  /** Lets runs come to their end, and lets everything go. */
  close(): Promise<void>
}

/** Makes the shipped personas if need be, and looks after abandoned replies from now on. */
export async function openAi(
  threads: ThreadParts,
  config: Config,
  more: { node: string; secret: string; liveText: LiveText; fetch: Fetch; log: Logger; registry: Registry },
): Promise<Ai> {
  const { db } = threads
  const { node, secret, liveText, fetch, log, registry } = more
  await ensureShippedPersonas(db)
  const models = createModels({ db, settings: config.ai, secret, offline: createExtractive(), log })
  const articles = createArticles({ db, fetch, log, enabled: config.links })
  const parts: AiParts = {
    ...threads,
    node,
    liveText,
    models,
    articles,
    metrics: createAiMetrics(registry),
    guestSeats: createGuestSeats(),
    budgets: config.rateLimits ? { daily: config.aiTokens, atOnce: atOnceLimits } : null,
  }
  const runner = createRunner(parts)
  const sweeper = setInterval(() => void runner.sweep(), runLimits.sweepMs)
  sweeper.unref()
  return {
    parts,
    models,
    runner,
    async close() {
      clearInterval(sweeper)
      await runner.drain()
      await articles.close()
    },
  }
}
