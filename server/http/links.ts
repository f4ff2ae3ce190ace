import { Hono } from 'hono'
import { Problem } from '../../shared/errors.ts'
import type { Env } from './context.ts'

/** An image as the proxy hands it on. */
export interface Image {
  type: string
  bytes: Uint8Array<ArrayBuffer>
}

/** Images of link cards, so that no reader's browser asks the linked host. Only images of known links are served. */
export function linkRoutes(parts: { readImage(link: string): Promise<Image | null> }): Hono<Env> {
  return new Hono<Env>().get('/api/links/:link/image', async (c) => {
    const image = await parts.readImage(c.req.param('link'))
    if (image === null) throw new Problem('not-found')
    return new Response(image.bytes, {
      headers: {
        'content-type': image.type,
        'cache-control': 'public, max-age=86400',
        // Whatever the bytes are taken for, they run nothing.
        'content-security-policy': "default-src 'none'; sandbox",
      },
    })
  })
}
