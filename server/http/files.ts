import { serveStatic } from '@hono/node-server/serve-static'
import type { MiddlewareHandler } from 'hono'
import type { Env } from './context.ts'

/** Serves the files below `root`; passes on where there is none. */
export function serveFiles(root: string, cacheControl: string): MiddlewareHandler<Env> {
  const serve = serveStatic<Env>({ root })
  return async (c, next) => {
    // Files that begin with a dot are the build's own.
    if (c.req.path.includes('/.')) return next()
    const answer = await serve(c, next)
    if (answer instanceof Response) answer.headers.set('cache-control', cacheControl)
    return answer
  }
}
