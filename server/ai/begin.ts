import { randomBytes } from 'node:crypto'
import type { Post } from '../../shared/post.ts'
import { reserveBudget, today } from '../store/budgets.ts'
import { sqlState } from '../store/database.ts'
import { insertPost } from '../store/insert.ts'
import { readPost } from '../store/read.ts'
import { findRun, findRunByClientId, insertRun, type NewRun, type RunRow } from '../store/runs.ts'
import { can, type Actor } from '../threads/access.ts'
import type { Place } from '../threads/posts.ts'
import { publishChanges } from '../threads/publish.ts'
import type { AiParts } from './parts.ts'
import type { StoredPersona } from './personas.ts'

/** A reply that is to be written, and for whom. */
export interface NewReply {
  /** The post that it answers. */
  readonly at: Place
  readonly persona: Pick<StoredPersona, 'id' | 'version'>
  /** Who is counted for it. */
  readonly asker: Actor
  readonly run: Omit<
    NewRun,
    'id' | 'thread_id' | 'number' | 'persona_id' | 'persona_version' | 'asker_id' | 'day'
  >
  readonly leaseMs: number
}

export interface Begun {
  readonly post: Post
  readonly run: RunRow
  /** False for a request that was sent again. */
  readonly created: boolean
}

/**
 * Writes the empty post of a reply with its run, its tokens reserved, and tells everyone. The same `client_id` of the
 * same asker again returns the first reply. Problems: thread-not-found, thread-locked, ai-budget, ai-busy.
 */
export async function beginReply(
  parts: AiParts,
  { at, persona, asker, run, leaseMs }: NewReply,
): Promise<Begun> {
  const { db, bus, budgets } = parts
  const { thread } = at
  const id = newRunId()
  const day = today()
  try {
    const { post, changes } = await insertPost(db, {
      thread,
      parent: at.number,
      authorId: persona.id,
      clientId: null,
      body: '',
      html: '',
      excerpt: '',
      embeds: [],
      quote: null,
      state: 'streaming',
      evenLocked: can(asker, 'ask', { locked: true }),
      async also(tx, number) {
        const whole: NewRun = {
          ...run,
          id,
          thread_id: thread,
          number,
          persona_id: persona.id,
          persona_version: persona.version,
          asker_id: asker.id,
          day,
        }
        await reserveBudget(tx, whole, budgets)
        await insertRun(tx, whole, leaseMs)
      },
    })
    publishChanges(bus, thread, changes)
    return { post, run: (await findRun(db, thread, post.number))!, created: true }
  } catch (error) {
    const twin = sqlState(error) === '23505' && run.client_id !== null
    const begun = twin ? await findBegun(parts, thread, asker.id, run.client_id!) : undefined
    if (begun === undefined) throw error
    return begun
  }
}

/** The reply that someone asked for under a `clientId`, whatever became of it since. */
export async function findBegun(
  { db }: Pick<AiParts, 'db'>,
  thread: string,
  askerId: string,
  clientId: string,
): Promise<Begun | undefined> {
  const run = await findRunByClientId(db, thread, askerId, clientId)
  if (run === undefined) return undefined
  const post = await readPost(db, thread, run.number)
  return post && { post, run, created: false }
}

/** Short, since it travels with the text: 66 bits by chance. */
function newRunId(): string {
  return randomBytes(9).toString('base64url').slice(0, 11)
}
