import type { Packed } from './answers.ts'
import type { Ctx } from './context.ts'

/**
 * Answers with bytes that are ready, under their own `headers`. All headers of the answer are put together here, in one
 * plain object: what the middlewares would add they pass over then, which saves more than half of a request's time.
 */
export function sendPacked(c: Ctx, { bytes, encoding }: Packed, headers: Record<string, string>): Response {
  return complete(c, bytes, 200, {
    'content-length': String(bytes.length),
    ...(encoding !== undefined && { 'content-encoding': encoding }),
    vary: 'accept-encoding',
    ...headers,
  })
}

/** Tells a client that what it has is still right (304). `headers` are those of the whole answer. */
export function sendUnchanged(c: Ctx, headers: Record<string, string>): Response {
  return complete(c, null, 304, { vary: 'accept-encoding', ...headers })
}

function complete(
  c: Ctx,
  body: Uint8Array<ArrayBuffer> | Buffer | null,
  status: number,
  headers: Record<string, string>,
): Response {
  c.set('complete', true)
  const all = { ...c.get('headers')(), ...headers }
  return new Response(body as Uint8Array<ArrayBuffer> | null, { status, headers: all })
}
