import { sql, type Transaction } from 'kysely'
import { Problem } from '../../shared/errors.ts'
import type { Database, RunsTable } from './schema.ts'

/** Tokens that each may take in a day. */
export interface DailyTokens {
  readonly site: number
  readonly thread: number
  readonly person: number
  readonly guest: number
}

/** Replies that may be written at a time. */
export interface AtOnce {
  readonly site: number
  readonly thread: number
  readonly person: number
}

/** What a run took in the end. */
export interface Spent {
  readonly input: number
  readonly output: number
  readonly estimated: boolean
  readonly cost: { readonly amount: number; readonly currency: string } | null
}

type Counted = Pick<RunsTable, 'thread_id' | 'asker_id' | 'reserved' | 'day'>

/** Whose budgets a run is counted in. In one order for all, so that two transactions wait for each other instead of for both. */
function scopesOf({ thread_id, asker_id }: Pick<Counted, 'thread_id' | 'asker_id'>): string[] {
  const scopes = [`thread:${thread_id}`, ...(asker_id === null ? [] : [`person:${asker_id}`])]
  return ['site', ...scopes.toSorted()]
}

/** Today, as budgets count: a day of UTC. */
export function today(now = new Date()): string {
  return now.toISOString().slice(0, 10)
}

/**
 * Reserves a run's tokens in all budgets that it is counted in. To be called with the thread's row locked; it locks the
 * site's, so that asks come one after the other and none can slip through beside another. Without `allowed` it only
 * counts. Problems: ai-budget, ai-busy.
 */
export async function reserveBudget(
  tx: Transaction<Database>,
  run: Counted,
  allowed: { daily: DailyTokens; atOnce: AtOnce; guest: boolean } | null,
): Promise<void> {
  for (const scope of scopesOf(run)) {
    const row = await tx
      .insertInto('ai_budgets')
      .values({ scope, day: run.day, reserved: run.reserved })
      .onConflict((conflict) =>
        conflict
          .columns(['scope', 'day'])
          .doUpdateSet((eb) => ({ reserved: eb('ai_budgets.reserved', '+', run.reserved) })),
      )
      .returning(['reserved', 'spent'])
      .executeTakeFirstOrThrow()
    if (allowed === null || run.reserved === 0) continue
    const limit = limitOf(scope, allowed)
    if (row.reserved + row.spent > limit) {
      throw new Problem('ai-budget', { detail: whose(scope), retryMs: untilTomorrow() })
    }
  }
  if (allowed !== null) await checkAtOnce(tx, run, allowed.atOnce)
}

function limitOf(scope: string, { daily, guest }: { daily: DailyTokens; guest: boolean }): number {
  if (scope === 'site') return daily.site
  if (scope.startsWith('thread:')) return daily.thread
  return guest ? daily.guest : daily.person
}

function whose(scope: string): string {
  if (scope === 'site') return 'This site has used up its AI replies for today.'
  if (scope.startsWith('thread:')) return 'This thread has used up its AI replies for today.'
  return 'You have used up your AI replies for today.'
}

function untilTomorrow(now = Date.now()): number {
  const day = 86_400_000
  return day - (now % day)
}

/** With the site's row locked, nobody else begins a run meanwhile. */
async function checkAtOnce(tx: Transaction<Database>, run: Counted, atOnce: AtOnce): Promise<void> {
  const count = await tx
    .selectFrom('runs')
    .select((eb) => [
      eb.fn.countAll<number>().as('site'),
      eb.fn.countAll<number>().filterWhere('thread_id', '=', run.thread_id).as('thread'),
      sql<number>`count(*) filter (where asker_id = ${run.asker_id})`.as('person'),
    ])
    .where('state', '=', 'streaming')
    .executeTakeFirstOrThrow()
  for (const scope of ['site', 'thread', 'person'] as const) {
    if (count[scope] < atOnce[scope]) continue
    const who = { site: 'on this site', thread: 'in this thread', person: 'for you' }[scope]
    throw new Problem('ai-busy', {
      detail: `As many AI replies are being written ${who} as may be at a time. Wait for one to end.`,
      retryMs: 10_000,
    })
  }
}

/** Gives back what was reserved for a run, and books what it took. */
export async function settleBudget(tx: Transaction<Database>, run: Counted, spent: number): Promise<void> {
  for (const scope of scopesOf(run)) {
    await tx
      .updateTable('ai_budgets')
      .set((eb) => ({
        reserved: eb('reserved', '-', run.reserved),
        spent: eb('spent', '+', spent),
      }))
      .where('scope', '=', scope)
      .where('day', '=', run.day)
      .execute()
  }
}
