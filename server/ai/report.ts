import { Problem } from '../../shared/errors.ts'
import type { RunReport } from '../../shared/run.ts'
import type { Db } from '../store/database.ts'
import { findRun, withoutDeleted, type RunRow } from '../store/runs.ts'
import { toAuthor } from '../store/wire.ts'
import type { Place } from '../threads/posts.ts'

/** How an AI reply came about. Problems: run-not-found, also for a post that was deleted. */
export async function reportRun(db: Db, at: Place): Promise<RunReport> {
  const run = await findRun(db, at.thread, at.number)
  const post = run && (await postState(db, at))
  if (run === undefined || post === undefined || post === 'deleted') throw new Problem('run-not-found')
  const persona = await db
    .selectFrom('personas as p')
    .innerJoin('users as u', 'u.id', 'p.user_id')
    .select(['p.handle', 'u.name'])
    .where('p.user_id', '=', run.persona_id)
    .executeTakeFirstOrThrow()
  return {
    run: run.id,
    state: run.state,
    persona: { ...persona, version: run.persona_version },
    // An agent outside asks itself.
    asker: run.external || run.asker_id === null ? null : await readAuthor(db, run.asker_id),
    request: run.request,
    model: run.model,
    offline: run.offline,
    external: run.external,
    manifest: run.manifest,
    // What was thought about a post that is gone is nobody's to read any more.
    reasoning:
      run.manifest && (await withoutDeleted(db, run.manifest)) !== run.manifest ? null : run.reasoning,
    usage:
      run.input_tokens === null || run.output_tokens === null
        ? null
        : { input: run.input_tokens, output: run.output_tokens, estimated: run.usage_estimated },
    cost: run.cost === null || run.currency === null ? null : { amount: run.cost, currency: run.currency },
    length: run.length,
    firstTextMs: since(run, run.first_text_at),
    durationMs: since(run, run.ended_at),
    reason: run.reason,
  }
}

async function postState(db: Db, { thread, number }: Place): Promise<string | undefined> {
  const row = await db
    .selectFrom('posts')
    .select('state')
    .where('thread_id', '=', thread)
    .where('number', '=', number)
    .executeTakeFirst()
  return row?.state
}

async function readAuthor(db: Db, id: string) {
  const row = await db
    .selectFrom('users')
    .select(['id as author_id', 'name', 'kind', 'image'])
    .where('id', '=', id)
    .executeTakeFirst()
  return row === undefined ? null : toAuthor(row)
}

function since({ created_at }: RunRow, moment: Date | null): number | null {
  return moment === null ? null : Math.max(0, moment.getTime() - created_at.getTime())
}
