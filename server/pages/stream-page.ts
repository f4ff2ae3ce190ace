import { stream } from 'hono/streaming'
import type { Ctx } from '../http/context.ts'

/** Answers with a page that is made piece by piece, for as long as somebody reads it. */
export function streamPage(
  c: Ctx,
  pieces: AsyncIterable<string>,
  headers: { readonly 'cache-control': string; readonly vary: string },
): Response {
  for (const [name, value] of Object.entries(headers)) c.header(name, value)
  c.header('content-type', 'text/html; charset=utf-8')
  return stream(c, async (out) => {
    for await (const piece of pieces) {
      if (out.aborted) return
      await out.write(piece)
    }
  })
}
