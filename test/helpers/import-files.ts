import sqlite from 'node-sqlite3-wasm'
import { createRandom, type Random } from './random.ts'

/** What becomes of a comment, by how its record is: `broken` ones do not even tell their place. */
export type Kind = 'live' | 'deleted' | 'spam' | 'unapproved' | 'bad-date' | 'empty' | 'broken'

export interface MadeComment {
  id: number
  thread: number
  parent: number | null
  author: number
  /** Milliseconds since 1970, whole seconds. */
  at: number
  kind: Kind
}

export interface MadeForum {
  random: Random
  threads: number
  /** In the order of their times. */
  comments: MadeComment[]
}

export interface ForumOptions {
  seed: number
  threads?: number
  comments?: number
  /** The kinds that the format has, beside `live`. */
  kinds: readonly Kind[]
  /** Replies to replies. */
  deep?: boolean
  /** `broken` only where nobody replied. */
  brokenLeaves?: boolean
}

const start = Date.UTC(2019, 3, 1)
const authorNames = [
  'Ada',
  'Grace Hopper',
  'Øyvind',
  '客',
  'O’Brien & Sons',
  'Zoë <z>',
  'Linus',
  'Margaret',
  'Edsger',
  'Barbara',
]

/** A made-up forum, the same for the same seed. A reply may claim to be older than what it replies to. */
export function makeForum(options: ForumOptions): MadeForum {
  const { seed, threads = 12, comments: count = 1_100, kinds, deep = true } = options
  const random = createRandom(seed)
  const comments: MadeComment[] = []
  for (let id = 1; id <= count; id++) {
    const thread = random.int(threads)
    const before = comments.filter((other) => other.thread === thread && (deep || other.parent === null))
    const parent = before.length > 0 && random.chance(0.6) ? random.pick(before).id : null
    comments.push({
      id,
      thread,
      parent,
      author: random.int(authorNames.length),
      at: start + id * 60_000 + random.int(59) * 1_000 - (random.chance(0.02) ? 3_600_000 : 0),
      kind: kinds.length > 0 && random.chance(0.12) ? random.pick(kinds) : 'live',
    })
  }
  if (options.brokenLeaves) {
    const answered = new Set(comments.map(({ parent }) => parent))
    for (const comment of comments)
      if (comment.kind === 'broken' && answered.has(comment.id)) comment.kind = 'live'
  }
  return { random, threads, comments }
}

/** A word that is in one comment and no other. */
export function wordOf({ id }: MadeComment): string {
  return `quokka${id}x`
}

export function authorOf({ author }: Pick<MadeComment, 'author'>): {
  id: string
  name: string
  email: string
} {
  return { id: `user${author}`, name: authorNames[author]!, email: `User${author}@Mail.example` }
}

export function pageOf(thread: number): { url: string; path: string; title: string } {
  return {
    url: `https://blog.example/posts/${thread}/`,
    path: `/posts/${thread}/`,
    title: `Essay ${thread}: “on” & off`,
  }
}

export interface Expected {
  id: number
  thread: number
  /** Null: the thread's first post. */
  parent: number | null
  name: string
  at: number
  deleted: boolean
}

/** What should be there afterwards: each comment that is kept, and what it replies to then. */
export function expectedOf({ comments }: MadeForum): Expected[] {
  const byId = new Map(comments.map((comment) => [comment.id, comment]))
  const standing = (id: number | null): number | null => {
    if (id === null) return null
    const { kind, parent } = byId.get(id)!
    if (kind === 'live' || kind === 'deleted') return id
    return kind === 'broken' ? null : standing(parent)
  }
  const kept = new Set<number>()
  for (const comment of comments) {
    if (comment.kind !== 'live') continue
    for (let at: number | null = comment.id; at !== null; at = standing(byId.get(at)!.parent)) kept.add(at)
  }
  return comments
    .filter(({ id }) => kept.has(id))
    .map((comment) => ({
      id: comment.id,
      thread: comment.thread,
      parent: standing(comment.parent),
      name: authorOf(comment).name,
      at: comment.at,
      deleted: comment.kind === 'deleted',
    }))
}

