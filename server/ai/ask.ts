import { Problem } from '../../shared/errors.ts'
import type { Ask } from '../../shared/http.ts'
import type { Post } from '../../shared/post.ts'
import type { Actor } from '../threads/access.ts'
import { authorizeAt, type Place } from '../threads/posts.ts'
import { beginReply, findBegun } from './begin.ts'
import { runLimits } from './limits.ts'
import { guardAgainstLoops } from './loops.ts'
import type { AiParts } from './parts.ts'
import { findPersona, type StoredPersona } from './personas.ts'
import type { Runner } from './runner.ts'

export interface AskParts extends AiParts {
  readonly runner: Pick<Runner, 'start'>
  isDraining(): boolean
  /** Counts one ask. Throws rate-limited. */
  admit(asker: Actor): Promise<void>
  /** Where the request comes from; undefined where that is no matter. */
  readonly address?: string | undefined
}

/**
 * Asks a persona to reply to a post. The reply is there at once, in state `streaming`, and this node writes it. The same
 * `clientId` again returns the first reply. Problems: those of access, persona-not-found, ai-loop, ai-budget, ai-busy,
 * rate-limited, unavailable while
 * the node stops.
 */
export async function ask(parts: AskParts, actor: Actor | null, at: Place, input: Ask): Promise<Post> {
  const { db, models, runner } = parts
  const { clientId, request = null, since = null } = input
  const known = actor && clientId && (await findBegun(parts, at.thread, actor.id, clientId))
  if (known) return known.post
  const asker = await authorizeAt(parts, actor, 'ask', at)
  if (parts.isDraining()) throw new Problem('unavailable', { retryMs: 2_000 })
  const persona = await findPersona(db, input.persona)
  if (persona === undefined || persona.external) throw new Problem('persona-not-found')
  authorizeAsker(asker, persona)
  await guardAgainstLoops(db, asker, at)
  await parts.admit(asker)
  const leave = takeSeat(parts, asker)
  try {
    const model = await models.find(persona.modelId)
    // Taken before the lease is, so that this node never believes in it for longer than the others.
    const leaseSince = performance.now()
    const { post, run, created } = await beginReply(parts, {
      at,
      persona,
      asker,
      leaseMs: runLimits.leaseMs,
      run: {
        client_id: clientId ?? null,
        request,
        since,
        external: false,
        model: model.name,
        offline: model.offline,
        owner: parts.node,
        // What costs nothing is not counted, but waits its turn.
        reserved: model.offline
          ? 0
          : Math.min(persona.contextTokens, model.contextTokens) + persona.maxOutputTokens,
      },
    })
    if (created) void runner.start(run, leaseSince).finally(leave)
    else leave()
    return post
  } catch (error) {
    leave()
    throw error
  }
}

function takeSeat({ budgets, guestSeats, address }: AskParts, asker: Actor): () => void {
  if (budgets === null || asker.kind !== 'guest' || address === undefined) return () => {}
  return guestSeats.take(address)
}

/** Who may ask a persona is its own affair, beside the rules that hold for all. */
function authorizeAsker({ kind, role }: Actor, { askers, name }: StoredPersona): void {
  const moderates = role === 'moderator' || role === 'admin'
  if (askers === 'everyone' || moderates || (askers === 'members' && kind !== 'guest')) return
  const who = askers === 'members' ? 'people with an account' : 'moderators'
  throw new Problem('forbidden', { detail: `${name} answers ${who} only.` })
}
