/** What the peers that keep posts in Postgres have in common. Plain JavaScript: they run with no loader between. */
import { createServer } from 'node:http'

/**
 * A server for `POST /threads/:thread/posts`. `write` gives what is answered.
 * @param {(thread: string, input: { parent: number, body: string }) => Promise<string>} write
 */
export function createPostServer(write) {
  return createServer((request, response) => {
    const thread = request.method === 'POST' && /^\/threads\/(\w+)\/posts$/.exec(request.url ?? '')?.[1]
    if (!thread) return response.writeHead(404).end()
    readJson(request)
      .then((input) => write(thread, input))
      .then((answer) => response.writeHead(201, { 'content-type': 'application/json' }).end(answer))
      .catch((error) => response.writeHead(500).end(String(error)))
  })
}

/** @param {import('node:http').IncomingMessage} request */
async function readJson(request) {
  let text = ''
  request.setEncoding('utf8')
  for await (const chunk of request) text += chunk
  return JSON.parse(text)
}

/**
 * One statement a post. It is named, so Postgres plans it once a connection.
 * @param {import('pg').Pool} pool
 * @param {string} thread
 * @param {{ parent: number, body: string }} input
 */
export async function insertPost(pool, thread, { parent, body }) {
  const { rows } = await pool.query({
    name: 'insert-post',
    text: 'INSERT INTO peer_posts (thread, parent, author, body) VALUES ($1, $2, $3, $4) RETURNING id, created_at',
    values: [thread, parent, 'Writer', body],
  })
  const [{ id, created_at }] = rows
  return { thread, id: Number(id), parent, author: 'Writer', body, createdAt: created_at }
}
