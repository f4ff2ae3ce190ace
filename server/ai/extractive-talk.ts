import { wordsOf } from './context-rank.ts'
import { said, type Material, type PostPiece } from './extractive-material.ts'
import { pick } from './extractive-rank.ts'
import type { Sentence } from './extractive-text.ts'
import { turnsIn } from './extractive-turns.ts'
import { escaped, part, plural } from './extractive-write.ts'

/** Sentences of others that turn against something, nearest to what the post says. */
export function challenge({ sentences, asked, request, ranking, pen }: Material): string[] {
  const isOwn = ({ piece }: Sentence) => piece.kind === 'post' && piece.author === asked.author
  const turning = sentences.filter((each) => turnsIn(each.text) > 0)
  const others = turning.filter((each) => !isOwn(each))
  const answers = ranking.answers(others, wordsOf(`${request}\n${asked.text}`))
  const score = (each: Sentence) =>
    answers.get(each)! + 0.4 * ranking.central.get(each)! + 0.1 * Math.min(3, turnsIn(each.text))
  const picked = pick(others, 5, score, ranking.likeness)
  if (picked.length > 0) {
    return [
      'These sentences turn against something. Whether it is what the post says is for you to judge.',
      ...part(
        'From the other side',
        picked.map((each) => said(pen, each)),
      ),
    ]
  }
  const doubts = pick(turning, 3, (each) => ranking.central.get(each)!, ranking.likeness)
  return part(
    'Nobody else turns against it; these are its own author’s doubts',
    doubts.map((each) => pen.quote(each)),
  )
}

/** Who wrote what, branch by branch; the busiest first. */
export function catchUp(material: Material): string[] {
  const { pieces, asked } = material
  const posts = pieces.filter(
    (piece): piece is PostPiece => piece.kind === 'post' && piece.thread === asked.thread,
  )
  const fresh = posts.filter(({ why }) => why === 'new')
  const told = fresh.length > 0 ? fresh : posts.filter((post) => post !== asked)
  if (told.length === 0) return ['There is nothing else in what I have read.']
  const branches = branchesOf(posts, told)
  const others = branches.slice(mostBranches).reduce((sum, { branch }) => sum + branch.length, 0)
  return [
    `${fresh.length > 0 ? 'New to you' : 'Nothing is known to be new to you. In what I have read'}: ${countOf(told)}.`,
    ...branches.slice(0, mostBranches).flatMap((branch) => branchPart(material, branch)),
    ...(others > 0 ? [`And ${plural(others, 'post', 'posts')} in other branches.`] : []),
  ]
}
const mostBranches = 6
const perBranch = 4

function countOf(posts: readonly PostPiece[]): string {
  const written = new Map<string, number>()
  for (const { author } of posts) written.set(author, (written.get(author) ?? 0) + 1)
  const who = [...written]
    .toSorted((a, b) => b[1] - a[1])
    .map(([name, count]) => `${escaped(name)} (${count})`)
  return `${plural(posts.length, 'post', 'posts')}, by ${who.join(', ')}`
}

/** One sentence of each of a branch's posts, the later ones before the earlier ones where there are many. */
function branchPart({ sentences, ranking, pen }: Material, { top, branch }: Branch): string[] {
  const best = branch.flatMap((post) => {
    const own = sentences.filter(({ piece }) => piece === post)
    return pick(own, 1, (each) => ranking.central.get(each)!, ranking.likeness)
  })
  const lateness = (each: Sentence) => branch.findIndex((post) => post === each.piece) / branch.length
  const shown = new Set(
    pick(best, perBranch, (each) => ranking.central.get(each)! + lateness(each), ranking.likeness),
  )
  const lines = best.filter((each) => shown.has(each)).map((each) => said(pen, each))
  const rest = branch.length - lines.length
  const last = branch.at(-1)!
  if (rest > 0 && lines.length > 0) lines.push(`and ${plural(rest, 'more post', 'more posts')}`)
  else if (rest > 0)
    lines.push(
      `${plural(rest, 'short post', 'short posts')}, the last by ${escaped(last.author)} ${pen.cite(last)}`,
    )
  return part(`In the branch of ${pen.cite(top)}, by ${escaped(top.author)}`, lines)
}

interface Branch {
  /** The reply to the thread's first post under which it stands, as far as that is known. */
  readonly top: PostPiece
  readonly branch: readonly PostPiece[]
}

function branchesOf(posts: readonly PostPiece[], told: readonly PostPiece[]): Branch[] {
  const byNumber = new Map(posts.map((post) => [post.number, post]))
  const above = ({ parent }: PostPiece) => (parent === null ? undefined : byNumber.get(parent))
  const branches = new Map<PostPiece, PostPiece[]>()
  for (const post of told) {
    let top = post
    for (let next = above(top); next !== undefined && next.parent !== null; next = above(top)) top = next
    const known = branches.get(top)
    if (known) known.push(post)
    else branches.set(top, [post])
  }
  return [...branches]
    .map(([top, branch]) => ({ top, branch }))
    .toSorted((a, b) => b.branch.length - a.branch.length)
}
