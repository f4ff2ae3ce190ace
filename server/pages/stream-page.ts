import { stream } from 'hono/streaming'
import type { Ctx } from '../http/context.ts'

/** Answers with a page that is made piece by piece, for as long as somebody reads it. */
export function streamPage(c: Ctx, pieces: AsyncIterable<string>, cacheControl: string): Response {
  c.header('cache-control', cacheControl)
  c.header('content-type', 'text/html; charset=utf-8')
  return stream(c, async (out) => {
    for await (const piece of pieces) {
      if (out.aborted) return
      await out.write(piece)
    }
  })
}
