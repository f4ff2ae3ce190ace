import * as z from 'zod'
import { problems, type ProblemCode } from '../../shared/errors.ts'
import type { ProblemDocument } from '../../shared/problem-document.ts'

const libraryError = z.object({
  code: z.string().optional(),
  message: z.string().optional(),
  issues: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
})

/** The auth library's codes that mean what one of our own means. */
const ownCodes: Record<string, ProblemCode> = {
  INVALID_ORIGIN: 'cross-site',
  MISSING_OR_NULL_ORIGIN: 'cross-site',
  CROSS_SITE_NAVIGATION_LOGIN_BLOCKED: 'cross-site',
  UNAUTHORIZED: 'sign-in-required',
  VALIDATION_ERROR: 'invalid',
  UNPROCESSABLE_ENTITY: 'invalid',
  UNSUPPORTED_MEDIA_TYPE: 'unsupported-type',
  TOO_MANY_REQUESTS: 'rate-limited',
}

const statusCodes: Record<number, ProblemCode> = {
  400: 'bad-request',
  401: 'sign-in-required',
  403: 'forbidden',
  404: 'not-found',
  405: 'not-found',
  413: 'too-large',
  415: 'unsupported-type',
  422: 'invalid',
  429: 'rate-limited',
}

/** The auth library's answer: as it is when it succeeded or redirects, otherwise as a problem document. */
export async function asProblem(response: Response): Promise<Response> {
  if (response.status < 400) return response
  const text = await response.text()
  const error = readError(text)
  const code = problemCode(error.code, response.status)
  const own = code in problems ? problems[code as ProblemCode] : undefined
  const status = own?.[0] ?? response.status
  // Whatever went wrong inside is for the log, not for the one who asked.
  const detail = status >= 500 ? undefined : error.message
  const document: ProblemDocument = {
    type: 'about:blank',
    title: own?.[1] ?? detail ?? 'The request was refused',
    status,
    code,
    ...(detail !== undefined && { detail }),
    ...(error.issues && { issues: error.issues }),
  }
  return documentResponse(document, response.headers)
}

export function problemResponse(code: ProblemCode): Response {
  const [status, title] = problems[code]
  return documentResponse({ type: 'about:blank', title, status, code })
}

function documentResponse(document: ProblemDocument, from?: Headers): Response {
  const headers = new Headers(from)
  headers.delete('content-length')
  headers.set('content-type', 'application/problem+json')
  return new Response(JSON.stringify(document), { status: document.status, headers })
}

function readError(text: string): z.infer<typeof libraryError> {
  try {
    return libraryError.safeParse(JSON.parse(text)).data ?? {}
  } catch {
    return {}
  }
}

function problemCode(code: string | undefined, status: number): string {
  if (status >= 500) return 'internal'
  if (code === undefined) return statusCodes[status] ?? 'bad-request'
  return ownCodes[code] ?? code.toLowerCase().replaceAll('_', '-')
}
