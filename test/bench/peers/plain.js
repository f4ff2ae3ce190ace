/**
 * One transaction a reply: the statement that a reply without a quote or links is, for each reply alone, by `pg`. The
 * thread's row is locked from its first part to the end of its commit, so the commits of a thread come one after the other.
 */
import pg from 'pg'
import { serveClosedLoop } from './closed-loop.js'

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 })
const thread = process.env.THREAD
const { rows: guests } = await pool.query(`SELECT id FROM users WHERE kind = 'guest' LIMIT 16`)

const insert = `WITH head AS (
    UPDATE threads SET seq = seq + 1, last_number = last_number + 1, post_count = post_count + 1, last_activity_at = now()
    WHERE id = $1 AND NOT locked
      AND EXISTS (SELECT FROM posts WHERE thread_id = $1 AND number = 1 AND state <> 'deleted')
      AND NOT EXISTS (SELECT FROM post_embeds WHERE target_thread = $1 AND target_number > last_number)
    RETURNING seq, last_number
  ), written AS (
    INSERT INTO posts (thread_id, number, parent, author_id, body, html, excerpt, state, client_id, seq, body_seq)
    SELECT $1, last_number, 1, $2, $3, $4, $3, 'complete', $5, seq, seq FROM head
    RETURNING number, parent, author_id, state, created_at, edited_at, client_id, seq
  )
  SELECT written.*, name, kind, image FROM written JOIN users ON users.id = author_id`

serveClosedLoop(async (body, turn) => {
  const author = guests[turn % guests.length].id
  const values = [thread, author, body, `<p>${body}</p>\n`, crypto.randomUUID()]
  const { rows } = await pool.query({ name: 'insert', text: insert, values })
  if (rows.length !== 1) throw new Error('not written')
})