/** How many records are left out, by kind; deleted ones that keep a place are not. */
export function leftOut(forum: MadeForum): Partial<Record<Kind, number>> {
  const counts: Partial<Record<Kind, number>> = {}
  const kept = new Set(expectedOf(forum).map(({ id }) => id))
  for (const { id, kind } of forum.comments) if (!kept.has(id)) counts[kind] = (counts[kind] ?? 0) + 1
  return counts
}

const html = (comment: MadeComment) =>
  comment.kind === 'empty'
    ? '<p> </p>'
    : `<p>The ${wordOf(comment)} says 2 * 3 &lt; 7 &amp; <b>more</b>.</p><p>See <a href="https://a.example/x_y_z?q=1">this</a>.</p>`

const markdown = (comment: MadeComment) =>
  comment.kind === 'empty' ? '  ' : `The ${wordOf(comment)} says **more**.\n\n> quoted\n\nSee #1 and \`#2\`.`

function xml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}

const iso = (at: number) => new Date(at).toISOString().replace('.000Z', 'Z')
const sql = (at: number) => iso(at).replace('T', ' ').replace('Z', '')

function shuffled<T>(random: Random, items: readonly T[]): T[] {
  const list = [...items]
  for (let at = list.length - 1; at > 0; at--) {
    const other = random.int(at + 1)
    ;[list[at], list[other]] = [list[other]!, list[at]!]
  }
  return list
}

export const disqusKinds = ['deleted', 'spam', 'bad-date', 'empty', 'broken'] as const

/** Posts are in no order, some authors have no account, some posts have an unquoted attribute or a tag that is not closed. */
export function disqusXml(forum: MadeForum): string {
  const { random, comments } = forum
  const threads = Array.from({ length: forum.threads }, (_, thread) => {
    const { url, title } = pageOf(thread)
    return `<thread dsq:id="t${thread}">
<id>${thread}</id><forum>blog</forum><category dsq:id="7"/><link>${xml(url)}</link><title>${xml(title)}</title><message/>
<createdAt>${iso(start)}</createdAt><author><name>Owner</name><isAnonymous>false</isAnonymous><username>owner</username></author>
<isClosed>${thread === 1}</isClosed><isDeleted>false</isDeleted>
</thread>`
  })
  const posts = shuffled(random, comments).map((comment) => {
    const { id, name, email } = authorOf(comment)
    const known = comment.author % 2 === 0
    const date = comment.kind === 'bad-date' ? '2011-x09-30T22:48:43Z' : iso(comment.at)
    if (comment.kind === 'broken') return `<post dsq:id="${comment.id}"><message>lost <createdAt>${date}`
    return `<post dsq:id="${comment.id}">
<id>wp_id=${comment.id}</id><message><![CDATA[${html(comment)}]]></message><createdAt>${date}</createdAt>
<isDeleted>${comment.kind === 'deleted'}</isDeleted><isSpam>${comment.kind === 'spam'}</isSpam>
<author>${known ? '' : `<email>${email}</email>`}<name>${xml(name)}</name><isAnonymous>${!known}</isAnonymous>${known ? `<username>${id}</username>` : ''}</author>
<thread dsq:id="t${comment.thread}"/>${comment.parent === null ? '' : `<parent dsq:id="${comment.parent}"/>`}
</post>`
  })
  return `<?xml version="1.0" encoding="utf-8"?>
<disqus xmlns="http://disqus.com" xmlns:dsq="http://disqus.com/disqus-internals" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="http://disqus.com/api/schemas/1.0/disqus.xsd">
<category dsq:id="7"><forum>blog</forum><title>General</title><isDefault>true</isDefault></category>
${threads.join('\n')}
${posts.join('\n')}
</disqus>
`
}

export const wordPressKinds = ['spam', 'unapproved', 'bad-date', 'empty', 'broken'] as const

