import { ArticleError, type Article, type Articles } from '../links/articles.ts'
import type { ManifestDocument } from '../../shared/run.ts'
import { asData } from './context-text.ts'

/** A linked page that was to be read, with its sections as a model is given them. */
export interface Document extends ManifestDocument {
  readonly texts: readonly {
    readonly section: number
    readonly heading: string | null
    readonly text: string
  }[]
}

/** Reads pages, all at a time. One that cannot be read is there with the reason. Throws the signal's reason. */
export async function readDocuments(
  articles: Articles,
  urls: readonly string[],
  signal: AbortSignal,
): Promise<Document[]> {
  const read = await Promise.allSettled(urls.map((url) => articles.read(url, signal)))
  signal.throwIfAborted()
  return read.map((outcome, at) => {
    const [document, url] = [at + 1, urls[at]!]
    return outcome.status === 'fulfilled'
      ? documentOf(document, url, outcome.value)
      : { document, url, title: url, hash: null, sections: 0, problem: problemOf(outcome.reason), texts: [] }
  })
}

function documentOf(document: number, url: string, { title, hash, sections }: Article): Document {
  const texts = sections.map(({ heading, text }, at) => ({ section: at + 1, heading, text: asData(text) }))
  return {
    document,
    url,
    title,
    hash,
    sections: sections.length,
    texts: texts.filter(({ text }) => text !== ''),
  }
}

function problemOf(error: unknown): string {
  return error instanceof ArticleError && error.message !== '' ? error.message : 'The page could not be read.'
}

/** A document without its texts, as it is noted. */
export function noteOf({ texts: _, ...note }: Document): ManifestDocument {
  return note
}
