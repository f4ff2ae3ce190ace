import type { PageRules } from '../../shared/site.ts'

/**
 * What names a page among those of its site: host, path, and the parameters that count, in ASCII. Addresses with the same
 * key are one page. Scheme and fragment never count. Throws where `address` is none.
 */
export function pageKey(address: string, rules: PageRules): string {
  const url = new URL(address)
  return hostOf(url, rules) + shortPath(evenPath(url.pathname), rules) + queryOf(url, rules)
}

/**
 * A page's address as people are shown it: without the fragment and the parameters that do not count. Its path stays as
 * it was given, since a page's host need not answer at the shorter one. Throws where `address` is none.
 */
export function pageUrl(address: string, rules: PageRules): string {
  const url = new URL(address)
  return `${url.protocol}//${hostOf(url, rules)}${url.pathname}${queryOf(url, rules)}`
}

function hostOf({ host }: URL, { aliases }: PageRules): string {
  return Object.hasOwn(aliases, host) ? aliases[host]! : host
}

const unreserved = /[\w.~-]/

/** A path in one spelling: nothing is escaped that need not be, everything else in the same way. */
function evenPath(path: string): string {
  const even = path
    .replace(/%([\da-f]{2})/gi, (escape, hex: string) => {
      const character = String.fromCharCode(parseInt(hex, 16))
      return unreserved.test(character) ? character : escape.toUpperCase()
    })
    // Which of these are escaped differs between parsers.
    .replace(/[^\w.~!$&'()*+,;=:@/%-]/g, (character) => encodeURIComponent(character))
  // Node 20's leaves dots standing where a path has one of those.
  return new URL(`http://host${even}`).pathname
}

const indexes = ['/index.html', '/index.htm', '/index.php']

/** The path without what names a folder's own page. */
function shortPath(path: string, { index, trailingSlash }: PageRules): string {
  for (;;) {
    const name = index ? indexes.find((each) => path.endsWith(each)) : undefined
    if (name !== undefined) path = path.slice(0, 1 - name.length)
    else if (trailingSlash && path.length > 1 && path.endsWith('/')) path = path.slice(0, -1)
    else return path
  }
}

/** The parameters that count, in the order of their names; those of one name stay in theirs. */
function queryOf({ searchParams }: URL, { keep }: PageRules): string {
  const kept = new URLSearchParams([...searchParams].filter(([name]) => keep.includes(name)))
  kept.sort()
  return kept.size === 0 ? '' : `?${kept.toString()}`
}