export function wordPressXml({ comments, threads }: MadeForum): string {
  const items = Array.from({ length: threads }, (_, thread) => {
    const { url, title } = pageOf(thread)
    const own = comments
      .filter((comment) => comment.thread === thread)
      .map((comment) => {
        if (comment.kind === 'broken') return `<wp:comment>\n<wp:comment_author><![CDATA[Nobody]]>`
        const { name, email } = authorOf(comment)
        const state = { spam: 'spam', unapproved: '0' }[comment.kind as string] ?? '1'
        const text =
          comment.kind === 'empty' ? ' ' : `The ${wordOf(comment)}\nsays <b>more</b>.\n\nNext paragraph.`
        return `<wp:comment>
<wp:comment_id>${comment.id}</wp:comment_id>
<wp:comment_author><![CDATA[${name}]]></wp:comment_author>
<wp:comment_author_email><![CDATA[${email}]]></wp:comment_author_email>
<wp:comment_author_url></wp:comment_author_url><wp:comment_author_IP><![CDATA[192.0.2.1]]></wp:comment_author_IP>
<wp:comment_date><![CDATA[2001-01-01 00:00:00]]></wp:comment_date>
<wp:comment_date_gmt><![CDATA[${comment.kind === 'bad-date' ? '0000-00-00 00:00:00' : sql(comment.at)}]]></wp:comment_date_gmt>
<wp:comment_content><![CDATA[${text}]]></wp:comment_content>
<wp:comment_approved><![CDATA[${state}]]></wp:comment_approved>
<wp:comment_type><![CDATA[comment]]></wp:comment_type>
<wp:comment_parent>${comment.parent ?? 0}</wp:comment_parent><wp:comment_user_id>${comment.author === 0 ? 1 : 0}</wp:comment_user_id>
<wp:commentmeta><wp:meta_key><![CDATA[akismet]]></wp:meta_key><wp:meta_value><![CDATA[<junk>]]></wp:meta_value></wp:commentmeta>
</wp:comment>`
      })
    return `<item>
<title><![CDATA[${title}]]></title><link>${url}</link><pubDate>Mon, 01 Apr 2019 00:00:00 +0000</pubDate>
<dc:creator><![CDATA[owner]]></dc:creator><guid isPermaLink="false">https://blog.example/?p=${thread}</guid>
<content:encoded><![CDATA[<p>An essay with <item> in it.</p>]]></content:encoded>
<wp:post_id>${thread + 100}</wp:post_id><wp:post_date_gmt><![CDATA[${sql(start)}]]></wp:post_date_gmt>
<wp:comment_status><![CDATA[open]]></wp:comment_status><wp:status><![CDATA[publish]]></wp:status>
<wp:post_type><![CDATA[post]]></wp:post_type>
<wp:postmeta><wp:meta_key><![CDATA[k]]></wp:meta_key><wp:meta_value><![CDATA[v]]></wp:meta_value></wp:postmeta>
${own.join('\n')}
<wp:comment><wp:comment_id>${9_000 + thread}</wp:comment_id><wp:comment_author>Elsewhere</wp:comment_author><wp:comment_date_gmt>${sql(start)}</wp:comment_date_gmt><wp:comment_content>[...] ping [...]</wp:comment_content><wp:comment_approved>1</wp:comment_approved><wp:comment_type>pingback</wp:comment_type><wp:comment_parent>0</wp:comment_parent></wp:comment>
</item>`
  })
  return `<?xml version="1.0" encoding="UTF-8" ?>
<!-- This is a WordPress eXtended RSS file. -->
<rss version="2.0"
	xmlns:excerpt="http://wordpress.org/export/1.2/excerpt/"
	xmlns:content="http://purl.org/rss/1.0/modules/content/"
	xmlns:dc="http://purl.org/dc/elements/1.1/"
	xmlns:wp="http://wordpress.org/export/1.2/">
<channel><title>Blog</title><link>https://blog.example</link>
<wp:wxr_version>1.2</wp:wxr_version><wp:base_site_url>https://blog.example</wp:base_site_url>
<wp:base_blog_url>https://blog.example</wp:base_blog_url>
<wp:author><wp:author_id>1</wp:author_id><wp:author_login><![CDATA[owner]]></wp:author_login></wp:author>
${items.join('\n')}
</channel></rss>
`
}

export const remark42Kinds = ['deleted', 'bad-date', 'empty', 'broken'] as const

