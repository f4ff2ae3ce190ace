import { LRUCache } from 'lru-cache'
import type { Logger } from 'pino'
import type { Db } from '../store/database.ts'
import { fetchMessage, Unreadable } from './article-failure.ts'
import { fetchPage } from './article-fetch.ts'
import { storeArticle, storedArticle } from './article-rows.ts'
import { createArticleWorkers, type WorkerLimits } from './article-workers.ts'
import type { Fetch } from './fetch.ts'
import { FetchError } from './guard.ts'
import { createSharedWork } from './article-shared.ts'
import { turns } from './turns.ts'
import { articleLimits } from './limits.ts'
import { linkId, normaliseUrl } from './link-id.ts'

/** The readable text of a linked page. */
export interface Article {
  readonly url: string
  readonly title: string
  /** SHA-256 of the text, in hex. */
  readonly hash: string
  readonly sections: readonly ArticleSection[]
}

export interface ArticleSection {
  readonly heading: string | null
  /** Plain text; paragraphs are set apart by an empty line. */
  readonly text: string
}

/** Linked pages as text. */
export interface Articles {
  /** Reads a page, from the database where it was read before. Throws an ArticleError, or the signal's reason. */
  read(url: string, signal: AbortSignal): Promise<Article>
  close(): Promise<void>
}

/** Why a page cannot be read. Its message is for readers. */
export class ArticleError extends Error {}

export interface ArticlesParts {
  readonly db: Db
  readonly fetch: Fetch
  readonly log: Pick<Logger, 'info' | 'error'>
  /** False where the server may not ask others: nothing is read then. */
  readonly enabled: boolean
  /** Other limits than usual, for pages that are read from now on. */
  readonly limits?: Partial<WorkerLimits>
}

/**
 * Linked pages as text. A page is fetched when somebody wants to read it and what is stored is not fresh; all who want
 * it meanwhile wait for the same fetch. If that fails, an older text serves.
 */
export function createArticles(parts: ArticlesParts): Articles {
  const { db, log } = parts
  const workers = createArticleWorkers(parts.limits)
  const withTurn = turns(articleLimits.reads, articleLimits.waiting)
  const reads = createSharedWork<Article>()
  /** What readers are told of pages that could not be read a moment ago. */
  const failed = new LRUCache<string, string>({ max: articleLimits.failures, ttl: articleLimits.retryMs })
  const stopped = new Error('the server stops')
  let closed = false
  return {
    async read(url, signal) {
      if (!parts.enabled) throw new ArticleError('Linked pages are not read on this site')
      if (closed) throw stopped
      return await reads.join(linkId(url), (signal) => load(url, signal), signal)
    },
    async close() {
      closed = true
      await reads.close(stopped)
      await workers.close()
    },
  }

  async function load(url: string, signal: AbortSignal): Promise<Article> {
    const stored = await storedArticle(db, url)
    if (stored && Date.now() - stored.fetchedAt.getTime() < articleLimits.freshMs) return stored.article
    try {
      const article = await fetchArticle(url, signal)
      await keep(article)
      return article
    } catch (error) {
      if (stored && !signal.aborted) return stored.article
      throw error
    }
  }

  async function fetchArticle(url: string, signal: AbortSignal): Promise<Article> {
    const id = linkId(url)
    const known = failed.get(id)
    if (known !== undefined) throw new ArticleError(known)
    try {
      const text = await withTurn(async () => {
        signal.throwIfAborted()
        return await workers.extract(await fetchPage(parts.fetch, url, signal), signal)
      })
      // Said of this server and not of the page, so it is not kept.
      if (!text) throw new ArticleError('Too many pages are being read at the moment')
      return { url: normaliseUrl(url), ...text }
    } catch (error) {
      if (!(error instanceof FetchError || error instanceof Unreadable)) throw error
      log.info({ link: id, reason: reasonOf(error) }, 'a page could not be read')
      const message = error instanceof FetchError ? fetchMessage(error) : error.message
      failed.set(id, message)
      throw new ArticleError(message, { cause: error })
    }
  }

  /** A text that cannot be stored can still be read. */
  async function keep(article: Article): Promise<void> {
    try {
      await storeArticle(db, article)
    } catch (error) {
      log.error({ err: error, link: linkId(article.url) }, 'the text of a page could not be stored')
    }
  }
}

function reasonOf(error: FetchError | Unreadable): string {
  const { cause } = error
  return cause instanceof Error ? `${error.message}: ${cause.message}` : error.message
}
