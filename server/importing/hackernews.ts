import { Problem } from '../../shared/errors.ts'
import { boolean, list, object, string, type Fields } from './fields.ts'
import { jsonValues } from './json-values.ts'
import type { SourceRecord, SourceSkip } from './records.ts'
import { nameOf, timeOf, timeOfSeconds, unescaped } from './values.ts'

const origin = 'https://news.ycombinator.com/'

/**
 * Items of Hacker News: nested ones as its search gives them (`children`), or flat ones as its API does (`parent`), in an
 * array or one after the other. A flat comment's story is found by way of its parents, so those are held until the end.
 * The formats: https://hn.algolia.com/api, and https://github.com/HackerNews/API.
 */
export async function* readHackerNews(text: AsyncIterable<string>): AsyncGenerator<SourceRecord, void, void> {
  const flat = new Map<string, { line: number; item: Fields }>()
  let any = false
  for await (const { line, value, flaw } of jsonValues(text)) {
    const item = object(value)
    const id = string(item['id'])
    if (flaw !== undefined || id === '') {
      // The API answers null for an item that nobody may see.
      const detail = flaw ?? (value === null ? 'it is null' : 'it has no id')
      yield { kind: 'skip', sourceId: null, line, reason: 'broken', detail }
    } else if ('children' in item) yield* nested(item, line)
    else flat.set(id, { line, item })
    any ||= id !== ''
  }
  if (!any) throw new Problem('invalid', { detail: 'the file has no items of Hacker News' })
  yield* flatItems(flat)
}

function* nested(root: Fields, line: number): Generator<SourceRecord, void, void> {
  const thread = string(root['id'])
  if (!isStory(root)) {
    yield {
      kind: 'skip',
      sourceId: thread,
      line,
      reason: 'unknown-thread',
      detail: 'only whole stories can be read',
    }
    return
  }
  yield story(root, line)
  // Not by recursion: a file may nest as deep as it likes.
  const waiting = list(root['children']).map((item) => ({
    item: object(item),
    parent: null as string | null,
  }))
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { item, parent } = next
    yield comment(item, line, thread, parent)
    const id = string(item['id'])
    for (const child of list(item['children'])) waiting.push({ item: object(child), parent: id || parent })
  }
}

function* flatItems(items: Map<string, { line: number; item: Fields }>): Generator<SourceRecord, void, void> {
  for (const { line, item } of items.values()) if (isStory(item)) yield story(item, line)
  const storyOf = new Map<string, string | null>()
  for (const [id, { line, item }] of items) {
    if (isStory(item)) continue
    const thread = findStory(id)
    const parent = string(item['parent'])
    if (thread === null)
      yield {
        kind: 'skip',
        sourceId: id,
        line,
        reason: 'unknown-thread',
        detail: `there is no ${parent || 'parent'}`,
      }
    else yield comment(item, line, thread, parent === thread ? null : parent)
  }

  function findStory(id: string): string | null {
    const path: string[] = []
    let found: string | null = null
    for (let at = id; ;) {
      const known = storyOf.get(at)
      const item = items.get(at)?.item
      if (known !== undefined || item === undefined) {
        found = known ?? null
        break
      }
      if (isStory(item)) {
        found = at
        break
      }
      // Until the story is found, for parents that lead back to where one was.
      storyOf.set(at, null)
      path.push(at)
      at = string(item['parent'])
    }
    for (const step of path) storyOf.set(step, found)
    return found
  }
}

function isStory({ type, parent, parent_id, title }: Fields): boolean {
  if (type === 'story' || type === 'poll' || type === 'job') return true
  return type === undefined && typeof title === 'string' && (parent ?? parent_id ?? null) === null
}

function story(item: Fields, line: number): SourceRecord {
  const sourceId = string(item['id'])
  if (boolean(item['deleted']) || boolean(item['dead']))
    return { kind: 'skip', sourceId, line, reason: 'thread-deleted' }
  const createdAt = createdOf(item)
  const html = string(item['text'])
  return {
    kind: 'thread',
    sourceId,
    line,
    url: string(item['url']) || `${origin}item?id=${sourceId}`,
    title: unescaped(string(item['title'])),
    createdAt: Number.isNaN(createdAt) ? null : createdAt,
    root: html === '' ? undefined : { author: authorOf(item), text: { html, base: origin } },
  }
}

function comment(item: Fields, line: number, thread: string, parent: string | null): SourceRecord {
  const sourceId = string(item['id'])
  const skip: Omit<SourceSkip, 'reason'> = {
    kind: 'skip',
    sourceId: sourceId || null,
    line,
    place: { thread, parent },
  }
  if (sourceId === '') return { ...skip, reason: 'broken', detail: 'it has no id' }
  if (item['type'] === 'pollopt') return { ...skip, reason: 'not-a-comment', detail: 'pollopt' }
  if (boolean(item['dead'])) return { ...skip, reason: 'hidden' }
  return {
    kind: 'comment',
    sourceId,
    line,
    thread,
    parent,
    author: authorOf(item),
    text: { html: string(item['text']), base: origin },
    createdAt: createdOf(item),
    // The search says of a deleted item no more than its place.
    deleted: boolean(item['deleted']) || (item['author'] === null && (item['text'] ?? null) === null),
  }
}

function authorOf(item: Fields) {
  const name = string(item['by'] ?? item['author'])
  return { sourceId: name || 'deleted', name: nameOf(name, 'Deleted account') }
}

function createdOf(item: Fields): number {
  return 'time' in item
    ? timeOfSeconds(item['time'])
    : 'created_at_i' in item
      ? timeOfSeconds(item['created_at_i'])
      : timeOf(item['created_at'])
}
