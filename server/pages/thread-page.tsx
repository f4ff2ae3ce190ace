import { renderToString } from 'preact-render-to-string'
import { postAnchor, threadPath } from '../../client/views/format.ts'
import { ThreadBar, ThreadHead } from '../../client/views/thread-head.tsx'
import type { ThreadSnapshot } from '../../shared/http.ts'
import { limits } from '../../shared/limits.ts'
import { countPosts } from '../../shared/thread-state.ts'
import { closePage, openPage, type Frame } from './frame.tsx'
import type { PostCache } from './post-cache.ts'
import { plainText, scriptJson } from './text.ts'
import { numbered, packThread, renderPosts } from './thread-posts.tsx'

/** Who reads it is left open. */
export interface ThreadPageData extends Omit<Frame, 'viewer'> {
  readonly snapshot: ThreadSnapshot
  /** The post that the page's address names, if it names one. It is in the snapshot. */
  readonly focus?: number
}

/**
 * A thread's page, piece by piece: a long thread neither waits to be whole nor holds up the process. Who reads it is to be
 * filled in into the first piece.
 */
export async function* renderThreadPage(
  { cache }: { cache: PostCache },
  data: ThreadPageData,
): AsyncGenerator<string, void, void> {
  const { snapshot, focus } = data
  const { thread } = snapshot
  const posts = numbered(snapshot)
  const root = posts[0]
  const focused = focus === undefined ? undefined : posts[focus - 1]

  const { assets, publicUrl } = data
  yield openPage(
    { assets, publicUrl },
    {
      title: focused === undefined ? thread.title : `${focused.author.name} on “${thread.title}”`,
      description: plainText((focused ?? root)?.html ?? '', limits.excerptMax),
      path: threadPath(thread.id),
      type: 'article',
      feed: { path: `${threadPath(thread.id)}/feed.xml`, title: thread.title },
    },
  )
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
  yield* renderPosts({ cache, thread: thread.id, posts }, {}, focus)
  yield `</div>${renderToString(<Below />)}`

  const head = { page: 'thread', focus: focus ?? null }
  yield closePage(`${scriptJson(head).slice(0, -1)},"thread":${await packThread(snapshot)}}`)
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
