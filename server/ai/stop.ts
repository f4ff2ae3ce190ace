import { Problem } from '../../shared/errors.ts'
import type { Post } from '../../shared/post.ts'
import { topics } from '../bus/bus.ts'
import { readPost } from '../store/read.ts'
import { findRun, requestStop } from '../store/runs.ts'
import { authorize, type Actor } from '../threads/access.ts'
import type { Place } from '../threads/posts.ts'
import { writeEnd } from './end.ts'
import type { AiParts } from './parts.ts'

/**
 * Stops a reply that is being written, on whichever node; what it has of text is kept. One that has ended stays as it
 * is. Problems: sign-in-required, forbidden, run-not-found for a run that does not write this post.
 */
export async function stop(
  parts: AiParts,
  actor: Actor | null,
  at: Place,
  { run: id }: { run: string },
): Promise<Post> {
  const { db, bus } = parts
  const run = await findRun(db, at.thread, at.number)
  if (run === undefined || run.id !== id) throw new Problem('run-not-found')
  authorize(actor, 'stop-run', { askerId: run.asker_id, authorId: run.persona_id })
  if (run.state === 'streaming') {
    // Nobody here writes what an agent outside does, so there is nobody to tell.
    if (run.external) await writeEnd(parts, run, { text: run.text, reasoning: '' }, { state: 'stopped' })
    else if (await requestStop(db, id)) await bus.publish(topics.stops, id)
  }
  return (await readPost(db, at.thread, at.number))!
}
