/** Every problem code, with the HTTP status it answers with and its title. Codes are stable; titles are for people. */
export const problems = {
  'bad-request': [400, 'The request could not be read'],
  invalid: [422, 'The request does not have the right form'],
  'sign-in-required': [401, 'Sign in or choose a guest name first'],
  forbidden: [403, 'You may not do this'],
  banned: [403, 'This account has been suspended'],
  'cross-site': [403, 'The request came from another site'],
  'not-found': [404, 'Not found'],
  'thread-not-found': [404, 'Thread not found'],
  'post-not-found': [404, 'Post not found'],
  'post-deleted': [410, 'The post has been deleted'],
  'edit-conflict': [409, 'Someone changed the post since'],
  'thread-locked': [409, 'The thread is locked'],
  'quote-mismatch': [422, 'The quoted post does not contain that text'],
  'too-many-reactions': [422, 'The post has as many different reactions as it can take'],
  'too-large': [413, 'The request is too large'],
  'unsupported-type': [415, 'Send JSON'],
  'rate-limited': [429, 'Too many requests'],
  'too-many-threads': [429, 'Too many threads joined on one socket'],
  'session-ended': [401, 'You have been signed out'],
  'persona-not-found': [404, 'There is no such AI participant'],
  'run-not-found': [404, 'There is no such AI reply'],
  'run-ended': [409, 'The reply has ended'],
  'text-gap': [409, 'The text does not go on where the reply stands'],
  'handle-taken': [409, 'The handle is taken'],
  'ai-loop': [409, 'AI participants have answered each other often enough; a person has to go on'],
  'ai-busy': [429, 'As many AI replies are being written as may be at a time'],
  'site-not-found': [404, 'There is no such site'],
  'origin-taken': [409, 'Another site has this origin'],
  'page-not-allowed': [403, 'Pages of this origin may not have threads here'],
  'token-refused': [401, 'The token of the host page is not valid'],
  'code-refused': [422, 'The code is not right, or no longer'],
  'ai-budget': [429, 'The budget for AI replies is used up for today'],
  internal: [500, 'Something went wrong on the server'],
  unavailable: [503, 'The server cannot answer right now'],
} as const satisfies Record<string, readonly [number, string]>

export type ProblemCode = keyof typeof problems

/** The one error class: thrown anywhere, turned into a problem document or an `error` message at the edge. */
export class Problem extends Error {
  readonly code: ProblemCode
  /** What was wrong with this very request, for people. */
  readonly detail: string | undefined
  /** When it is worth trying again, in milliseconds. */
  readonly retryMs: number | undefined
  /** Where the input is wrong: JSON path and message. */
  readonly issues: { path: string; message: string }[] | undefined

  constructor(
    code: ProblemCode,
    more: {
      detail?: string
      retryMs?: number
      issues?: { path: string; message: string }[]
      cause?: unknown
    } = {},
  ) {
    super(more.detail ?? problems[code][1], { cause: more.cause })
    this.name = 'Problem'
    this.code = code
    this.detail = more.detail
    this.retryMs = more.retryMs
    this.issues = more.issues
  }

  get status(): number {
    return problems[this.code][0]
  }
}
