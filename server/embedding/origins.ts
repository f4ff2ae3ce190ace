import { originPattern } from '../../shared/site.ts'

/**
 * The patterns that an origin matches, the closest first: itself, then the wildcards above it, the longest first. None
 * for what is not the origin of a web page as browsers write it.
 */
export function patternsOf(origin: string): string[] {
  // Whatever else browsers take for the name of a host is none that a pattern could name; a wildcard is no origin.
  if (origin.includes('*') || originPattern.safeParse(origin).data !== origin) return []
  const { protocol, hostname, host } = new URL(origin)
  const patterns = [origin]
  const labels = hostname.split('.')
  // Nothing is above an address.
  if (/^\d+$/.test(labels.at(-1)!)) return patterns
  const port = host.slice(hostname.length)
  for (let from = 1; from < labels.length; from++) {
    patterns.push(`${protocol}//*.${labels.slice(from).join('.')}${port}`)
  }
  return patterns
}

/** Whether a pattern of a site allows an origin. Scheme and port are the same; a wildcard stands for one or more labels. */
export function matchesOrigin(pattern: string, origin: string): boolean {
  return patternsOf(origin).includes(pattern)
}

/** The sources of a content policy's `frame-ancestors` that allow what these patterns do, which mean the same there. */
export function frameAncestors(patterns: readonly string[]): string {
  return patterns.join(' ')
}
