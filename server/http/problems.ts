import { Problem, problems } from '../../shared/errors.ts'
import type { ProblemDocument } from '../../shared/problem-document.ts'
import type { Ctx } from './context.ts'

/** A problem as RFC 9457 wants it. `type` is a relative reference to the list of codes in the API's documentation. */
export function problemDocumentOf(problem: Problem): ProblemDocument {
  return {
    type: `/api/problems#${problem.code}`,
    title: problems[problem.code][1],
    status: problem.status,
    code: problem.code,
    ...(problem.detail !== undefined && { detail: problem.detail }),
    ...(problem.retryMs !== undefined && { retryMs: problem.retryMs }),
    ...(problem.issues && { issues: problem.issues }),
  }
}

export function problemAnswer(problem: Problem): Response {
  const headers = new Headers({ 'content-type': 'application/problem+json', 'cache-control': 'no-store' })
  // The rest of the body is not read, so nothing can follow it.
  if (problem.code === 'too-large') headers.set('connection', 'close')
  if (problem.retryMs !== undefined) headers.set('retry-after', String(Math.ceil(problem.retryMs / 1000)))
  return new Response(JSON.stringify(problemDocumentOf(problem)), { status: problem.status, headers })
}

/** What was thrown, as a problem. What is no problem of the request is logged here, once. */
export function toProblem(error: unknown, c: Ctx): Problem {
  if (error instanceof Problem) return error
  if (isCutOff(c)) return new Problem('bad-request', { detail: 'the request was cut off', cause: error })
  c.get('log')().error({ err: error }, 'request failed')
  return isUnavailable(error)
    ? new Problem('unavailable', { retryMs: 2_000, cause: error })
    : new Problem('internal', { cause: error })
}

/** Whether the client hung up before its request was whole. Nobody hears the answer, and nothing is wrong here. */
function isCutOff({ env }: Ctx): boolean {
  const { incoming } = (env ?? {}) as Partial<Ctx['env']>
  return incoming !== undefined && incoming.destroyed && !incoming.complete
}

/**
 * Whether the database cannot be reached right now: SQLSTATE classes 08 (connection), 57P (shut down), 53 (resources),
 * and what the network and the pool say. The request may be sent again.
 */
function isUnavailable(error: unknown): boolean {
  const { code, message } = error as { code?: unknown; message?: unknown }
  if (typeof code === 'string') {
    return /^(08...|57P..|53...|ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOENT|EAI_AGAIN)$/.test(code)
  }
  return (
    typeof message === 'string' &&
    /connection terminated|timeout exceeded when trying to connect/i.test(message)
  )
}
