/**
 * One transaction a reply: what is asked of the database for a reply without a quote or links, as statements of `pg`. The
 * thread's row is locked from the second statement of the transaction to the end of its commit, so the commits of a thread
 * come one after the other.
 */
import pg from 'pg'
import { serveClosedLoop } from './closed-loop.js'

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 })
const thread = process.env.THREAD
const { rows: guests } = await pool.query(`SELECT id FROM users WHERE kind = 'guest' LIMIT 16`)

const known = `SELECT number FROM posts WHERE author_id = $1 AND thread_id = $2 AND client_id = $3`
const rights = `SELECT t.locked, t.page_key, p.author_id, p.state FROM threads t
  LEFT JOIN posts p ON p.thread_id = t.id AND p.number = 1 WHERE t.id = $1`
const insert = `WITH head AS (
    UPDATE threads SET seq = seq + 1, last_number = last_number + 1, post_count = post_count + 1, last_activity_at = now()
    WHERE id = $1 AND NOT locked RETURNING seq, last_number
  )
  INSERT INTO posts (thread_id, number, parent, author_id, body, html, excerpt, state, client_id, seq, body_seq)
  SELECT $1, last_number, 1, $2, $3, $4, $3, 'complete', $5, seq, seq FROM head RETURNING number`
const written = `SELECT p.*, u.name, u.kind, u.image FROM posts p JOIN users u ON u.id = p.author_id
  WHERE p.thread_id = $1 AND p.number = $2`
const reactions = `SELECT number, emoji, count(*) AS count, (array_agg(user_id ORDER BY created_at, user_id))[1:100] AS by
  FROM reactions WHERE thread_id = $1 AND number = $2 GROUP BY number, emoji`
const embeds = `SELECT e.*, l.state, l.title FROM post_embeds e LEFT JOIN links l ON l.id = e.link_id
  WHERE e.thread_id = $1 AND e.number = $2`
const waiting = `SELECT thread_id, number FROM post_embeds WHERE target_thread = $1 AND target_number = $2`

serveClosedLoop(async (body, turn) => {
  const author = guests[turn % guests.length].id
  const clientId = crypto.randomUUID()
  await pool.query(known, [author, thread, clientId])
  await pool.query(rights, [thread])
  const client = await pool.connect()
  try {
    await client.query('BEGIN')
    const { rows } = await client.query(insert, [thread, author, body, `<p>${body}</p>\n`, clientId])
    for (const sql of [written, reactions, embeds, waiting]) await client.query(sql, [thread, rows[0].number])
    await client.query('COMMIT')
    client.release()
  } catch (error) {
    client.release(true)
    throw error
  }
})
