import { Problem } from '../../shared/errors.ts'
import type { ReplyAnswer } from '../../shared/http.ts'
import { duration } from '../views/figures.ts'

/** A refusal for people, with when it is worth trying again where the server says so. */
export function problemText(error: unknown): string {
  if (!(error instanceof Problem)) return 'That did not work'
  const { message, retryMs } = error
  if (retryMs === undefined) return message
  return `${sentence(message)} Try again in ${duration(Math.ceil(retryMs / 1000) * 1000)}.`
}

/** Why AI participants that a post names do not reply. */
export function refusals(asked: NonNullable<ReplyAnswer['asked']>): string[] {
  return asked
    .filter(({ code }) => code !== undefined)
    .map(({ persona, message = 'That was refused' }) => `@${persona} does not reply: ${sentence(message)}`)
}

function sentence(text: string): string {
  return `${text.replace(/\.$/, '')}.`
}
