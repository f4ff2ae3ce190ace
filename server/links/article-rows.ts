import type { Db } from '../store/database.ts'
import type { Article } from './articles.ts'
import { linkId } from './link-id.ts'

/** The stored text of a page, and when it was fetched. */
export async function storedArticle(
  db: Db,
  url: string,
): Promise<{ article: Article; fetchedAt: Date } | undefined> {
  const row = await db
    .selectFrom('articles')
    .select(['url', 'title', 'hash', 'sections', 'fetched_at'])
    .where('url_hash', '=', linkId(url))
    .executeTakeFirst()
  if (!row) return undefined
  const { fetched_at: fetchedAt, ...article } = row
  return { article, fetchedAt }
}

/** Stores the text of a page in the place of an older one. */
export async function storeArticle(db: Db, { url, title, hash, sections }: Article): Promise<void> {
  const row = { url, title, hash, sections: JSON.stringify(sections), fetched_at: new Date() }
  await db
    .insertInto('articles')
    .values({ url_hash: linkId(url), ...row })
    .onConflict((conflict) => conflict.column('url_hash').doUpdateSet(row))
    .execute()
}
