/**
 * The least that a live discussion needs, by `ws`: a post is stored, then sent to everyone who has its thread open.
 * One process, no bus.
 */
import pg from 'pg'
import { WebSocketServer } from 'ws'
import { createPostServer, insertPost } from './common.js'

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 })

/** @type {Map<string, Set<import('ws').WebSocket>>} */
const rooms = new Map()

const server = createPostServer(async (thread, input) => {
  const post = await insertPost(pool, thread, input)
  const message = JSON.stringify(post)
  for (const socket of rooms.get(thread) ?? []) socket.send(message)
  return message
})

const sockets = new WebSocketServer({ server, perMessageDeflate: false })
sockets.on('connection', (socket) => {
  socket.on('error', () => {})
  socket.on('message', (data) => {
    const { type, thread } = JSON.parse(String(/** @type {Buffer} */ (data)))
    if (type !== 'join') return
    const room = rooms.get(thread) ?? new Set()
    rooms.set(thread, room.add(socket))
    socket.once('close', () => room.delete(socket))
    socket.send(JSON.stringify({ type: 'joined', thread }))
  })
})

server.listen(Number(process.env.PORT), '127.0.0.1', () => {
  console.log(JSON.stringify({ url: `http://127.0.0.1:${server.address().port}` }))
})
