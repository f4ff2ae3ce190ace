import type { ThreadSnapshot } from '../../shared/http.ts'
import type { Post } from '../../shared/post.ts'
import { ask, type Guest } from './node.ts'

/** A thread with its root, by the HTTP interface. */
export async function newThread(
  url: string,
  who: Guest,
  { title = 'A thread', body = 'The root' }: { title?: string; body?: string } = {},
): Promise<string> {
  const { thread } = await ask<ThreadSnapshot>(who, 'POST', `${url}/api/threads`, { title, body })
  return thread.id
}

export async function addReply(
  url: string,
  who: Guest,
  thread: string,
  input: { parent?: number; body: string; quote?: { number: number; text: string } },
): Promise<Post> {
  const { post } = await ask<{ post: Post }>(who, 'POST', `${url}/api/threads/${thread}/posts`, {
    parent: 1,
    ...input,
    clientId: crypto.randomUUID(),
  })
  return post
}

/** Replaces the text of a post, as it stands now. */
export async function editPost(
  url: string,
  who: Guest,
  thread: string,
  number: number,
  body: string,
): Promise<Post> {
  const address = `${url}/api/threads/${thread}/posts/${number}`
  const { post: before } = await ask<{ post: Post }>(who, 'GET', address)
  const { post } = await ask<{ post: Post }>(who, 'PATCH', address, { body, seq: before.seq })
  return post
}

export async function readThread(url: string, thread: string): Promise<ThreadSnapshot> {
  const answer = await fetch(`${url}/api/threads/${thread}`)
  return (await answer.json()) as ThreadSnapshot
}

/** The Markdown source of a post. */
export async function readBody(url: string, thread: string, number: number): Promise<string> {
  const answer = await fetch(`${url}/api/threads/${thread}/posts/${number}`)
  if (!answer.ok) throw new Error(`post ${number}: ${answer.status} ${await answer.text()}`)
  const { post } = (await answer.json()) as { post: { body: string } }
  return post.body
}
