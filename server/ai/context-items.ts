import type { PostText } from '../store/context.ts'
import type { Document } from './context-articles.ts'
import type { Item } from './context-fit.ts'
import type { Group } from './context-posts.ts'
import { asData, labelled, type Block } from './context-text.ts'
import type { Piece } from './context.ts'
import { estimateTokens } from './tokens.ts'

/** A post as it is given. One of another thread is cited by a link, as its number means another post here. */
export function postItem(block: Block, thread: string, why: Group['why'], post: PostText): Item {
  const author = labelled(post.author)
  const name =
    post.thread === thread
      ? `post ${post.number}`
      : `a post of another thread, "${labelled(post.title)}", to be cited as [other thread](/t/${post.thread}/${post.number}),`
  const reply = post.parent === null || post.thread !== thread ? '' : `, reply to ${post.parent}`
  const label = `${name} by "${author}"${post.byAi ? ' (AI)' : ''}, ${minuteOf(post.createdAt)}${reply}; ${reasons[why]}`
  const piece: Piece = {
    kind: 'post',
    thread: post.thread,
    number: post.number,
    parent: post.parent,
    author,
    byAi: post.byAi,
    why,
    text: asData(textOf(post, post.thread === thread)),
  }
  return itemOf(block, label, piece)
}

const reasons: Record<Group['why'], string> = {
  asked: 'this is the one to reply to',
  ancestor: 'above it',
  quoted: 'quoted there',
  embedded: 'shown there',
  new: 'new to the asker',
  sibling: 'nearby',
}

/** A passage that a post quotes stands before its text. */
function textOf({ quote, body }: PostText, here: boolean): string {
  if (quote === null) return body
  return `Quoted from ${here ? `[#${quote.number}]` : 'there'}:\n${quote.text.replace(/^/gm, '> ')}\n\n${body}`
}

export function sectionItem(
  block: Block,
  { document, title }: Document,
  documents: number,
  { section, heading, text }: Document['texts'][number],
): Item {
  const name = heading === null ? null : labelled(heading)
  const label = `${documents > 1 ? `doc ${document}` : 'doc'} §${section}${name ? ` "${name}"` : ''}`
  const piece: Piece = {
    kind: 'section',
    document,
    title: labelled(title),
    section,
    heading: name,
    why: 'article',
    text,
  }
  return itemOf(block, label, piece)
}

/** What a linked page is, or why it could not be read. */
export function documentBlock(block: Block, { document, url, title, sections, problem }: Document): string {
  const lines = [`Title: ${labelled(title)}`, `Address: ${asData(url)}`]
  lines.push(problem === undefined ? `Sections: ${sections}` : `It could not be read: ${asData(problem)}`)
  return block(`about doc ${document}, a linked page`, lines.join('\n'))
}

function itemOf(block: Block, label: string, piece: Piece): Item {
  const frame = estimateTokens(block(label, ''))
  return { piece, label, frame, cost: frame + estimateTokens(piece.text), cut: false }
}

function minuteOf(date: Date): string {
  return date.toISOString().slice(0, 16).replace('T', ' ')
}
