import { Problem } from '../../shared/errors.ts'
import { isAllowedLink } from '../../shared/markdown-links.ts'
import { boolean, list, number, object, string, type Fields } from './fields.ts'
import { jsonValues } from './json-values.ts'
import type { SourceAuthor, SourceReaction, SourceRecord, SourceText } from './records.ts'
import { nameOf, timeOf } from './values.ts'

/**
 * GitHub Discussions as its GraphQL API gives them, page by page or all in one array: answers with `discussions`, with one
 * `discussion`, or with a search's `nodes`, and discussions by themselves. A discussion that giscus made stands for a page: its
 * text ends with a link there; else its title is the page's address or path. Other discussions are threads of their own.
 * The formats: https://docs.github.com/en/graphql/guides/using-the-graphql-api-for-discussions, and client.ts and
 * services/github/getDiscussion.ts of https://github.com/giscus/giscus.
 */
export async function* readGiscus(text: AsyncIterable<string>): AsyncGenerator<SourceRecord, void, void> {
  const told = new Set<string>()
  const counted = new Map<string, Counted>()
  let any = false
  for await (const { line, value, flaw } of jsonValues(text)) {
    if (flaw !== undefined) {
      yield { kind: 'skip', sourceId: null, line, reason: 'broken', detail: flaw }
      continue
    }
    const discussions = discussionsIn(object(value))
    any ||= discussions.length > 0
    for (const discussion of discussions) {
      const id = string(discussion['id'])
      if (id === '') {
        yield { kind: 'skip', sourceId: null, line, reason: 'broken', detail: 'a discussion has no id' }
        continue
      }
      // The next page of its comments.
      if (!told.has(id)) yield thread(discussion, line)
      told.add(id)
      yield* comments(discussion, id, line, counted)
    }
  }
  if (!any) throw new Problem('invalid', { detail: 'the file has no discussions of GitHub' })
  for (const [sourceId, { what, line, total, seen }] of counted) {
    if (seen >= total) continue
    const detail = `${total - seen} of its ${what} are not in the file`
    yield { kind: 'skip', sourceId, line, reason: 'broken', detail }
  }
}

/** An answer holds at most a hundred of a kind, and tells how many there are: what further answers should bring. */
interface Counted {
  what: 'comments' | 'replies'
  line: number
  total: number
  seen: number
}

function discussionsIn(value: Fields): Fields[] {
  const data = object(value['data'] ?? value)
  const repository = object(data['repository'] ?? data)
  const one = object(repository['discussion'] ?? data['node'])
  if ('id' in one) return [one]
  const many = object(repository['discussions'] ?? data['search'])
  if ('nodes' in many) return list(many['nodes']).map(object)
  // gh prints edges for some queries.
  if ('edges' in many) return list(many['edges']).map((edge) => object(object(edge)['node']))
  return 'comments' in data ? [data] : []
}

function thread(discussion: Fields, line: number): SourceRecord {
  const createdAt = timeOf(discussion['createdAt'])
  const title = string(discussion['title'])
  const url = pageOf(discussion, title)
  const author = authorOf(discussion['author'])
  return {
    kind: 'thread',
    sourceId: string(discussion['id']),
    line,
    url: url ?? (string(discussion['url']) || null),
    title,
    createdAt: Number.isNaN(createdAt) ? null : createdAt,
    closed: boolean(discussion['locked']) || boolean(discussion['closed']),
    root:
      url === null && (string(discussion['body']) || string(discussion['bodyHTML'])) !== ''
        ? { author, text: textOf(discussion), reactions: reactionsOf(discussion) }
        : undefined,
  }
}

