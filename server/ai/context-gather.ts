import { normaliseUrl } from '../links/link-id.ts'
import { readTexts, sketchEmbeds, sketchThread, type PostSketch, type PostText } from '../store/context.ts'
import type { Db, Tx } from '../store/database.ts'
import { inSnapshot } from '../store/read.ts'
import type { Question } from './context.ts'
import {
  aboveGroup,
  ancestorsOf,
  distinct,
  embeddedGroup,
  mayRead,
  nameOf,
  nearbyGroup,
  newGroup,
  newsFor,
  quotedGroup,
  treeOf,
  type Group,
  type News,
} from './context-posts.ts'
import { contextLimits } from './limits.ts'
import { tokensPerByte } from './tokens.ts'

/** What there is to read for a question: the posts by reason, and the addresses of linked pages. */
export interface Gathered {
  readonly title: string
  /** The most important first. */
  readonly groups: readonly Group[]
  /** Texts by the posts' names. Posts that can find no room have none. */
  readonly texts: ReadonlyMap<string, PostText>
  readonly news: News | undefined
  readonly urls: readonly string[]
}

type Missing = 'thread-not-found' | 'post-not-found' | 'post-deleted'

/** Reads a thread's posts for a question, from one snapshot of the database. A long thread is not read whole: only its texts that may find room are. */
export function gather(db: Db, question: Question): Promise<Gathered | Missing> {
  return inSnapshot(db, async (tx) => {
    const { thread, number, budget } = question
    const sketch = await sketchThread(tx, thread)
    if (sketch === undefined) return 'thread-not-found'
    const tree = treeOf(sketch.posts)
    const asked = tree.get(number)
    if (asked === undefined) return 'post-not-found'
    if (!mayRead(asked)) return asked.state === 'deleted' ? 'post-deleted' : 'post-not-found'
    const chain = ancestorsOf(tree, number)
    // What far ancestors quote and show is not asked for when they themselves find no room.
    const speaking = fitting([asked, ...aboveGroup(chain).wanted], budget)
    const quoted = quotedGroup(tree, speaking)
    const { posts: embedded, urls } = await embedsOf(tx, thread, [
      ...speaking,
      ...fitting(quoted.wanted, budget),
    ])
    const news = newsFor(tree, question)
    const groups = distinct([
      { why: 'asked', posts: [asked], wanted: [asked] },
      aboveGroup(chain),
      quoted,
      embeddedGroup(embedded),
      ...(news ? [newGroup(news)] : []),
      nearbyGroup(tree, number),
    ])
    const wanted = groups.flatMap((group) => fitting(group.wanted, budget))
    const texts = await readTexts(tx, wanted, Math.ceil(budget / tokensPerByte))
    return {
      title: sketch.title,
      groups,
      texts: new Map(texts.map((text) => [nameOf(text), text])),
      news,
      urls: firstUrls(sketch.url, urls),
    }
  })
}

/** The first of some posts, as many as may find room if each takes as little as it can. */
function fitting(posts: readonly PostSketch[], budget: number): PostSketch[] {
  let left = budget
  return posts.filter(({ bytes }) => {
    if (left <= 0) return false
    left -= Math.min(bytes * tokensPerByte, 2 * contextLimits.leastCut) + contextLimits.leastFrame
    return true
  })
}

async function embedsOf(tx: Tx, thread: string, by: readonly PostSketch[]) {
  const rows = await sketchEmbeds(
    tx,
    thread,
    by.map(({ number }) => number),
  )
  // In the order of those that show them.
  const order = new Map(by.map(({ number }, at) => [number, at]))
  rows.sort((a, b) => order.get(a.by)! - order.get(b.by)!)
  return { posts: rows.flatMap(({ post }) => post ?? []), urls: rows.flatMap(({ url }) => url ?? []) }
}

/** The page under discussion, and then those that posts link to; each once. */
function firstUrls(discussed: string | null, linked: readonly string[]): string[] {
  const urls = new Map<string, string>()
  for (const url of [...(discussed === null ? [] : [discussed]), ...linked]) {
    const name = normaliseUrl(url)
    if (!urls.has(name)) urls.set(name, url)
  }
  return [...urls.values()].slice(0, contextLimits.documents)
}
