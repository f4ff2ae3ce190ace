import { Problem } from '../../shared/errors.ts'
import type { AppendText, BeginPost, FinishPost } from '../../shared/http.ts'
import { storable } from '../../shared/http.ts'
import { limits } from '../../shared/limits.ts'
import type { Post } from '../../shared/post.ts'
import { encodeThreadMessage, toLine } from '../bus/messages.ts'
import { transact } from '../store/database.ts'
import { readPost } from '../store/read.ts'
import { appendToRun, findRun, type RunRow } from '../store/runs.ts'
import { authorize, type Actor } from '../threads/access.ts'
import { authorizeAt, type Place } from '../threads/posts.ts'
import { beginReply, findBegun } from './begin.ts'
import { writeEnd } from './end.ts'
import { runLimits } from './limits.ts'
import { guardAgainstLoops } from './loops.ts'
import type { AiParts } from './parts.ts'
import { findPersonaById } from './personas.ts'

// Agents outside: they write under a persona's API key and send their text piece by piece.

/**
 * Begins a reply that an agent outside will write. The same `clientId` again returns the first one.
 * Problems: forbidden for who is no agent, those of access, ai-loop, ai-budget, ai-busy.
 */
export async function begin(
  parts: AiParts,
  actor: Actor | null,
  thread: string,
  { parent, clientId }: BeginPost,
): Promise<Post> {
  const known = actor && (await findBegun(parts, thread, actor.id, clientId))
  if (known) return known.post
  const at = { thread, number: parent }
  const agent = await authorizeAt(parts, actor, 'reply', at)
  const persona = agent.kind === 'ai' ? await findPersonaById(parts.db, agent.id) : undefined
  if (persona === undefined || !persona.external || !persona.enabled) {
    throw new Problem('forbidden', {
      detail: 'Only AI participants that write by an API key stream their posts.',
    })
  }
  await guardAgainstLoops(parts.db, agent, at)
  const { post } = await beginReply(parts, {
    at,
    persona,
    asker: agent,
    leaseMs: runLimits.agentLeaseMs,
    run: {
      client_id: clientId,
      request: null,
      since: null,
      external: true,
      model: '',
      offline: false,
      owner: null,
      reserved: persona.maxOutputTokens,
    },
  })
  return post
}

/**
 * Adds a piece to such a reply, and tells everyone. A piece that is there already is passed over, so that a request may
 * be sent again. Returns the length of the whole text in UTF-16 units.
 * Problems: sign-in-required, forbidden, run-not-found, run-ended, text-gap, too-large, invalid.
 */
export async function append(
  parts: AiParts,
  actor: Actor | null,
  at: Place,
  { run: id, at: from, text }: AppendText,
): Promise<number> {
  const { db, bus, liveText } = parts
  if (storable(text) !== text)
    throw new Problem('invalid', { detail: 'the text holds characters that no post can hold' })
  await heldRun(parts, actor, at, id)
  const piece = { from, text, max: limits.bodyMax, leaseMs: runLimits.agentLeaseMs }
  const appended = await transact(db, (tx) => appendToRun(tx, id, piece))
  if (appended === 'ended') throw new Problem('run-ended')
  if (appended === 'too-large') {
    throw new Problem('too-large', { detail: `a post has at most ${limits.bodyMax} characters` })
  }
  if (typeof appended === 'number') {
    throw new Problem('text-gap', { detail: `the text has ${appended} UTF-16 units so far` })
  }
  const { run, before } = appended
  const added = run.text.slice(before)
  if (added !== '') {
    await liveText.write(id, run.text, before)
    const line = toLine({
      type: 'delta',
      thread: at.thread,
      post: at.number,
      run: id,
      at: before,
      text: added,
    })
    const place = { post: at.number, run: id, epoch: run.epoch, at: before }
    void bus.publish(at.thread, encodeThreadMessage({ kind: 'delta', ...place, line }))
  }
  return run.length
}

/** Ends such a reply. Once more is no error. Problems: sign-in-required, forbidden, run-not-found. */
export async function finish(
  parts: AiParts,
  actor: Actor | null,
  at: Place,
  { run: id, state, reason }: FinishPost,
): Promise<Post> {
  const run = await heldRun(parts, actor, at, id)
  if (run.state === 'streaming') {
    const empty = state === 'complete' && run.text.trim() === ''
    const outcome = empty
      ? ({ state: 'failed', reason: 'The agent wrote nothing.' } as const)
      : { state, ...(reason !== undefined && { reason }) }
    await writeEnd(parts, run, { text: run.text, reasoning: '' }, outcome)
  }
  return (await readPost(parts.db, at.thread, at.number))!
}

/** The run that this agent writes. */
async function heldRun({ db }: AiParts, actor: Actor | null, at: Place, id: string): Promise<RunRow> {
  const writer = authorize(actor, 'type')
  const run = await findRun(db, at.thread, at.number)
  if (run === undefined || run.id !== id || !run.external) throw new Problem('run-not-found')
  if (run.persona_id !== writer.id) throw new Problem('forbidden')
  return run
}
