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

/** What guests may take of the site's and of a thread's tokens and places, all together: they are quickly made anew. */
const guestShare = 0.5

/** Whose budgets a run is counted in. In one order for all, so that two transactions wait for each other instead of for both. */
function scopesOf(
  { thread_id, asker_id }: Pick<Counted, 'thread_id' | 'asker_id'>,
  guest: boolean,
): string[] {
  const scopes = [
    `thread:${thread_id}`,
    ...(asker_id === null ? [] : [`person:${asker_id}`]),
    ...(guest ? ['guests', `guests:${thread_id}`] : []),
  ]
  return ['site', ...scopes.toSorted()]
}

/** Looked up each time, for a run does not tell. Of one who gets an account in its midst, the guests' part stays reserved for the day. */
async function isGuest(tx: Transaction<Database>, { asker_id }: Pick<Counted, 'asker_id'>): Promise<boolean> {
  if (asker_id === null) return false
  const asker = await tx.selectFrom('users').select('kind').where('id', '=', asker_id).executeTakeFirst()
  return asker?.kind === 'guest'
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
  allowed: { daily: DailyTokens; atOnce: AtOnce } | null,
): Promise<void> {
  const guest = await isGuest(tx, run)
  for (const scope of scopesOf(run, guest)) {
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
    const limit = limitOf(scope, allowed.daily, guest)
    if (row.reserved + row.spent > limit) {
      throw new Problem('ai-budget', { detail: whose(scope), retryMs: untilTomorrow() })
    }
  }
  if (allowed !== null) await checkAtOnce(tx, run, allowed.atOnce, guest)
}

function limitOf(scope: string, daily: DailyTokens, guest: boolean): number {
  if (scope === 'site') return daily.site
  if (scope === 'guests') return daily.site * guestShare
  if (scope.startsWith('guests:')) return daily.thread * guestShare
  if (scope.startsWith('thread:')) return daily.thread
  return guest ? daily.guest : daily.person
}

function whose(scope: string): string {
  if (scope === 'site') return 'This site has used up its AI replies for today.'
  if (scope.startsWith('thread:')) return 'This thread has used up its AI replies for today.'
  if (scope.startsWith('guests')) {
    const where = scope === 'guests' ? 'on this site' : 'in this thread'
    return `Guests have used up their part of the AI replies ${where} for today. Who has an account can still ask.`
  }
  return 'You have used up your AI replies for today.'
}

function untilTomorrow(now = Date.now()): number {
  const day = 86_400_000
  return day - (now % day)
}

/** With the site's row locked, nobody else begins a run meanwhile. */
async function checkAtOnce(
  tx: Transaction<Database>,
  run: Counted,
  atOnce: AtOnce,
  guest: boolean,
): Promise<void> {
  const count = await tx
    .selectFrom('runs as r')
    .leftJoin('users as u', 'u.id', 'r.asker_id')
    .select((eb) => [
      eb.fn.countAll<number>().as('site'),
      eb.fn.countAll<number>().filterWhere('r.thread_id', '=', run.thread_id).as('thread'),
      sql<number>`count(*) filter (where r.asker_id = ${run.asker_id})`.as('person'),
      eb.fn.countAll<number>().filterWhere('u.kind', '=', 'guest').as('guests'),
      eb.fn
        .countAll<number>()
        .filterWhere('u.kind', '=', 'guest')
        .filterWhere('r.thread_id', '=', run.thread_id)
        .as('guestsOfThread'),
    ])
    .where('r.state', '=', 'streaming')
    .executeTakeFirstOrThrow()
  const limits: [number, number, string][] = [
    [count.site, atOnce.site, 'on this site'],
    [count.thread, atOnce.thread, 'in this thread'],
    [count.person, atOnce.person, 'for you'],
  ]
  if (guest) {
    limits.push([count.guests, atOnce.site * guestShare, 'for guests of this site'])
    limits.push([count.guestsOfThread, atOnce.thread * guestShare, 'for guests in this thread'])
  }
  for (const [there, most, who] of limits) {
    if (there < most) continue
    throw new Problem('ai-busy', {
      detail: `As many AI replies are being written ${who} as may be at a time. Wait for one to end.`,
      retryMs: 10_000,
    })
  }
}

/** Gives back what was reserved for a run, and books what it took. */
export async function settleBudget(tx: Transaction<Database>, run: Counted, spent: number): Promise<void> {
  for (const scope of scopesOf(run, await isGuest(tx, run))) {
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
