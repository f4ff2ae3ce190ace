import { Problem } from '../../shared/errors.ts'
import type { Ctx } from './context.ts'

/**
 * A request for the auth library, its body read. The library hands text to the database as it comes, which cannot hold
 * NUL, and takes what is wrong with a request there for a fault of the server. Problems: invalid.
 */
export async function authRequest(c: Ctx): Promise<Request> {
  if (c.req.url.includes('%00')) throw unstorable()
  if (c.req.method !== 'POST') return c.req.raw
  const body = await c.req.text()
  if (holdsNul(body, c.req.header('content-type') ?? '')) throw unstorable()
  const headers = new Headers(c.req.raw.headers)
  // Node's fetch sends Sec-Fetch-Mode without an origin, which the library takes for a forged request of a browser.
  // Browsers send an origin with every POST, and where it was foreign we have refused it.
  if (!headers.has('origin')) headers.delete('sec-fetch-mode')
  // An empty text would be given a type, and the library takes no text.
  return new Request(c.req.url, { method: c.req.method, headers, body: body === '' ? null : body })
}

function unstorable(): Problem {
  return new Problem('invalid', { detail: 'text must not contain NUL characters' })
}

function holdsNul(body: string, type: string): boolean {
  if (body.includes('\0')) return true
  if (!type.includes('json')) return body.includes('%00')
  if (!body.includes('\\u0000')) return false
  let found = false
  try {
    JSON.parse(body, (key, value: unknown) => {
      found ||= key.includes('\0') || (typeof value === 'string' && value.includes('\0'))
    })
  } catch {
    // Not JSON, or nested too deep to look into: the library refuses the one, and nobody needs the other.
    return true
  }
  return found
}
