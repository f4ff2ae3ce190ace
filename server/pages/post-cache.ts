import { LRUCache } from 'lru-cache'

/** Posts as HTML, by everything that their HTML depends on. */
export type PostCache = Pick<LRUCache<string, string>, 'get' | 'set'>

/** A cache of at most `maxUnits` UTF-16 units of HTML, keys not counted. */
export function createPostCache(maxUnits = 32 * 1024 * 1024): PostCache {
  return new LRUCache({ maxSize: maxUnits, sizeCalculation: (html: string) => html.length + 1 })
}
