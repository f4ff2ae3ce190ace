import { decodeHtml } from './charset.ts'
import type { Fetch, Fetched } from './fetch.ts'
import { FetchError } from './guard.ts'
import { readHead, type Head } from './head.ts'
import { linkLimits } from './limits.ts'
import { cleanText } from './text.ts'

/** What is shown of a linked page: plain text, to be escaped like any other. */
export interface Preview {
  readonly title: string
  readonly site: string
  readonly description: string | null
  /** http(s), without credentials; checked again by whoever fetches it. */
  readonly imageUrl: string | null
}

export interface PreviewParts {
  readonly fetch: Fetch
}

/**
 * The preview of what is at `url`. Null when there is nothing to be found there: refused, gone, an error, or of a
 * type that nobody reads. Throws the FetchError of failures that may pass, and the reason of `signal`.
 */
export async function readPreview(
  parts: PreviewParts,
  url: string,
  signal?: AbortSignal,
): Promise<Preview | null> {
  try {
    const fetched = await parts.fetch(url, {
      types: [
        'text/html',
        'application/xhtml+xml',
        'application/pdf',
        'image/*',
        'text/*',
        'audio/*',
        'video/*',
      ],
      maxBytes: linkLimits.pageBytes,
      ...(signal && { signal }),
    })
    if (fetched.type === 'text/html' || fetched.type === 'application/xhtml+xml') {
      return pagePreview(fetched.url, await readHead(decodeHtml(fetched.body, fetched.charset)))
    }
    fetched.close()
    return filePreview(fetched)
  } catch (error) {
    if (error instanceof FetchError && !mayPass(error)) return null
    throw error
  }
}

/** Whether the same fetch could go well a little later. */
function mayPass({ reason, status = 0 }: FetchError): boolean {
  if (reason === 'status') return status >= 500 || status === 408 || status === 429
  return reason === 'dns' || reason === 'timeout' || reason === 'network'
}

function pagePreview(url: URL, { title, base, meta }: Head): Preview {
  const first =
    (...texts: (string | undefined)[]) =>
    (max: number) => {
      for (const text of texts) {
        const clean = cleanText(text, max)
        if (clean !== null) return clean
      }
      return null
    }
  const host = hostOf(url)
  const site = first(meta.get('og:site_name'), meta.get('application-name'))(linkLimits.siteMax) ?? host
  const image = ['og:image:secure_url', 'og:image:url', 'og:image', 'twitter:image', 'twitter:image:src']
    .map((key) => meta.get(key)?.trim())
    .find((value) => value !== undefined && value !== '')
  return {
    title: first(meta.get('og:title'), meta.get('twitter:title'), title)(linkLimits.titleMax) ?? nameOf(url),
    site,
    description: first(
      meta.get('og:description'),
      meta.get('twitter:description'),
      meta.get('description'),
    )(linkLimits.descriptionMax),
    imageUrl: image === undefined ? null : imageUrl(image, baseOf(url, base)),
  }
}

/** A file says nothing of itself that we read: its name and host must do. An image is its own picture. */
function filePreview({ url, type }: Fetched): Preview {
  return {
    title: nameOf(url),
    site: hostOf(url),
    description: null,
    imageUrl: type.startsWith('image/') ? imageUrl(url.href, url.href) : null,
  }
}

function hostOf(url: URL): string {
  return url.hostname.replace(/^www\./, '').slice(0, linkLimits.siteMax)
}

/** The last part of the path as people would read it, else the host. */
export function nameOf(url: URL): string {
  const last = url.pathname.split('/').findLast((part) => part !== '') ?? ''
  return cleanText(decoded(last), linkLimits.titleMax) ?? hostOf(url)
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

function baseOf(url: URL, base: string | undefined): string {
  return base !== undefined && URL.canParse(base, url.href) ? new URL(base, url).href : url.href
}

function imageUrl(address: string, base: string): string | null {
  if (!URL.canParse(address, base)) return null
  const url = new URL(address, base)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return null
  if (url.username !== '' || url.password !== '' || url.href.length > linkLimits.urlMax) return null
  return url.href
}
