import { Registry } from 'prom-client'
import { createGuestSeats } from '../../server/ai/guest-seats.ts'
import { createAiMetrics } from '../../server/ai/metrics.ts'
import type { Model, Part } from '../../server/ai/model.ts'
import type { AiParts } from '../../server/ai/parts.ts'
import { createMemoryLiveText } from '../../server/bus/live-text.ts'
import { createArticles } from '../../server/links/articles.ts'
import type { Db } from '../../server/store/database.ts'
import type { ThreadParts } from '../../server/threads/parts.ts'

/** What AI replies run on in a test: the given model for every persona, no linked pages, and no budgets unless given. */
export function aiParts(
  threads: ThreadParts,
  more: Partial<Pick<AiParts, 'node' | 'liveText' | 'budgets'>> & { model?: Model } = {},
): AiParts {
  const { model = speaker(), node = 'test', liveText = createMemoryLiveText(), budgets = null } = more
  return {
    ...threads,
    node,
    liveText,
    budgets,
    metrics: createAiMetrics(new Registry()),
    guestSeats: createGuestSeats(),
    models: { find: () => Promise.resolve(model) },
    articles: createArticles({
      db: threads.db,
      fetch: () => Promise.reject(new Error('tests fetch nothing')),
      log: threads.log,
      enabled: false,
    }),
  }
}

/** A model that says what a test lets it say, when it lets it. */
export interface Speaker extends Model {
  /** Says a piece of every reply that is being written. */
  say(text: string): void
  /** The same of what it thinks aloud. */
  think(text: string): void
  /** Ends them, or with an error breaks them off. */
  end(error?: Error): void
  /** Ends them and all that are still to begin: the test is over. */
  retire(): void
  /** Replies that are being written. */
  readonly open: number
  /** Replies ever begun. */
  readonly begun: number
  /** What each was asked, in order. */
  readonly asked: readonly Parameters<Model['generate']>[0][]
}

export function speaker(more: Partial<Pick<Model, 'offline' | 'contextTokens' | 'price'>> = {}): Speaker {
  const open = new Set<(part: Part | Error) => void>()
  const asked: Parameters<Model['generate']>[0][] = []
  const done: Part = { type: 'end', reason: 'complete' }
  let retired = false
  const tell = (part: Part | Error) => {
    for (const hear of open) hear(part)
  }
  return {
    name: 'speaker',
    offline: false,
    contextTokens: 8_000,
    ...more,
    say: (text) => tell({ type: 'text', text }),
    think: (text) => tell({ type: 'reasoning', text }),
    end: (error) => tell(error ?? done),
    retire() {
      retired = true
      tell(done)
    },
    get open() {
      return open.size
    },
    get begun() {
      return asked.length
    },
    asked,
    async *generate(generation) {
      asked.push(generation)
      const parts: (Part | Error)[] = retired ? [done] : []
      let wake = () => {}
      const hear = (part: Part | Error) => {
        parts.push(part)
        wake()
      }
      const { signal } = generation
      signal.addEventListener('abort', () => wake(), { once: true })
      open.add(hear)
      try {
        for (;;) {
          signal.throwIfAborted()
          const part = parts.shift()
          if (part instanceof Error) throw part
          if (part !== undefined) yield part
          else await new Promise<void>((resolve) => (wake = resolve))
        }
      } finally {
        open.delete(hear)
      }
    },
  }
}

/** An agent outside, as an account with a persona. */
export async function addAgent(db: Db, id: string, handle = id): Promise<void> {
  await db
    .insertInto('users')
    .values({ id, name: id, kind: 'ai', role: 'member', email: `${id}@test.invalid` })
    .execute()
  await db
    .insertInto('personas')
    .values({
      user_id: id,
      handle,
      instructions: 'You write from outside.',
      model_id: null,
      external: true,
      max_output_tokens: 1_000,
      context_tokens: 4_000,
    })
    .execute()
}

/** A persona that can be asked. */
export async function addPersona(db: Db, handle: string): Promise<void> {
  await db
    .insertInto('users')
    .values({ id: `ai-${handle}`, name: handle, kind: 'ai', role: 'member', email: `${handle}@test.invalid` })
    .execute()
  await db
    .insertInto('personas')
    .values({
      user_id: `ai-${handle}`,
      handle,
      instructions: 'You answer.',
      model_id: null,
      max_output_tokens: 500,
      context_tokens: 2_000,
    })
    .execute()
}
