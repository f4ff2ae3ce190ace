import { setImmediate as nextTurn } from 'node:timers/promises'
import { renderToString } from 'preact-render-to-string'
import { createPacker, type PackedPost } from '../../client/page-state.ts'
import { StillFoot } from '../../client/views/foot.tsx'
import { PostMain, postAttributes, relations } from '../../client/views/post.tsx'
import type { ThreadSnapshot } from '../../shared/http.ts'
import type { Post } from '../../shared/post.ts'
import { treeRows, type TreeView } from '../../shared/thread-state.ts'
import type { PostCache } from './post-cache.ts'
import { scriptJson } from './text.ts'

// So many posts are rendered before others get their turn: about five milliseconds of work when none is cached.
const postsPerTurn = 50

type Posts = readonly (Post | undefined)[]

/** The posts with number n at n - 1. */
export function numbered({ posts }: ThreadSnapshot): Posts {
  const places: (Post | undefined)[] = []
  for (const post of posts) places[post.number - 1] = post
  return places
}

/** The posts in reading order, piece by piece. The one with the number `focus` is marked. */
export async function* renderPosts(
  parts: { cache: PostCache; thread: string; posts: Posts },
  view: TreeView,
  focus?: number,
): AsyncGenerator<string, void, void> {
  const { cache, thread, posts } = parts
  const rows = treeRows(posts, view)
  for (let i = 0; i < rows.length; i += postsPerTurn) {
    let html = ''
    for (const { post, depth } of rows.slice(i, i + postsPerTurn)) {
      html += openTag(postAttributes(post, depth, post.number === focus)) + inside(cache, thread, post, posts)
    }
    yield html
    await nextTurn()
  }
}

/** What the page's script needs of the thread beside its HTML: JSON that can stand in a script element. */
export async function packThread({ thread, seq, posts }: ThreadSnapshot): Promise<string> {
  const packer = createPacker()
  let packed = ''
  for (let i = 0; i < posts.length; i += 10 * postsPerTurn) {
    const slice: PackedPost[] = posts.slice(i, i + 10 * postsPerTurn).map((post) => packer.pack(post))
    packed += `${packed === '' ? '' : ','}${scriptJson(slice).slice(1, -1)}`
    await nextTurn()
  }
  const rest = scriptJson({ thread, seq, authors: packer.authors })
  return `${rest.slice(0, -1)},"posts":[${packed}]}`
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
