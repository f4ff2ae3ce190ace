import { Problem } from '../../shared/errors.ts'
import { webUrl } from '../../shared/http.ts'
import { threadId } from '../../shared/post.ts'
import type { Db } from '../store/database.ts'
import { countComments } from '../store/threads.ts'
import { findPage, type PageParts } from './page-threads.ts'

/**
 * How many posts the threads of these pages have, and these threads, by what was asked for as it was given. The root of a
 * page's thread does not count, and a page without a thread has 0. What no page or thread can be meant by is left out.
 */
export async function getCounts(
  parts: PageParts & { db: Db },
  asked: { urls: readonly string[]; threads: readonly string[] },
): Promise<Record<string, number>> {
  const pages = new Map<string, string>()
  for (const url of asked.urls) {
    const id = await threadOfPage(parts, url)
    if (id !== undefined) pages.set(url, id)
  }
  const threads = asked.threads.filter((id) => threadId.safeParse(id).success)
  const counts = await countComments(parts.db, [...pages.values(), ...threads])
  return Object.fromEntries([
    ...[...pages].map(([url, id]) => [url, counts.get(id) ?? 0] as const),
    ...threads.flatMap((id) => (counts.has(id) ? [[id, counts.get(id)!] as const] : [])),
  ])
}

async function threadOfPage(parts: PageParts, given: string): Promise<string | undefined> {
  const { data: url } = webUrl.safeParse(given)
  if (url === undefined) return undefined
  try {
    return (await findPage(parts, url)).threadId
  } catch (error) {
    if (error instanceof Problem) return undefined
    throw error
  }
}
