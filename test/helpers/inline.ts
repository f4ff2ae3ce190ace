import { hashOf } from '../../server/http/security-headers.ts'

/**
 * The scripts and styles of a page that a content policy would refuse: those inside of it that the policy does not name by
 * their hash, and those that come from elsewhere than the site's own files. Data is neither.
 */
export function refusedInline(html: string, policy: string): string[] {
  const refused: string[] = []
  for (const [whole, kind, attributes = '', text = ''] of html.matchAll(
    /<(script|style)\b([^>]*)>([\s\S]*?)<\/\1>/g,
  )) {
    const list = policy.split('; ').find((part) => part.startsWith(`${kind}-src `)) ?? ''
    const isData = attributes.includes('type="application/json"')
    const isFile = kind === 'script' && / src="\/assets\//.test(attributes) && text === ''
    if (!isData && !isFile && !list.split(' ').includes(hashOf(text))) refused.push(whole)
  }
  return refused
}
