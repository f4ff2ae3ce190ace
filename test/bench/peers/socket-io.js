/**
 * The same by Socket.IO, with its Redis adapter, as its documentation shows: rooms, and an emit that reaches every node.
 */
import { createAdapter } from '@socket.io/redis-adapter'
import { Redis } from 'ioredis'
import pg from 'pg'
import { Server } from 'socket.io'
import { createPostServer, insertPost } from './common.js'

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 })
const publisher = new Redis(process.env.REDIS_URL)
const subscriber = publisher.duplicate()

const server = createPostServer(async (thread, input) => {
  const post = await insertPost(pool, thread, input)
  io.to(thread).emit('post', post)
  return JSON.stringify(post)
})

const io = new Server(server, {
  transports: ['websocket'],
  adapter: createAdapter(publisher, subscriber),
  serveClient: false,
})
io.on('connection', (socket) => {
  socket.on('join', async (thread, joined) => {
    await socket.join(thread)
    joined()
  })
})

server.listen(Number(process.env.PORT), '127.0.0.1', () => {
  console.log(JSON.stringify({ url: `http://127.0.0.1:${server.address().port}` }))
})
