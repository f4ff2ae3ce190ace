import type { SourceAuthor, SourceRecord } from './records.ts'
import { textAt, readXml, type XmlNode, type XmlRecord } from './xml.ts'
import { looseAuthor, nameOf, timeOf } from './values.ts'

/**
 * The XML export of Disqus: threads, then posts which name their thread and parent by `dsq:id`; `message` is HTML. Newer
 * exports tell no addresses of mail.
 * The format: https://help.disqus.com/en/articles/1717164-comments-export, with the schema that the files name,
 * http://disqus.com/api/schemas/1.0/disqus.xsd.
 */
export async function* readDisqus(text: AsyncIterable<string>): AsyncGenerator<SourceRecord, void, void> {
  const records = readXml(text, {
    what: 'an export of Disqus',
    records: ['disqus/thread', 'disqus/post'],
    others: ['disqus/post/thread'],
    ignored: ['disqus/thread/message'],
  })
  for await (const record of records) yield record.path === 'disqus/thread' ? thread(record) : post(record)
}

function thread({ node, line, flaw }: XmlRecord): SourceRecord {
  const sourceId = disqusId(node)
  if (flaw !== undefined || sourceId === '')
    return { kind: 'skip', sourceId: sourceId || null, line, reason: 'broken', detail: 'a thread' }
  if (textAt(node, 'isDeleted') === 'true') return { kind: 'skip', sourceId, line, reason: 'thread-deleted' }
  const createdAt = timeOf(textAt(node, 'createdAt'))
  return {
    kind: 'thread',
    sourceId,
    line,
    url: textAt(node, 'link') || null,
    title: textAt(node, 'title'),
    createdAt: Number.isNaN(createdAt) ? null : createdAt,
    closed: textAt(node, 'isClosed') === 'true',
  }
}

function post({ node, line, flaw }: XmlRecord): SourceRecord {
  const sourceId = disqusId(node) || textAt(node, 'id')
  const thread = disqusId(node.children.find(({ name }) => name === 'thread'))
  const parent = disqusId(node.children.find(({ name }) => name === 'parent')) || null
  const skip = {
    kind: 'skip',
    sourceId: sourceId || null,
    line,
    ...(thread && { place: { thread, parent } }),
  } as const
  if (flaw === 'too-long') return { ...skip, reason: 'too-long' }
  if (flaw !== undefined) return { ...skip, reason: 'broken', detail: 'it has no end' }
  if (sourceId === '') return { ...skip, reason: 'broken', detail: 'it has no id' }
  if (thread === '') return { ...skip, reason: 'broken', detail: 'it names no thread' }
  const isSpam = textAt(node, 'isSpam')
  if (isSpam === 'true') return { ...skip, reason: 'spam' }
  return {
    kind: 'comment',
    sourceId,
    line,
    thread,
    parent,
    author: author(node),
    text: { html: textAt(node, 'message') },
    createdAt: timeOf(textAt(node, 'createdAt')),
    deleted: textAt(node, 'isDeleted') === 'true',
  }
}

function author(node: XmlNode): SourceAuthor {
  const [name, username, email] = ['name', 'username', 'email'].map((field) => textAt(node, 'author', field))
  const anonymous = textAt(node, 'author', 'isAnonymous') === 'true' || username === ''
  if (anonymous) return looseAuthor(name!, email!)
  return { sourceId: username!, name: nameOf(name!, nameOf(username!)), ...(email && { email }) }
}

function disqusId(node: XmlNode | undefined): string {
  return node?.attributes['dsq:id']?.replace(/\/$/, '').trim() ?? ''
}
