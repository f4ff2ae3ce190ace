/** How one of the systems is talked to. */
export interface Wire {
  /** Of the WebSocket. */
  path(thread: string): string
  /** What the client says first; undefined where being connected is all there is to joining. */
  hello?(thread: string, after: number): string
  /** What to make of a message before the viewer has joined: that it has, or an answer to send. */
  greet?(message: string, thread: string): 'joined' | { send: string } | undefined
  /** What is answered to a message of a single byte. */
  answer?(message: string): string | undefined
  /** The texts of the posts in a message. */
  texts(message: string): string[]
  /** The request that writes a post: its path and body. */
  post(thread: string, text: string): { path: string; body: string }
}

export type WireName = 'numinex' | 'socket.io' | 'ws' | 'nchan'

interface Message {
  type: string
  post?: { html: string }
  posts?: { html: string }[]
}

export const wires: Record<WireName, Wire> = {
  numinex: {
    path: () => '/live',
    // As our own client does.
    hello: (thread, after) => JSON.stringify({ type: 'join', thread, after, brief: true }),
    greet: (message) => (message.includes('"type":"joined"') ? 'joined' : undefined),
    texts: (message) =>
      message.split('\n').flatMap((line) => {
        const { post, posts } = JSON.parse(line) as Message
        return (post ? [post] : (posts ?? [])).map(({ html }) => html)
      }),
    post: (thread, text) => ({
      path: `/api/threads/${thread}/posts`,
      body: JSON.stringify({ parent: 1, body: text, clientId: crypto.randomUUID() }),
    }),
  },
  'socket.io': {
    path: () => '/socket.io/?EIO=4&transport=websocket',
    greet(message, thread) {
      // Open, then connected to the namespace, then acknowledged to be in the room.
      if (message.startsWith('0')) return { send: '40' }
      if (message.startsWith('40')) return { send: `420${JSON.stringify(['join', thread])}` }
      return message.startsWith('430') ? 'joined' : undefined
    },
    answer: (message) => (message === '2' ? '3' : undefined),
    texts(message) {
      if (!message.startsWith('42')) return []
      const [, post] = JSON.parse(message.slice(2)) as [string, { body: string }]
      return [post.body]
    },
    post: plainPost,
  },
  ws: {
    path: () => '/',
    hello: (thread) => JSON.stringify({ type: 'join', thread }),
    greet: () => 'joined',
    texts: (message) => [(JSON.parse(message) as { body?: string }).body ?? ''],
    post: plainPost,
  },
  nchan: {
    path: (thread) => `/sub/${thread}`,
    texts: (message) => [(JSON.parse(message) as { body: string }).body],
    post: (thread, text) => ({
      path: `/pub/${thread}`,
      // It passes on what it is given, so the publisher sends what the others' servers make of a post.
      body: JSON.stringify({ thread, ...peerPost(text) }),
    }),
  },
}

function plainPost(thread: string, text: string): { path: string; body: string } {
  return { path: `/threads/${thread}/posts`, body: JSON.stringify({ parent: 1, body: text }) }
}

const peerPost = (body: string) => ({
  id: 1,
  parent: 1,
  author: 'Writer',
  body,
  createdAt: new Date().toISOString(),
})