export function remark42Lines({ random, comments }: MadeForum): string {
  const lines = shuffled(random, comments).map((comment) => {
    const { id, name } = authorOf(comment)
    const { url, title } = pageOf(comment.thread)
    const line = JSON.stringify({
      id: `c-${comment.id}`,
      pid: comment.parent === null ? '' : `c-${comment.parent}`,
      text: comment.kind === 'deleted' ? '' : html(comment),
      orig: '',
      user: { name: xml(name), id: `github_${id}`, picture: '', ip: '00ff', admin: false, site_id: 'blog' },
      locator: { site: 'blog', url },
      score: 0,
      votes: { [`github_voter${comment.id % 3}`]: true, github_other: false },
      voted_ips: {},
      vote: 0,
      time:
        comment.kind === 'bad-date'
          ? '0001-01-01T00:00:00Z'
          : iso(comment.at - 6 * 3_600_000).replace('Z', '-06:00'),
      ...(comment.id % 10 === 0 && { edit: { time: iso(comment.at + 60_000), summary: '' } }),
      ...(comment.kind === 'deleted' && { delete: true }),
      title: xml(title),
    })
    return comment.kind === 'broken' ? line.slice(0, 40) : line
  })
  return [
    JSON.stringify({ version: 1, users: [], posts: [{ url: pageOf(1).url, read_only: true }] }),
    ...lines,
    '',
  ].join('\n')
}

export const issoKinds = ['deleted', 'unapproved', 'bad-date', 'empty', 'broken'] as const

/** Writes a database as Isso makes it. */
export function issoDatabase(file: string, { comments, threads }: MadeForum): void {
  const db = new sqlite.Database(file)
  db.exec(`
    create table preferences (key VARCHAR PRIMARY KEY, value VARCHAR);
    create table threads (id INTEGER PRIMARY KEY, uri VARCHAR(256) UNIQUE, title VARCHAR(256));
    create table comments (tid REFERENCES threads(id), id INTEGER PRIMARY KEY, parent INTEGER, created FLOAT NOT NULL,
      modified FLOAT, mode INTEGER, remote_addr VARCHAR, text VARCHAR, author VARCHAR, email VARCHAR, website VARCHAR,
      likes INTEGER DEFAULT 0, dislikes INTEGER DEFAULT 0, voters BLOB NOT NULL, notification INTEGER DEFAULT 0);
    pragma user_version = 3; begin`)
  for (let thread = 0; thread < threads; thread++) {
    const { path, title } = pageOf(thread)
    db.run('insert into threads values (?, ?, ?)', [thread, path, title])
  }
  const insert = db.prepare(
    'insert into comments values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, null, ?, ?, zeroblob(256), 0)',
  )
  const modes: Partial<Record<Kind, number>> = { deleted: 4, unapproved: 2, broken: 9 }
  for (const comment of comments) {
    const { name, email } = authorOf(comment)
    const gone = comment.kind === 'deleted'
    const created = comment.kind === 'bad-date' ? -1 : comment.at / 1000
    insert.run([
      comment.thread,
      comment.id,
      comment.parent,
      created,
      comment.id % 10 === 0 ? comment.at / 1000 + 60 : null,
      modes[comment.kind] ?? 1,
      '192.0.2.0',
      gone ? '' : markdown(comment),
      gone ? null : xml(name),
      comment.author % 2 ? email : null,
      comment.id % 3,
      comment.id % 2,
    ])
  }
  insert.finalize()
  db.exec('commit')
  db.close()
}

export const giscusKinds = ['spam', 'bad-date', 'empty', 'broken'] as const

