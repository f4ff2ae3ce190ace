import { LRUCache } from 'lru-cache'
import type { Db } from '../store/database.ts'
import { readAll, type Fetch } from './fetch.ts'
import { FetchError } from './guard.ts'
import { imageType, type ImageType } from './image-type.ts'
import { linkLimits } from './limits.ts'
import { turns } from './turns.ts'

export interface LinkImage {
  readonly type: ImageType
  readonly bytes: Uint8Array<ArrayBuffer>
}

export interface ImageParts {
  readonly db: Db
  readonly fetch: Fetch
  /** Milliseconds of a clock that does not jump. */
  readonly now?: () => number
}

export interface LinkImages {
  /** The image of a link that was found. Null when it has none, or none that we pass on. */
  read(linkId: string): Promise<LinkImage | null>
}

/**
 * Preview images by way of this server, so that the sites that hold them do not learn who reads. Only images of
 * stored links are fetched, never an address of the asker's choice. Kept in memory for a while; many who ask for
 * one image at the same time cost one fetch.
 */
export function createLinkImages({ db, fetch, now = () => performance.now() }: ImageParts): LinkImages {
  const withTurn = turns(linkLimits.imageFetches, linkLimits.imageWaiting)
  const cache = new LRUCache<string, { image: LinkImage | null }>({
    maxSize: linkLimits.imageCacheBytes,
    sizeCalculation: ({ image }) => entryBytes + (image?.bytes.byteLength ?? 0),
    ttl: linkLimits.imageCacheMs,
    perf: { now },
    ttlResolution: 0,
    async fetchMethod(id, _stale, { options }) {
      const url = await imageUrlOf(id)
      // Not kept: there are as many wrong ids as anyone cares to make up, and a link may be found the next moment.
      if (url === null) return undefined
      const image = await withTurn(() => download(fetch, url))
      if (!image) options.ttl = linkLimits.imageMissingMs
      return { image }
    },
  })
  return {
    async read(linkId) {
      return idForm.test(linkId) ? ((await cache.fetch(linkId))?.image ?? null) : null
    },
  }

  async function imageUrlOf(id: string): Promise<string | null> {
    const row = await db
      .selectFrom('links')
      .select('image_url')
      .where('id', '=', id)
      .where('state', '=', 'found')
      .executeTakeFirst()
    return row?.image_url ?? null
  }
}

const idForm = /^[\w-]{43}$/

/** What an entry of the cache takes beside its image, roughly. */
const entryBytes = 1024

/** What the bytes are is told by the bytes; what the server calls them only sorts out what is no image at all. */
async function download(fetch: Fetch, url: string): Promise<LinkImage | null> {
  try {
    const fetched = await fetch(url, {
      types: ['image/avif', 'image/webp', 'image/*', 'application/octet-stream', 'binary/octet-stream'],
      maxBytes: linkLimits.imageBytes,
    })
    const bytes = await readAll(fetched, linkLimits.imageBytes)
    const type = imageType(bytes)
    return type === null ? null : { type, bytes }
  } catch (error) {
    if (error instanceof FetchError) return null
    throw error
  }
}
