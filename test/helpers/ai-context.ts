import { buildContext, type Context, type Question } from '../../server/ai/context.ts'
import { ArticleError, type Article, type Articles } from '../../server/links/articles.ts'
import { ensureLinks } from '../../server/links/link-rows.ts'
import type { Db } from '../../server/store/database.ts'
import { insertPost, type NewPost } from '../../server/store/insert.ts'
import type { Post, PostState } from '../../shared/post.ts'
import { content } from './store.ts'

/** Articles from memory. An address that is not there gives an error, as a page that is gone does. */
export function memoryArticles(pages: Record<string, Pick<Article, 'title' | 'sections'>>): Articles {
  return {
    async read(url, signal) {
      signal.throwIfAborted()
      const page = pages[url]
      if (page === undefined) throw new ArticleError('The page answered 404.')
      return { url, hash: 'a'.repeat(64), ...page }
    },
    close: async () => undefined,
  }
}

/** A page of some sections, each with words of its own. */
export function page(title: string, texts: readonly string[]): Pick<Article, 'title' | 'sections'> {
  return { title, sections: texts.map((text, at) => ({ heading: `Part ${at + 1}`, text })) }
}

export function ask(
  { db, articles = memoryArticles({}) }: { db: Db; articles?: Articles },
  question: Partial<Question> & Pick<Question, 'thread' | 'number'>,
  signal = new AbortController().signal,
): Promise<Context> {
  const persona = { handle: 'explain', name: 'Explain', instructions: 'Explain it.' }
  return buildContext(
    { db, articles },
    { persona, request: null, asker: null, since: null, budget: 8_000, ...question },
    signal,
  )
}

/** Writes a reply in any state. `links` are addresses that it embeds. */
export async function write(
  db: Db,
  thread: string,
  authorId: string,
  body: string,
  more: Partial<NewPost> & { links?: readonly string[]; state?: PostState } = {},
): Promise<Post> {
  const { links = [], embeds = [], ...rest } = more
  const linked = (await ensureLinks(db, links)).map(({ id }) => ({ link: id }))
  const post = {
    ...content(body, [...linked, ...embeds]),
    thread,
    parent: 1,
    authorId,
    clientId: null,
    quote: null,
  }
  return (await insertPost(db, { ...post, ...rest })).post
}

/** A piece as it stands in the messages. */
export interface Block {
  label: string
  text: string
}

/** Takes the material apart by its real marks, and fails where something stands outside of them. */
export function blocksOf({ messages }: Context): { blocks: Block[]; closing: string; boundary: string } {
  const boundary = /holds the word (\w+)\./.exec(messages[0]!.content)![1]!
  const user = messages[1]!.content
  const pattern = new RegExp(`<<([^\\n]*) ${boundary}>>\\n([\\s\\S]*?)\\n<<end ${boundary}>>\\n\\n`, 'gy')
  const blocks: Block[] = []
  let end = 0
  for (const match of user.matchAll(pattern)) {
    blocks.push({ label: match[1]!, text: match[2]! })
    end = match.index + match[0].length
  }
  return { blocks, closing: user.slice(end), boundary }
}

/** What was read, in short: `asked 5`, `ancestor 1`, `article 1§2`. */
export function readList({ manifest }: Context): string[] {
  return manifest.pieces.map((piece) =>
    piece.kind === 'post' ? `${piece.why} ${piece.number}` : `article ${piece.document}§${piece.section}`,
  )
}
