import { Problem } from '../../shared/errors.ts'
import { jsonValues, type JsonRecord } from './json-values.ts'
import { boolean, number, object, string, type Fields } from './fields.ts'
import type { SourceReaction, SourceRecord } from './records.ts'
import { nameOf, timeOf, unescaped } from './values.ts'

/**
 * A backup of Remark42: a line about users and pages, then a line for each comment. `text` is HTML that was made from
 * `orig`; that one has entities in it where people typed none. Votes are taken over as their number: Remark42 never
 * showed who voted.
 * The format: https://remark42.com/docs/backup/backup, and `Comment` in backend/app/store/comment.go.
 */
export async function* readRemark42(text: AsyncIterable<string>): AsyncGenerator<SourceRecord, void, void> {
  const told = new Set<string>()
  let closed = new Set<string>()
  let first = true
  for await (const record of jsonValues(text)) {
    const fields = object(record.value)
    if (first) {
      first = false
      if ('version' in fields && !('locator' in fields)) {
        if (fields['version'] !== 0 && fields['version'] !== 1)
          throw new Problem('invalid', {
            detail: `line 1: the backup has version ${JSON.stringify(fields['version'])}; 0 and 1 can be read`,
          })
        closed = closedPages(fields)
        continue
      }
      if (!('locator' in fields))
        throw new Problem('invalid', { detail: 'the file is not a backup of Remark42' })
    }
    const url = string(object(fields['locator'])['url'])
    if (record.flaw === undefined && url !== '' && !told.has(url)) {
      told.add(url)
      yield {
        kind: 'thread',
        sourceId: url,
        line: record.line,
        url,
        title: unescaped(string(fields['title'])),
        createdAt: null,
        closed: closed.has(url),
      }
    }
    yield comment(record, fields, url)
  }
  if (first) throw new Problem('invalid', { detail: 'the file is not a backup of Remark42: it is empty' })
}

function closedPages(header: Fields): Set<string> {
  const pages = Array.isArray(header['posts']) ? header['posts'].map(object) : []
  return new Set(pages.filter((page) => page['read_only'] === true).map((page) => string(page['url'])))
}

function comment({ line, flaw }: JsonRecord, fields: Fields, thread: string): SourceRecord {
  const sourceId = string(fields['id'])
  if (flaw !== undefined || sourceId === '' || thread === '') {
    const detail = flaw ?? (sourceId === '' ? 'it has no id' : 'it names no page')
    return { kind: 'skip', sourceId: sourceId || null, line, reason: 'broken', detail }
  }
  const user = object(fields['user'])
  const name = unescaped(string(user['name']))
  const html = string(fields['text'])
  const editedAt = timeOf(object(fields['edit'])['time'])
  return {
    kind: 'comment',
    sourceId,
    line,
    thread,
    parent: string(fields['pid']) || null,
    author: { sourceId: string(user['id']) || `name:${name}`, name: nameOf(name) },
    text: html.trim() === '' ? { markdown: unescaped(string(fields['orig'])) } : { html, base: thread },
    createdAt: timeOf(fields['time']),
    editedAt: Number.isNaN(editedAt) ? null : editedAt,
    deleted: boolean(fields['delete']),
    reactions: votes(fields),
  }
}

function votes(fields: Fields): SourceReaction[] {
  const all = Object.values(object(fields['votes']))
  // Old backups have the sum alone.
  const score = all.length === 0 ? number(fields['score']) : 0
  return [
    { emoji: '👍', count: all.filter((vote) => vote === true).length + Math.max(0, score) },
    { emoji: '👎', count: all.filter((vote) => vote === false).length + Math.max(0, -score) },
  ]
}