/** The page that giscus made a discussion for; null where it is none of those. */
function pageOf(discussion: Fields, title: string): string | null {
  const body = string(discussion['body'])
  const html = string(discussion['bodyHTML'])
  // giscus writes the title as a heading and, after the page's description, the address as a link to itself.
  const [, link, shown] =
    /\[(https?:\/\/[^\]\s]+)\]\((https?:\/\/[^)\s]+)\)\s*(?:<!--[^>]*-->)?\s*$/.exec(body) ??
    /<a href="(https?:\/\/[^"]+)"[^>]*>(https?:\/\/[^<]+)<\/a>\s*(?:<\/p>)?\s*$/.exec(html) ??
    []
  if (link !== undefined && link === shown && isAllowedLink(link)) return link
  if (/^https?:\/\/\S+$/.test(title)) return title
  const byApp = string(object(discussion['author'])['login']).startsWith('giscus')
  if (!byApp) return null
  return title === 'index' ? '/' : /^[\w~.%-]+(\/[\w~.%-]*)*$/.test(title) ? `/${title}` : null
}

function* comments(
  discussion: Fields,
  thread: string,
  line: number,
  counted: Map<string, Counted>,
): Generator<SourceRecord, void, void> {
  count('comments', thread, discussion)
  for (const value of list(object(discussion['comments'])['nodes'])) {
    const node = object(value)
    yield comment(node, thread, null, line)
    const parent = string(node['id'])
    if (parent !== '') count('replies', parent, node)
    for (const reply of list(object(node['replies'])['nodes']))
      yield comment(object(reply), thread, parent || null, line)
  }

  function count(what: Counted['what'], id: string, of: Fields): void {
    const { nodes, totalCount } = object(of[what])
    const seen = (counted.get(id)?.seen ?? 0) + list(nodes).length
    if (number(totalCount) > 0) counted.set(id, { what, line, total: number(totalCount), seen })
  }
}

function comment(node: Fields, thread: string, parent: string | null, line: number): SourceRecord {
  const sourceId = string(node['id'])
  const skip = { kind: 'skip', sourceId: sourceId || null, line, place: { thread, parent } } as const
  if (sourceId === '') return { ...skip, reason: 'broken', detail: 'it has no id' }
  if (boolean(node['isMinimized'])) {
    const spam = string(node['minimizedReason']).toLowerCase() === 'spam'
    return { ...skip, reason: spam ? 'spam' : 'hidden', detail: string(node['minimizedReason']) || undefined }
  }
  const editedAt = timeOf(node['lastEditedAt'])
  return {
    kind: 'comment',
    sourceId,
    line,
    thread,
    parent,
    author: authorOf(node['author']),
    text: textOf(node),
    createdAt: timeOf(node['createdAt']),
    editedAt: Number.isNaN(editedAt) ? null : editedAt,
    deleted: typeof node['deletedAt'] === 'string',
    reactions: reactionsOf(node),
  }
}

/** GitHub's Markdown is near to that of posts, but for HTML in it. */
function textOf(node: Fields): SourceText {
  const [markdown, html] = [string(node['body']), string(node['bodyHTML'])]
  const plain = markdown.trim() !== '' && !/<[a-z!/]/i.test(markdown)
  return plain || html === '' ? { markdown } : { html, base: 'https://github.com/' }
}

/** An account that was deleted has no login; GitHub shows it as ghost. */
function authorOf(value: unknown): SourceAuthor {
  const { login, email } = object(value)
  const id = string(login) || 'ghost'
  return { sourceId: id, name: nameOf(id), ...(string(email) !== '' && { email: string(email) }) }
}

const emojiOf: Record<string, string | undefined> = {
  THUMBS_UP: '👍',
  THUMBS_DOWN: '👎',
  LAUGH: '😆',
  HOORAY: '🎉',
  CONFUSED: '😕',
  HEART: '❤️',
  ROCKET: '🚀',
  EYES: '👀',
}

/** Groups tell how many, and whom as far as the query asked for `reactors` or `users`. */
function reactionsOf(node: Fields): SourceReaction[] {
  return list(node['reactionGroups']).flatMap((value) => {
    const { content, reactors, users } = object(value)
    const emoji = emojiOf[string(content)]
    if (emoji === undefined) return []
    const group = [object(reactors), object(users)]
    const by = (group.map((each) => list(each['nodes'])).find((nodes) => nodes.length > 0) ?? [])
      .filter((user) => string(object(user)['login']) !== '')
      .map(authorOf)
    const count = Math.max(by.length, ...group.map((each) => number(each['totalCount'])))
    return count > 0 ? [{ emoji, count, by }] : []
  })
}
