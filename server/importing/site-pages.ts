import { Problem } from '../../shared/errors.ts'
import { findPage, openPageThread, type Page, type PageParts } from '../embedding/page-threads.ts'
import type { StoredSite } from '../embedding/sites.ts'
import type { Actor } from '../threads/access.ts'
import type { ThreadParts } from '../threads/parts.ts'
import type { OpenPage } from './target.ts'

/** Finds or makes the threads of a site's pages, for an import of its comments. */
export function sitePages(parts: ThreadParts & PageParts, site: StoredSite) {
  const author: Actor = { id: site.authorId, name: site.name, kind: 'person', role: 'member' }
  return async ({ url, title }: OpenPage): Promise<{ thread: string } | { refused: string }> => {
    const page = await pageOfSite(parts, site, url)
    if (page === undefined) return { refused: url }
    const known = await parts.db
      .selectFrom('threads')
      .select('id')
      .where('id', '=', page.threadId)
      .executeTakeFirst()
    if (known === undefined)
      await openPageThread(parts, author, { url: page.url, ...(title !== undefined && { title }) })
    return { thread: page.threadId }
  }
}

/** The page at an address, if it is one of the site's. Old comments often name pages by a scheme that is no longer used. */
async function pageOfSite(parts: PageParts, site: StoredSite, url: string): Promise<Page | undefined> {
  const other = url.startsWith('http:') ? url.replace('http:', 'https:') : url.replace('https:', 'http:')
  for (const address of [url, other]) {
    try {
      const page = await findPage(parts, address)
      if (page.site.id === site.id) return page
    } catch (error) {
      if (!(error instanceof Problem)) throw error
    }
  }
  return undefined
}

/** What paths start from where nothing else is said: the site's origin, if it has exactly one, aliases aside. */
export function originOf({ origins, rules }: Pick<StoredSite, 'origins' | 'rules'>): string | undefined {
  const own = origins.filter(
    (origin) => !origin.includes('*') && !Object.hasOwn(rules.aliases, new URL(origin).host),
  )
  return own.length === 1 ? own[0] : undefined
}