/** Pages of answers one after the other, as `gh api graphql --paginate` prints them. */
export function giscusAnswers({ comments, threads }: MadeForum): string {
  const node = (comment: MadeComment): object => {
    const { id } = authorOf(comment)
    return {
      ...(comment.kind !== 'broken' && { id: `DC_${comment.id}` }),
      author: { login: id },
      createdAt: comment.kind === 'bad-date' ? null : iso(comment.at),
      lastEditedAt: comment.id % 10 === 0 ? iso(comment.at + 60_000) : null,
      deletedAt: null,
      isMinimized: comment.kind === 'spam',
      minimizedReason: comment.kind === 'spam' ? 'spam' : null,
      body: comment.kind === 'empty' ? '' : markdown(comment),
      bodyHTML: comment.kind === 'empty' ? '' : html(comment),
      reactionGroups: [
        { content: 'THUMBS_UP', reactors: { totalCount: 2, nodes: [{ login: 'user0' }] } },
        { content: 'HEART', users: { totalCount: comment.id % 4 } },
        { content: 'ROCKET', users: { totalCount: 0 } },
      ],
      replies: { totalCount: 0, nodes: [] },
    }
  }
  return Array.from({ length: threads }, (_, thread) => {
    const { url, title } = pageOf(thread)
    const own = comments.filter((comment) => comment.thread === thread)
    const nodes = own
      .filter(({ parent }) => parent === null)
      .map((top) => {
        const replies = own.filter(({ parent }) => parent === top.id).map(node)
        return { ...node(top), replies: { totalCount: replies.length, nodes: replies } }
      })
    const discussion = {
      id: `D_${thread}`,
      title: thread % 2 === 0 ? `posts/${thread}` : title,
      url: `https://github.com/o/r/discussions/${thread}`,
      createdAt: iso(start),
      locked: thread === 1,
      author: { login: 'giscus' },
      body: `# ${title}\n\nAn essay.\n\n[${url}](${url})`,
      comments: { totalCount: nodes.length, nodes },
    }
    const discussions = { nodes: [discussion], pageInfo: { hasNextPage: thread < threads - 1 } }
    return JSON.stringify({ data: { repository: { discussions } } })
  }).join('')
}

export const hackerNewsKinds = ['deleted', 'spam', 'bad-date', 'empty', 'broken'] as const
const storyId = (thread: number) => 1_000_000 + thread

/** What the search answers for each story; dead items are not in it. */
export function hackerNewsNested({ comments, threads }: MadeForum): string {
  const node = (comment: MadeComment): object => ({
    ...(comment.kind !== 'broken' && { id: comment.id }),
    created_at: comment.kind === 'bad-date' ? 'yesterday' : new Date(comment.at).toISOString(),
    type: 'comment',
    author: comment.kind === 'deleted' ? null : authorOf(comment).name,
    title: null,
    url: null,
    text: comment.kind === 'deleted' ? null : html(comment),
    points: null,
    parent_id: comment.parent ?? storyId(comment.thread),
    story_id: storyId(comment.thread),
    ...(comment.kind === 'spam' && { dead: true }),
    children: comments.filter(({ parent }) => parent === comment.id).map(node),
  })
  const stories = Array.from({ length: threads }, (_, thread) => ({
    id: storyId(thread),
    created_at: new Date(start).toISOString(),
    type: 'story',
    author: 'poster',
    title: pageOf(thread).title,
    url: thread === 0 ? null : pageOf(thread).url,
    text: thread === 0 ? 'Ask HN: <i>why</i>?' : null,
    children: comments.filter((each) => each.thread === thread && each.parent === null).map(node),
  }))
  return JSON.stringify(stories, null, 2)
}

/** Items as the API gives them, a line each and in no order, `null` among them. */
export function hackerNewsItems({ random, comments, threads }: MadeForum): string {
  const stories = Array.from({ length: threads }, (_, thread) => ({
    by: 'poster',
    descendants: 1,
    id: storyId(thread),
    kids: [],
    score: 5,
    time: start / 1000,
    title: pageOf(thread).title,
    type: 'story',
    ...(thread === 0 ? { text: 'Ask HN: <i>why</i>?' } : { url: pageOf(thread).url }),
  }))
  const items = comments.map((comment) => ({
    ...(comment.kind === 'deleted' ? { deleted: true } : { by: authorOf(comment).name, text: html(comment) }),
    ...(comment.kind === 'spam' && { dead: true }),
    id: comment.id,
    parent: comment.parent ?? storyId(comment.thread),
    time: comment.kind === 'bad-date' ? 'soon' : comment.at / 1000,
    type: 'comment',
  }))
  const broken = new Set(comments.filter(({ kind }) => kind === 'broken').map(({ id }) => id))
  return shuffled(random, [...stories, ...items])
    .map((item) => (broken.has(item.id) ? 'null' : JSON.stringify(item)))
    .join('\n')
}
