import { Problem } from '../../shared/errors.ts'
import type { CreatePost, ReplyAnswer } from '../../shared/http.ts'
import { readBody } from '../store/read.ts'
import type { Actor } from '../threads/access.ts'
import { reply } from '../threads/posts.ts'
import { ask, type AskParts } from './ask.ts'
import { runLimits } from './limits.ts'
import { guardAgainstLoops } from './loops.ts'
import { findPersona } from './personas.ts'

/**
 * Writes a reply, and asks the personas that its writer names in it as `@handle`. What they refuse is told in the answer
 * and does not touch the post. What a model writes names nobody: it comes another way. Problems: those of `reply`,
 * ai-loop.
 */
export async function replyAndAsk(
  parts: AskParts,
  actor: Actor | null,
  thread: string,
  input: CreatePost,
): Promise<ReplyAnswer> {
  if (actor !== null) await guardAgainstLoops(parts.db, actor, { thread, number: input.parent })
  const post = await reply(parts, actor, thread, input)
  const handles = input.body.includes('@') ? await namedIn(parts, thread, post.number) : []
  const asked: NonNullable<ReplyAnswer['asked']> = []
  for (const persona of handles.slice(0, runLimits.mentions)) {
    if (!(await isAskable(parts, persona))) continue
    try {
      // The same request again asks nobody twice.
      const clientId = `at-${post.number}-${persona}`
      await ask(parts, actor, { thread, number: post.number }, { persona, clientId })
      asked.push({ persona })
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      asked.push({ persona, code: error.code, message: error.detail ?? error.message })
    }
  }
  return { post, ...(asked.length > 0 && { asked }) }
}

/** The post as it stands: one that is sent again with other words is still the first one. */
async function namedIn({ db, render }: AskParts, thread: string, number: number): Promise<string[]> {
  return render((await readBody(db, thread, number)) ?? '', { thread }).mentions
}

/** Whoever writes `@somebody` need not mean a persona. */
async function isAskable({ db }: AskParts, handle: string): Promise<boolean> {
  const persona = await findPersona(db, handle)
  return persona !== undefined && !persona.external
}
