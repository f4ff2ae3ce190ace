import { sql } from 'kysely'
import { beforeEach, expect, test } from 'vitest'
import { append, begin, finish } from '../../server/ai/agents.ts'
import type { AiParts } from '../../server/ai/parts.ts'
import { reportRun } from '../../server/ai/report.ts'
import { createRunner } from '../../server/ai/runner.ts'
import { stop } from '../../server/ai/stop.ts'
import { decodeThreadMessages } from '../../server/bus/messages.ts'
import { readBody, readPost } from '../../server/store/read.ts'
import type { Actor } from '../../server/threads/access.ts'
import type { Post } from '../../shared/post.ts'
import { limits } from '../../shared/limits.ts'
import { addAgent, aiParts } from '../helpers/ai.ts'
import { addThread, addUser, describeStores, threadParts } from '../helpers/store.ts'

describeStores('agents outside', (store) => {
  const bot: Actor = { id: 'bot', name: 'bot', kind: 'ai', role: 'member' }
  let parts: AiParts
  let thread: string
  let said: { at: number; text: string }[]

  beforeEach(async () => {
    parts = aiParts(threadParts(store.db))
    await addUser(store.db, 'ada')
    await addAgent(store.db, 'bot')
    thread = await addThread(store.db, 'ada')
    said = []
    await parts.bus.subscribe(thread, (text) => {
      const message = decodeThreadMessages(text)[0]
      if (message?.kind === 'delta') said.push(JSON.parse(message.line) as { at: number; text: string })
    })
  })

  const start = (clientId = 'c1', who: Actor = bot) =>
    begin(parts, who, thread, { parent: 1, state: 'streaming', clientId })
  const place = ({ number }: Post) => ({ thread, number })
  const add = (post: Post, at: number, text: string, who: Actor = bot) =>
    append(parts, who, place(post), { run: post.run!, at, text })
  const end = (post: Post, state: 'complete' | 'failed' = 'complete', reason?: string) =>
    finish(parts, bot, place(post), { run: post.run!, state, ...(reason !== undefined && { reason }) })

  test('write a reply piece by piece, and everyone is told', async () => {
    const post = await start()
    expect(post).toMatchObject({ state: 'streaming', author: { id: 'bot', kind: 'ai' } })
    expect(post.asker).toBeUndefined()
    expect(await add(post, 0, 'Hello ')).toBe(6)
    expect(await add(post, 6, '*world* 🌳')).toBe(16)
    expect(said.map(({ at, text }) => [at, text])).toEqual([
      [0, 'Hello '],
      [6, '*world* 🌳'],
    ])
    const done = await end(post)
    expect(done).toMatchObject({ state: 'complete', html: '<p>Hello <em>world</em> 🌳</p>\n' })
    expect(await readBody(store.db, thread, post.number)).toBe('Hello *world* 🌳')
    expect(await reportRun(store.db, place(post))).toMatchObject({
      external: true,
      manifest: null,
      usage: { estimated: true },
      length: 16,
    })
  })

  test('may send anything again', async () => {
    const post = await start()
    expect((await start()).number).toBe(post.number)
    await add(post, 0, 'one two')
    // The same again, an overlap, and at the same time.
    expect(await add(post, 0, 'one two')).toBe(7)
    expect(await add(post, 4, 'two three')).toBe(13)
    expect(await Promise.all([add(post, 13, ' four'), add(post, 13, ' four')])).toEqual([18, 18])
    const done = await end(post)
    expect(done.html).toBe('<p>one two three four</p>\n')
    expect(await end(post)).toEqual(done)
    expect(said.map(({ text }) => text).join('')).toBe('one two three four')
  })

  test('are told where to go on when a piece is missing', async () => {
    const post = await start()
    await add(post, 0, 'one')
    await expect(add(post, 5, 'three')).rejects.toMatchObject({
      code: 'text-gap',
      detail: expect.stringContaining('3'),
    })
    expect(await reportRun(store.db, place(post))).toMatchObject({ length: 3, state: 'streaming' })
  })

  test('write nothing that a post cannot hold', async () => {
    const post = await start()
    for (const text of ['a\0b', '\ud83c', 'x\u0007'])
      await expect(add(post, 0, text)).rejects.toMatchObject({ code: 'invalid' })
    await add(post, 0, 'x'.repeat(limits.bodyMax - 1))
    await expect(add(post, limits.bodyMax - 1, 'yz')).rejects.toMatchObject({ code: 'too-large' })
    expect(await add(post, limits.bodyMax - 1, 'y')).toBe(limits.bodyMax)
  })

  test('write their own replies only, and nobody else writes as they do', async () => {
    const post = await start()
    await addAgent(store.db, 'other')
    const other: Actor = { id: 'other', name: 'other', kind: 'ai', role: 'member' }
    const ada: Actor = { id: 'ada', name: 'ada', kind: 'person', role: 'member' }
    await expect(add(post, 0, 'x', other)).rejects.toMatchObject({ code: 'forbidden' })
    await expect(start('c2', ada)).rejects.toMatchObject({ code: 'forbidden' })
    await expect(append(parts, bot, place(post), { run: 'another', at: 0, text: 'x' })).rejects.toMatchObject(
      {
        code: 'run-not-found',
      },
    )
    await store.db.updateTable('personas').set({ enabled: false }).where('user_id', '=', 'other').execute()
    await expect(start('c3', other)).rejects.toMatchObject({ code: 'forbidden' })
  })

  test('are stopped by moderators and by themselves, with their text kept', async () => {
    const mod = await addUser(store.db, 'mod', { role: 'moderator' })
    const ada: Actor = { id: 'ada', name: 'ada', kind: 'person', role: 'member' }
    for (const [i, who] of [mod, bot].entries()) {
      const post = await start(`s${i}`)
      await add(post, 0, 'So far')
      await expect(stop(parts, ada, place(post), { run: post.run! })).rejects.toMatchObject({
        code: 'forbidden',
      })
      expect(await stop(parts, who, place(post), { run: post.run! })).toMatchObject({
        state: 'stopped',
        html: '<p>So far</p>\n',
      })
      await expect(add(post, 6, ' and on')).rejects.toMatchObject({ code: 'run-ended' })
    }
  })

  test('that fall silent leave an interrupted reply; that say so, a failed one', async () => {
    const silent = await start('a')
    await add(silent, 0, 'Half a')
    await sql`update runs set lease_until = now() - interval '1 second'`.execute(store.db)
    await createRunner(parts).sweep()
    expect(await readPost(store.db, thread, silent.number)).toMatchObject({
      state: 'interrupted',
      html: '<p>Half a</p>\n',
      reason: 'The agent that wrote it fell silent.',
    })
    await expect(add(silent, 6, ' loaf')).rejects.toMatchObject({ code: 'run-ended' })
    const failed = await start('b')
    expect(await end(failed, 'failed', 'Out of ideas')).toMatchObject({
      state: 'failed',
      reason: 'Out of ideas',
    })
    const empty = await start('c')
    expect(await end(empty)).toMatchObject({ state: 'failed', reason: 'The agent wrote nothing.' })
  })
})
