import { sql } from 'kysely'
import type { Db } from './database.ts'

export interface TokenCount {
  readonly spent: number
  readonly reserved: number
}

/** Tokens of a day (UTC, ISO): of the site, and of the `most` threads and people that took most. */
export async function readUsage(db: Db, day: string, most: number) {
  const site = await db
    .selectFrom('ai_budgets')
    .select(['spent', 'reserved'])
    .where('scope', '=', 'site')
    .where('day', '=', day)
    .executeTakeFirst()
  const threads = await ofDay(db, day, 'thread')
    .innerJoin('threads as t', (join) => join.on(sql<boolean>`b.scope = 'thread:' || t.id`))
    .select(['t.id', 't.title'])
    .limit(most)
    .execute()
  const people = await ofDay(db, day, 'person')
    .innerJoin('users as u', (join) => join.on(sql<boolean>`b.scope = 'person:' || u.id`))
    .select(['u.id', 'u.name', 'u.kind'])
    .limit(most)
    .execute()
  return { site: site ?? { spent: 0, reserved: 0 }, threads, people }
}

function ofDay(db: Db, day: string, scope: 'thread' | 'person') {
  return db
    .selectFrom('ai_budgets as b')
    .select(['b.spent', 'b.reserved'])
    .where('b.day', '=', day)
    .where('b.scope', 'like', `${scope}:%`)
    .where(sql<boolean>`b.spent + b.reserved > 0`)
    .orderBy(sql`b.spent + b.reserved`, 'desc')
    .orderBy('b.scope')
}
