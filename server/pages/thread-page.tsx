import { setImmediate as nextTurn } from 'node:timers/promises'
import { renderToString } from 'preact-render-to-string'
import { createPacker, type PackedPost } from '../../client/page-state.ts'
import { postAnchor, threadPath } from '../../client/views/format.ts'
import { StillFoot } from '../../client/views/foot.tsx'
import { PostMain, postAttributes, relations } from '../../client/views/post.tsx'
import { ThreadBar, ThreadHead } from '../../client/views/thread-head.tsx'
import type { ThreadSnapshot } from '../../shared/http.ts'
import { limits } from '../../shared/limits.ts'
import type { Post } from '../../shared/post.ts'
import { countPosts, treeRows } from '../../shared/thread-state.ts'
import { closePage, openPage, type Frame } from './frame.tsx'
import type { PostCache } from './post-cache.ts'
import { plainText, scriptJson } from './text.ts'

// So many posts are rendered before others get their turn: about five milliseconds of work when none is cached.
const postsPerTurn = 50

export interface ThreadPageData extends Frame {
  readonly snapshot: ThreadSnapshot
  /** The post that the page's address names, if it names one. It is in the snapshot. */
  readonly focus?: number
}

/** A thread's page, piece by piece: a long thread neither waits to be whole nor holds up the process. */
export async function* renderThreadPage(
  { cache }: { cache: PostCache },
  data: ThreadPageData,
): AsyncGenerator<string, void, void> {
  const { snapshot, focus } = data
  const { thread, seq } = snapshot
  const posts: (Post | undefined)[] = []
  for (const post of snapshot.posts) posts[post.number - 1] = post
  const root = posts[0]
  const focused = focus === undefined ? undefined : posts[focus - 1]

  yield openPage(data, {
    title: focused === undefined ? thread.title : `${focused.author.name} on “${thread.title}”`,
    description: plainText((focused ?? root)?.html ?? '', limits.excerptMax),
    path: threadPath(thread.id),
    type: 'article',
    feed: { path: `${threadPath(thread.id)}/feed.xml`, title: thread.title },
  })
  yield renderToString(
    <>
      <nav class="back" aria-label="Back">
        <a href="/">← Back to all posts</a>
        {focus !== undefined && <a href={postAnchor(focus)}>Go to post #{focus}</a>}
      </nav>
      <div id="head" class="head">
        <ThreadHead thread={thread} author={root?.author} />
      </div>
      <div id="bar" class="bar">
        <ThreadBar posts={countPosts({ posts })} />
      </div>
    </>,
  )
  yield '<div id="posts" class="posts">'
  const rows = treeRows(posts)
  for (let i = 0; i < rows.length; i += postsPerTurn) {
    let html = ''
    for (const { post, depth } of rows.slice(i, i + postsPerTurn)) {
      html +=
        openTag(postAttributes(post, depth, post.number === focus)) + inside(cache, thread.id, post, posts)
    }
    yield html
    await nextTurn()
  }
  yield `</div>${renderToString(<Below />)}`

  const packer = createPacker()
  let packed = ''
  for (let i = 0; i < snapshot.posts.length; i += 10 * postsPerTurn) {
    const slice: PackedPost[] = snapshot.posts
      .slice(i, i + 10 * postsPerTurn)
      .map((post) => packer.pack(post))
    packed += `${packed === '' ? '' : ','}${scriptJson(slice).slice(1, -1)}`
    await nextTurn()
  }
  const head = { page: 'thread', viewer: data.viewer, focus: focus ?? null }
  const rest = scriptJson({ thread, seq, authors: packer.authors })
  yield closePage(
    data,
    `${scriptJson(head).slice(0, -1)},"thread":${rest.slice(0, -1)},"posts":[${packed}]}}`,
  )
}

/** A post's HTML within its element. The same for every reader, so it is kept. */
function inside(cache: PostCache, thread: string, post: Post, posts: readonly (Post | undefined)[]): string {
  const { repliesTo, quoted } = relations(post, (number) => posts[number - 1])
  const embeds = post.embeds === undefined ? '' : JSON.stringify(post.embeds)
  const { author, asker } = post
  const names = JSON.stringify([
    author.name,
    author.picture,
    asker?.name,
    repliesTo?.author?.name,
    quoted?.name,
  ])
  const key = `${thread}/${post.number}/${post.seq} ${names} ${embeds}`
  const known = cache.get(key)
  if (known !== undefined) return known
  const main = renderToString(<PostMain thread={thread} post={post} repliesTo={repliesTo} quoted={quoted} />)
  const foot = post.reactions.length === 0 ? '' : renderToString(<StillFoot reactions={post.reactions} />)
  const html = `<div class="main">${main}</div><div class="foot">${foot}</div></article>`
  cache.set(key, html)
  return html
}

/** Values are numbers and words of ours, so there is nothing to escape. */
function openTag(attributes: Record<string, string>): string {
  const text = Object.entries(attributes).map(([name, value]) => ` ${name}="${value}"`)
  return `<article${text.join('')}>`
}

/** What stands below the posts and comes to life with the script. */
function Below() {
  return (
    <>
      <div id="compose" class="compose">
        <button type="button" id="reply-root" class="button">
          Reply to the thread
        </button>
        <p id="locked" class="note" hidden>
          This thread is locked: it takes no replies for now.
        </p>
      </div>
      <button type="button" id="pill" class="pill" hidden></button>
      <button type="button" id="quote-selection" class="quote-selection" hidden>
        Quote
      </button>
      <p id="announce" class="unseen" role="status"></p>
      <p id="replies" class="unseen" role="status"></p>
    </>
  )
}
