import type { PostSketch } from '../store/context.ts'
import { catchUpHandle } from './shipped.ts'
import type { Question } from './context.ts'

/** Posts that belong to a question for one reason. `posts` are in the order in which they are read. */
export interface Group {
  readonly why: 'asked' | 'ancestor' | 'quoted' | 'embedded' | 'new' | 'sibling'
  readonly posts: readonly PostSketch[]
  /** The same, those first that are wanted most. */
  readonly wanted: readonly PostSketch[]
}

/**
 * Whether a model may read a post: only what everyone may read who can read its answer. All threads are public, and
 * a text that is not finished or was taken back is nobody's to read.
 */
export function mayRead(post: { readonly state: PostSketch['state'] }): boolean {
  return post.state !== 'deleted' && post.state !== 'streaming'
}

/** The posts above one, from the first of the thread to its parent. Those that may not be read are left out. */
export function ancestorsOf(tree: Tree, number: number): PostSketch[] {
  const chain: PostSketch[] = []
  let at = tree.get(number)?.parent ?? null
  while (at !== null) {
    const post = tree.get(at)
    if (post === undefined) break
    chain.push(post)
    at = post.parent
  }
  return readable(chain.toReversed())
}

/** A thread's posts by number. */
export interface Tree {
  get(number: number): PostSketch | undefined
  childrenOf(number: number): readonly PostSketch[]
  readonly posts: readonly PostSketch[]
}

export function treeOf(posts: readonly PostSketch[]): Tree {
  const byNumber = new Map(posts.map((post) => [post.number, post]))
  const children = new Map<number, PostSketch[]>()
  for (const post of posts) {
    if (post.parent === null) continue
    const list = children.get(post.parent)
    if (list) list.push(post)
    else children.set(post.parent, [post])
  }
  return { posts, get: (number) => byNumber.get(number), childrenOf: (number) => children.get(number) ?? [] }
}

/** The chain above: the first post says what it is all about, and the nearest ones what is being answered. */
export function aboveGroup(chain: readonly PostSketch[]): Group {
  const upwards = chain.toReversed()
  const root = upwards.pop()
  const [parent, ...further] = root === undefined ? [] : upwards
  return {
    why: 'ancestor',
    posts: chain,
    wanted: [parent, root, ...further].filter((post) => post !== undefined),
  }
}

/** Posts that others quote, those first that the nearest ones quote. */
export function quotedGroup(tree: Tree, quoting: readonly PostSketch[]): Group {
  const wanted = quoting.flatMap(({ quoted }) => (quoted === null ? [] : (tree.get(quoted) ?? [])))
  return { why: 'quoted', posts: byNumber(wanted), wanted }
}

export function embeddedGroup(wanted: readonly PostSketch[]): Group {
  return { why: 'embedded', posts: wanted, wanted }
}

/** What is new to the asker, and since when: a post's number, or null where it is the branch or the thread as a whole. */
export interface News {
  readonly since: number | null
  readonly posts: readonly PostSketch[]
}

/**
 * What came after the post that the asker had read last, or else after their own last post. For one who never was here,
 * it is the branch below the asked post, and where nothing is below it, the thread.
 */
export function newsFor(tree: Tree, question: Question): News | undefined {
  if (question.persona.handle !== catchUpHandle) return undefined
  const { number, asker } = question
  const own = asker && tree.posts.findLast((post) => post.authorId === asker.id && post.number !== number)
  const since = question.since ?? own?.number ?? null
  if (since !== null) {
    return { since, posts: readable(inReadingOrder(tree).filter((post) => post.number > since)) }
  }
  const branch = readable(inReadingOrder(tree, number).slice(1))
  return { since, posts: branch.length > 0 ? branch : readable(inReadingOrder(tree)) }
}

/** The newest matter most. */
export function newGroup({ posts }: News): Group {
  return { why: 'new', posts, wanted: posts.toSorted((a, b) => b.number - a.number) }
}

/** Other replies to the asked post, then other replies to its parent; the nearest in time first. */
export function nearbyGroup(tree: Tree, number: number): Group {
  const parent = tree.get(number)?.parent ?? null
  const beside = (parent === null ? [] : tree.childrenOf(parent)).filter((post) => post.number !== number)
  const wanted = readable([
    ...tree.childrenOf(number),
    ...beside.toSorted((a, b) => Math.abs(a.number - number) - Math.abs(b.number - number)),
  ])
  return { why: 'sibling', posts: byNumber(wanted), wanted }
}

/** Each post once, for its most important reason, and only those that may be read and say something. */
export function distinct(groups: readonly Group[]): Group[] {
  const seen = new Set<string>()
  return groups.map((group) => {
    const wanted = group.wanted.filter((post) => {
      const name = nameOf(post)
      if (seen.has(name) || !mayRead(post) || post.bytes === 0) return false
      seen.add(name)
      return true
    })
    const kept = new Set(wanted.map(nameOf))
    const posts = group.posts.filter((post) => kept.delete(nameOf(post)))
    return { ...group, posts, wanted }
  })
}

export function nameOf(post: { readonly thread: string; readonly number: number }): string {
  return `${post.thread}/${post.number}`
}

/** A branch in the order in which a page shows it: each post followed by its replies, oldest first. */
export function inReadingOrder(tree: Tree, from = 1): PostSketch[] {
  const first = tree.get(from)
  const open = first ? [first] : []
  const order: PostSketch[] = []
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    order.push(next)
    open.push(...tree.childrenOf(next.number).toReversed())
  }
  return order
}

function readable(posts: readonly PostSketch[]): PostSketch[] {
  return posts.filter(mayRead)
}

function byNumber(posts: readonly PostSketch[]): PostSketch[] {
  return posts.toSorted((a, b) => a.number - b.number)
}
