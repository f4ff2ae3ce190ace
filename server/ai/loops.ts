import { sql } from 'kysely'
import { Problem } from '../../shared/errors.ts'
import type { Db } from '../store/database.ts'
import type { Actor } from '../threads/access.ts'
import type { Place } from '../threads/posts.ts'
import { runLimits } from './limits.ts'

/**
 * Keeps AI participants from answering each other without end: after so many AI posts in a row, up the branch from
 * `at`, a person has to go on. People may always ask. Problems: ai-loop.
 */
export async function guardAgainstLoops(db: Db, actor: Actor, at: Place): Promise<void> {
  if (actor.kind !== 'ai') return
  const { rows } = await sql<{ kind: string }>`
    with recursive branch (number, parent, author_id, depth) as (
      select number, parent, author_id, 1 from posts where thread_id = ${at.thread} and number = ${at.number}
      union all
      select p.number, p.parent, p.author_id, b.depth + 1
      from posts p join branch b on p.number = b.parent
      where p.thread_id = ${at.thread} and b.depth < ${runLimits.depth}
    )
    select u.kind from branch b join users u on u.id = b.author_id order by b.depth`.execute(db)
  const inARow = rows.findIndex(({ kind }) => kind !== 'ai')
  if (inARow === -1 && rows.length >= runLimits.depth) throw new Problem('ai-loop')
}
