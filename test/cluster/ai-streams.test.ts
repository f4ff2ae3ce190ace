import pg from 'pg'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { Post } from '../../shared/post.ts'
import { openLoadViewer, proseTokens, repliesOf, shake, type LoadViewer } from '../helpers/ai-load.ts'
import { ask, guest, startNode, type Guest, type TestNode } from '../helpers/node.ts'
import type { TestDatabase } from '../helpers/postgres.ts'
import { newThread } from '../helpers/postings.ts'
import { createRandom } from '../helpers/random.ts'
import { startScriptedModel, type ScriptedModel } from '../helpers/scripted-model.ts'
import { createDatabase, describeWith, services } from '../helpers/services.ts'

const streams = 8
const tokens = 2_000
const tokensPerSecond = 60
const viewersAtFirst = 120
const viewersLater = 80

describeWith(['postgres', 'redis'], 'AI replies to a crowd', () => {
  let database: TestDatabase
  let model: ScriptedModel
  let nodes: TestNode[]
  let host: Guest
  const open: LoadViewer[] = []

  beforeAll(async () => {
    database = await createDatabase()
    model = await startScriptedModel()
    const env = {
      DATABASE_URL: database.url,
      REDIS_URL: services().redisUrl!,
      RATE_LIMITS: 'off',
      AI_BASE_URL: model.url,
      AI_MODEL: 'scripted',
    }
    const first = await startNode(env)
    nodes = [first, await startNode(env)]
    host = await guest(first.url, 'Hedda Host')
  })
  afterAll(async () => {
    for (const viewer of open) viewer.close()
    await Promise.all((nodes ?? []).map((node) => node.kill('SIGKILL')))
    await model?.stop()
    await database?.drop()
  })

  test(
    `${streams} replies at a time, and ${viewersAtFirst + viewersLater} who come and go on two nodes`,
    { timeout: 180_000 },
    async () => {
      const random = createRandom(3)
      const choose = () => random.pick(nodes).url
      const thread = await newThread(nodes[0]!.url, host)
      model.script(() => ({ text: proseTokens(tokens, random), tokensPerSecond }))
      for (let i = 0; i < viewersAtFirst; i++) open.push(await openLoadViewer(choose, thread))

      const asked: Post[] = []
      for (let i = 0; i < streams; i++) {
        const { post } = await ask<{ post: Post }>(
          host,
          'POST',
          `${choose()}/api/threads/${thread}/posts/1/ask`,
          {
            persona: 'explain',
          },
        )
        asked.push(post)
      }
      const written = () => Math.min(...model.requests().map((request) => request.tokens))
      await vi.waitFor(() => expect(model.requests()).toHaveLength(streams), { timeout: 20_000 })
      // Until some time before the end, so that nearly all are back then to see the last word.
      const shaking = shake(open, random, () => written() > tokens * 0.75)
      for (let i = 0; i < viewersLater; i++) open.push(await openLoadViewer(choose, thread))
      expect(await shaking).toBeGreaterThan(200)

      const client = new pg.Client({ connectionString: database.url })
      await client.connect()
      await vi.waitFor(
        () => {
          for (const { state } of open) {
            expect(repliesOf(state).map((post) => post.state)).toEqual(asked.map(() => 'complete'))
          }
        },
        { timeout: 60_000, interval: 200 },
      )
      const { rows } = await client.query<{ number: number; body: string; html: string }>(
        'select number, body, html from posts where thread_id = $1 and number > 1 order by number',
        [thread],
      )
      await client.end()
      const size = rows.reduce((sum, { body }) => sum + Buffer.byteLength(body), 0)
      expect(rows).toHaveLength(streams)
      for (const { body } of rows) expect(body.length).toBeGreaterThan(tokens * 3)
      let whole = 0
      for (const viewer of open) {
        expect(viewer.faults).toEqual([])
        for (const [i, { html, body }] of rows.entries()) {
          const post = repliesOf(viewer.state)[i]!
          expect(post.html).toBe(html)
          const text = viewer.texts.get(post.run!)?.trimEnd() ?? ''
          expect(body.startsWith(text)).toBe(true)
          if (text === body) whole++
        }
      }
      // Who was away at the very end got the post instead.
      expect(whole).toBeGreaterThan(open.length * streams * 0.9)
      // The final posts come on top, with their HTML: once each, however long they were written.
      const final = rows.reduce((sum, { html }) => sum + Buffer.byteLength(JSON.stringify(html)), 0)
      const most = Math.max(...open.map(({ bytes }) => bytes))
      console.log(
        `text ${size} bytes; sent to a viewer at most ${most}, of which final posts ${final}: ${(most / size).toFixed(2)}x, ` +
          `pieces alone ${((most - final) / size).toFixed(2)}x`,
      )
      expect(most).toBeLessThanOrEqual(3 * size + final)
    },
  )
})
