import type { SourceRecord, SourceThread } from './records.ts'
import { readXml, textAt, type XmlNode, type XmlRecord } from './xml.ts'
import { looseAuthor, nameOf, timeOf } from './values.ts'

/**
 * WordPress's export, WXR: RSS whose items hold `wp:comment`. Ids are those of one blog, so what the file says of its
 * address goes before them.
 * The format: https://developer.wordpress.org/reference/functions/export_wp/ (wp-admin/includes/export.php).
 */
export async function* readWordPress(text: AsyncIterable<string>): AsyncGenerator<SourceRecord, void, void> {
  const item = 'rss/channel/item'
  const records = readXml(text, {
    what: 'an export of WordPress (WXR)',
    records: ['rss/channel/wp:base_blog_url', item, `${item}/wp:comment`],
    ignored: ['content:encoded', 'excerpt:encoded', 'wp:postmeta', 'wp:comment/wp:commentmeta'].map(
      (name) => `${item}/${name}`,
    ),
  })
  let blog = ''
  /** The item whose thread was told last. */
  let told: XmlNode | undefined
  for await (const record of records) {
    if (record.path === 'rss/channel/wp:base_blog_url') blog = record.node.text.trim().replace(/\/$/, '')
    else if (record.path === item) {
      if (record.flaw === 'cut-off' && told !== record.node)
        yield {
          kind: 'skip',
          sourceId: null,
          line: record.line,
          reason: 'broken',
          detail: 'an article has no end',
        }
    } else {
      const article = record.outer!
      if (told !== article) yield thread(article, record.line, blog)
      told = article
      yield comment(record, article, blog)
    }
  }
}

function threadId(item: XmlNode, blog: string): string {
  return `${blog}#post-${textAt(item, 'wp:post_id') || textAt(item, 'link')}`
}

function thread(item: XmlNode, line: number, blog: string): SourceThread {
  const createdAt = timeOf(textAt(item, 'wp:post_date_gmt'))
  return {
    kind: 'thread',
    sourceId: threadId(item, blog),
    line,
    url: textAt(item, 'link') || null,
    title: textAt(item, 'title'),
    createdAt: Number.isNaN(createdAt) ? null : createdAt,
    closed: textAt(item, 'wp:comment_status') === 'closed',
  }
}

function comment({ node, line, flaw }: XmlRecord, item: XmlNode, blog: string): SourceRecord {
  const field = (name: string) => textAt(node, `wp:comment_${name}`)
  const id = field('id')
  const sourceId = id && `${blog}#comment-${id}`
  const thread = threadId(item, blog)
  const parentId = field('parent')
  const parent = parentId === '' || parentId === '0' ? null : `${blog}#comment-${parentId}`
  const skip = { kind: 'skip', sourceId: sourceId || null, line, place: { thread, parent } } as const
  if (flaw === 'too-long') return { ...skip, reason: 'too-long' }
  if (flaw !== undefined) return { ...skip, reason: 'broken', detail: 'it has no end' }
  if (id === '') return { ...skip, reason: 'broken', detail: 'it has no id' }
  const type = field('type')
  if (type !== '' && type !== 'comment')
    return { ...skip, reason: 'not-a-comment', detail: type.slice(0, 40) }
  const state = field('approved')
  if (state === 'spam') return { ...skip, reason: 'spam' }
  if (state === 'trash' || state === 'post-trashed') return { ...skip, reason: 'trash' }
  if (state !== '1') return { ...skip, reason: 'unapproved' }
  const user = field('user_id')
  const [name, email] = [field('author'), field('author_email')]
  return {
    kind: 'comment',
    sourceId,
    line,
    thread,
    parent,
    author:
      user === '' || user === '0'
        ? looseAuthor(name, email)
        : { sourceId: `${blog}#user-${user}`, name: nameOf(name), ...(email && { email }) },
    text: { html: field('content'), lines: true },
    createdAt: timeOf(field('date_gmt')),
  }
}
