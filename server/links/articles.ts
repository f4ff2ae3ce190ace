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
