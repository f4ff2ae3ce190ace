import type { FetchError } from './guard.ts'

/** Why a page gives no text. */
export type ArticleFailure = 'broken-pdf' | 'complex' | 'locked-pdf' | 'no-text' | 'no-text-pdf' | 'slow'

/** What readers are told of it. */
export const failureMessages: Readonly<Record<ArticleFailure, string>> = {
  'broken-pdf': 'The PDF is broken',
  complex: 'The page is too complex to be read',
  'locked-pdf': 'The PDF is locked with a password',
  'no-text': 'The page holds no text',
  'no-text-pdf': 'The PDF holds no text',
  slow: 'The page takes too long to be read',
}

/** Thrown where a page turns out to give no text. */
export class Unreadable extends Error {
  readonly failure: ArticleFailure

  constructor(failure: ArticleFailure, cause?: unknown) {
    super(failureMessages[failure], { cause })
    this.name = 'Unreadable'
    this.failure = failure
  }
}

/** What readers are told of a fetch that failed. */
export function fetchMessage({ reason, status }: FetchError): string {
  switch (reason) {
    case 'scheme':
    case 'port':
    case 'credentials':
    case 'address':
      return 'The address is not one of a public page'
    case 'timeout':
      return 'The page took too long to answer'
    case 'too-large':
      return 'The page is too large'
    case 'type':
      return 'The page is not text, HTML or PDF'
    case 'redirects':
      return 'The page leads from address to address without end'
    case 'status':
      if (status === 404 || status === 410) return 'The page does not exist'
      if (status === 401 || status === 402 || status === 403 || status === 451)
        return `The page is not open to everyone (${status})`
      return `The page could not be reached (${status})`
    case 'dns':
    case 'network':
      return 'The page could not be reached'
  }
}
